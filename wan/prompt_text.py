"""Prompts by time, written as one text: a line for each."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from .numbers import shown
from .prompts import Keyframe, Unit, parse_stack


class _Mark(NamedTuple):
    """What stands before and behind the first colon of a schedule's line."""

    start: float
    unit: Unit
    transition: float
    transition_unit: Unit | None
    """None where no transition is named."""
    text: str


_TIME = re.compile(r"(\d+(?:\.\d+)?)(s?)")


def _read_mark(line: str) -> _Mark | None:
    """A line such as ``7.5 s over 1 s: jumping``, read in a time that grows with its length; None if it is no such."""
    head, colon, text = line.partition(":")
    words = head.split(maxsplit=5)
    if not colon or not words or (text and not text[0].isspace()):
        return None
    times = []
    for part in ("start", "over"):
        if part == "over":
            if not words:
                break
            if words.pop(0) != "over":
                return None
        found = _TIME.fullmatch(words.pop(0)) if words else None
        if found is None:
            return None
        seconds = bool(found[2])
        if not seconds and words[:1] == ["s"]:
            seconds = bool(words.pop(0))
        times.append((float(found[1]), "seconds" if seconds else "chunks"))
    if words:
        return None
    start, unit = times[0]
    transition, transition_unit = times[1] if len(times) > 1 else (0.0, None)
    return _Mark(start, unit, transition, transition_unit, text.strip())


def parse_schedule(text: str, negative: Any = "") -> tuple[Keyframe, ...]:
    """Keyframes from a text with a line for each: ``0: walking``, ``2: running``, ``7.5s over 1s: jumping``.

    A text whose first line has no such mark is one prompt, as it stands.

    Raises:
        ValueError: if a line cannot be read; names the line and why.
    """
    if not isinstance(text, str):
        raise ValueError(f"prompt: expected a text, got {shown(text)}.")
    lines = [(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    if not lines or _read_mark(lines[0][1]) is None:
        return (Keyframe(text, negative),)
    keyframes = []
    for number, line in lines:
        mark = _read_mark(line)
        if mark is None:
            raise ValueError(
                f"prompt, line {number}: expected a start and a text, such as '2: running' or '7.5s: running', "
                f"got {shown(line.strip())}."
            )
        if mark.transition_unit not in (None, mark.unit):
            raise ValueError(
                f"prompt, line {number}: the start and its transition should both be in chunks or both in seconds, "
                f"got {shown(line.split(':')[0].strip())}."
            )
        try:
            keyframes.append(Keyframe(mark.text, negative, mark.start, mark.unit, transition=mark.transition))
        except ValueError as error:
            raise ValueError(f"prompt, line {number}: {error}") from None
    return parse_stack(keyframes)
