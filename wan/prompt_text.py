"""Prompts by time, written as one text: a line for each.

The grammar, which ``js/prompts.mjs`` reads too::

    schedule = [heading] [first prompt, unmarked] {line}
    line     = mark text                 2: running      7.5s over 1s: jumping
             | mark                      its text is on the lines below, up to the next mark
    mark     = span [over] ":"           a colon may be followed by the text at once: 0:walks
             | "[" span [over] "]" [":"] [2] left        [0-5s] left
             | span                      in seconds, without a colon: 5s left     0:05 left
    span     = time [("-" | "~" | "to") time]            5s - 10s         1-3
    time     = ["chunk"] number          a chunk         2                chunk 2
             | number unit               seconds         5s   5 sec   7.5 seconds
             | minutes ":" two digits    seconds         0:05             1:02:30
    over     = "over" time               how long the prompt takes to take over from the one before

- Chunks count from 1; a text in which one has the number 0 is read from 0. A span of chunks includes both.
- An unmarked beginning is the prompt of chunk 1, unless it is a heading: ``# ...``, ``chunk: prompt``, ``Prompts:``.
- A text without a mark is one prompt, as it stands. Lines that read as prose have none: ``16:9 shot``, ``3:2``,
  ``10:30 pm``. Without a colon ``80s style`` is a mark only behind an earlier time in seconds, ``0:05 left`` behind one
  of a clock, and ``5s left`` where another line has a sure mark, the first line starts at 0, or all lines are such.
- A span must end where the next one starts, since prompts hold until then; the last holds to the end of the video.
- Full-width digits and signs are taken for ASCII; a byte order mark is skipped; line ends are those of any system.
- Whatever looks like a mark and is none, and a line without a mark behind one that has a text, is refused.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from .numbers import shown
from .prompt_lines import HOW, Entry, check_prose, choose_marks, read_entries, refuse, split_heading
from .prompt_mark import Mark, read_mark, resembles_mark
from .prompts import LATEST, UNITS, Keyframe


class Schedule(NamedTuple):
    """Prompts over time, as they were read from a text."""

    keyframes: tuple[Keyframe, ...]
    notes: tuple[str, ...] = ()
    """How it was read, where it could be meant otherwise."""


def parse_schedule(text: str, negative: Any = "") -> tuple[Keyframe, ...]:
    """The keyframes of :func:`read_schedule`."""
    return read_schedule(text, negative).keyframes


def read_schedule(text: str, negative: Any = "") -> Schedule:
    """Keyframes from a text with a line for each: ``1: walking``, ``3: running``, ``7.5s over 1s: jumping``.

    The grammar is at the top of this module. A text without a mark is one prompt, as it stands.

    Raises:
        ValueError: if a line cannot be read; names the line, shows it, and says how to write it.
    """
    if not isinstance(text, str):
        raise ValueError(f"prompt: expected a text, got {shown(text)}.")
    text = text.removeprefix("\ufeff")
    lines = [(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    marks = choose_marks([read_mark(line) for _, line in lines])
    for (number, line), mark in zip(lines, marks, strict=True):
        if mark is None and resembles_mark(line):
            raise refuse(number, f"expected a start and a text, such as {HOW}", line)
    if not any(marks):
        check_prose(lines)
        return Schedule((Keyframe(text, negative),))
    begin = next(index for index, mark in enumerate(marks) if mark is not None)
    entries = read_entries(lines[begin:], marks[begin:])
    base = 0 if any(_counts_from_zero(entry.mark) for entry in entries) else 1
    notes = ["prompt: its chunks are read as counted from 0, since one of them is 0"] if base == 0 else []
    early = next((entry for entry in entries if _start(entry.mark, base) == 0), None)
    heading, first = split_heading([line for _, line in lines[:begin]], early is not None)
    if heading:
        notes.append(f"prompt, line {lines[0][0]}: {shown(lines[0][1].strip())} is taken for a heading")
    if first and early is not None:
        number, line = lines[len(heading)]
        raise refuse(number, f"it has no start, and line {early.number} is the first already. Begin it with one", line)
    keyframes = [Keyframe("\n".join(first), negative)] if first else []
    keyframes += [_keyframe(entry, negative, base) for entry in entries]
    _check_distinct(entries, base)
    notes += _check_ends(entries)
    if not first and early is None:
        notes.append("prompt: no line says what the video begins with, so that its first prompt holds there too")
    return Schedule(tuple(keyframes), tuple(notes))


def write_schedule(keyframes: Sequence[Keyframe]) -> str:
    """A text that :func:`read_schedule` reads as these keyframes, but for their negative prompts.

    Raises:
        ValueError: if one holds more than a text of one line, a start and a transition.
    """
    lines = []
    for number, keyframe in enumerate(keyframes, 1):
        text = keyframe.positive
        plain = isinstance(text, str) and text == text.strip() and len(text.splitlines()) < 2
        if not plain or text.splitlines() not in ([], [text]):
            raise ValueError(f"prompt {number}: expected a text of one line, got {shown(text)}.")
        if keyframe.loras or keyframe.low_noise_loras or keyframe.chunk_frames or keyframe.cut:
            raise ValueError(f"prompt {number}: LoRAs, pictures and lengths of chunks need a Prompt Stack.")
        if keyframe.end_image is not None:
            raise ValueError(f"prompt {number}: an end picture needs a Prompt Stack.")
        seconds = "s" if keyframe.unit == "seconds" else ""
        head = f"{_plain(keyframe.start + (0 if seconds else 1))}{seconds}"
        if keyframe.transition:
            head += f" over {_plain(keyframe.transition)}{seconds}"
        lines.append(f"{head}: {text}".rstrip())
    return "\n".join(lines)


def _plain(number: float) -> str:
    """A number without an exponent, to the last bit."""
    words = format(Decimal(repr(float(number))), "f")
    return words.removesuffix(".0")


def _counts_from_zero(mark: Mark) -> bool:
    return mark.unit == "chunks" and mark.start == 0


def _start(mark: Mark, base: int) -> float:
    return mark.start - (base if mark.unit == "chunks" else 0)


def _keyframe(entry: Entry, negative: Any, base: int) -> Keyframe:
    number, mark, text = entry
    if mark.transition_unit not in (None, mark.unit):
        raise refuse(number, "the start and its transition should both be in chunks or both in seconds", mark.head)
    times = (mark.start, mark.start if mark.end is None else mark.end)
    if mark.unit == "chunks" and any(time != time // 1 for time in times if time <= LATEST):
        raise refuse(number, "a chunk is a whole number; for seconds put an s behind it", mark.head)
    if _start(mark, base) > LATEST or max(times) > LATEST + 1:
        raise refuse(number, f"a start is at most {LATEST:.0f}", mark.head)
    if times[1] < times[0] or (mark.end == mark.start and mark.unit == "seconds"):
        raise refuse(number, "it should end behind its start", mark.head)
    try:
        return Keyframe(text, negative, _start(mark, base), mark.unit, transition=mark.transition)
    except ValueError as error:
        raise ValueError(f"prompt, line {number}: {error}") from None


def _check_distinct(entries: list[Entry], base: int) -> None:
    seen: dict[tuple, Entry] = {}
    for entry in entries:
        start = _start(entry.mark, base)
        other = seen.setdefault((start, entry.mark.unit if start else ""), entry)
        if other is not entry:
            raise refuse(
                entry.number, f"line {other.number} starts there too: give each its own start", entry.mark.head
            )


def _check_ends(entries: list[Entry]) -> list[str]:
    """Refuse ends that are not where the next prompt begins; returns what is to be said of those that cannot be."""
    starts = {unit: sorted((entry for entry in entries if entry.mark.unit == unit), key=_typed_start) for unit in UNITS}
    notes = []
    for entry in entries:
        mark, ordered = entry.mark, starts[entry.mark.unit]
        if mark.end is None:
            continue
        place = bisect_right(ordered, mark.start, key=_typed_start)
        later = ordered[place : place + 1]
        if not later:
            notes.append(f"prompt, line {entry.number}: it holds on behind {shown(mark.head)}, until another begins")
            continue
        expected = mark.end + (1 if mark.unit == "chunks" else 0)
        if later[0].mark.start != expected:
            raise refuse(
                entry.number,
                f"it should end where line {later[0].number} starts, at {shown(later[0].mark.head)}: leave its end "
                "away, or add a line for what comes between",
                mark.head,
            )
    return notes


def _typed_start(entry: Entry) -> float:
    return entry.mark.start
