"""Which lines of a text are those of a schedule; the grammar is at the top of :mod:`~wan.prompt_text`."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import NamedTuple

from .numbers import shown
from .prompt_mark import AS_ASCII, Mark, list_number, read_mark

Line = tuple[int, str]
"""Its number, from 1, and what it has."""
HOW = "'2: running' (chunk 2) or '7.5s: running'"
_CHUNK_WORDS = ("chunk", "chunks", "prompt", "prompts", "schedule", "text", "timeline")
_TIME_WORDS = ("at", "s", "sec", "second", "seconds", "start", "starts", "time", "when")
HEAD_WORDS = frozenset((*_CHUNK_WORDS, *_TIME_WORDS))
"""Of headings."""
_WORDS = re.compile("[A-Za-z]+")
_HEAD = re.compile(r"[A-Za-z \t:,|/()-]{1,60}")


class Entry(NamedTuple):
    """A mark with its text."""

    number: int
    """Of its line, from 1."""
    mark: Mark
    text: str


def choose_marks(marks: list[Mark | None]) -> list[Mark | None]:
    """The marks of a text's lines, without those that read as prose where they stand."""
    found = [mark for mark in marks if mark is not None]
    if not found:
        return marks
    loose = all(mark is not None and mark.form == "seconds" for mark in marks)
    listed = loose and len(marks) > 1 and not all(mark.decade for mark in found)
    at_once = marks[0] is not None and marks[0].start == 0
    if not (listed or at_once or any(mark.form == "sure" for mark in found)):
        return [None] * len(marks)
    chosen: list[Mark | None] = []
    earliest, earliest_clock = math.inf, math.inf
    for mark in marks:
        if mark is not None and mark.form != "sure" and not (mark is marks[0] and at_once):
            behind = earliest_clock if mark.form == "clock" else earliest if mark.decade else -1
            mark = mark if mark.start > behind else None
        if mark is not None and mark.unit == "seconds":
            earliest = min(earliest, mark.start)
            earliest_clock = min(earliest_clock, mark.start) if mark.clock else earliest_clock
        chosen.append(mark)
    return chosen


def check_prose(lines: list[tuple[int, str]]) -> None:
    """Refuse a text without a mark that was meant for a schedule."""
    numbers = [list_number(line) for _, line in lines]
    if len(numbers) > 1 and numbers[0] in (0, 1) and numbers == list(range(numbers[0], numbers[0] + len(numbers))):
        number, line = lines[1]
        raise refuse(number, f"a list of prompts has a colon behind each start, such as {HOW}", line)
    for number, line in lines[1:]:
        mark = read_mark(line)
        if mark is not None and mark.form == "seconds" and not mark.decade:
            raise refuse(number, f"a start has a colon behind it, such as '{mark.head}: {mark.text[:20]}'", line)


def read_entries(lines: Sequence[Line], marks: Sequence[Mark | None]) -> list[Entry]:
    """Each mark with its text, which may be on the lines below it; the first line has one."""
    found: list[tuple[int, Mark, list[str]]] = []
    for (number, line), mark in zip(lines, marks, strict=True):
        if mark is not None:
            found.append((number, mark, [mark.text] if mark.text else []))
            continue
        last = found[-1]
        if last[1].text:
            raise refuse(number, f"expected a start in front, such as {HOW}, or all of a prompt on its own line", line)
        last[2].append(line.strip())
    return [Entry(number, mark, "\n".join(texts)) for number, mark, texts in found]


def split_heading(lines: list[str], begun: bool) -> tuple[list[str], list[str]]:
    """The heading among the lines in front of the first mark, and the rest.

    Args:
        begun: whether another line says what the video begins with.
    """
    if not lines:
        return [], []
    words = [word.lower() for word in _WORDS.findall(lines[0])]
    bare = lines[0].strip().translate(AS_ASCII)
    heading = bare.startswith("#") or (bool(_HEAD.fullmatch(bare)) and HEAD_WORDS.issuperset(words) and bool(words))
    heading = heading or (begun and bare.endswith(":"))
    return (lines[:1], lines[1:]) if heading else ([], lines)


def refuse(number: int, why: str, line: str) -> ValueError:
    """An error that names a line of the prompt and shows it."""
    return ValueError(f"prompt, line {number}: {why}, got {shown(line.strip())}.")
