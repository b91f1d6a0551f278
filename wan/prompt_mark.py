"""The mark that a line of a schedule begins with: when its prompt starts. ``js/prompts.mjs`` reads the same."""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

from .prompts import Unit

_SECOND = "\u79d2"
"""In Chinese and Japanese."""
SECONDS = frozenset(("s", "sec", "secs", "second", "seconds", _SECOND))
DIGITS = frozenset("0123456789")
_LOOSE = SECONDS | {"over", "to", "chunk", "m", "min", "mins", "minute", "minutes", "h"}
"""Words that something which is meant for a mark may have."""

AS_ASCII = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}  # full-width forms
AS_ASCII |= {zero + digit: ord("0") + digit for zero in (0x660, 0x6F0) for digit in range(10)}  # Arabic, Persian
AS_ASCII |= {code: ord("-") for code in (*range(0x2010, 0x2016), 0x2212)} | {0x301C: ord("~")}  # dashes
AS_ASCII |= {0x3010: ord("["), 0x3011: ord("]"), 0x3000: ord(" ")}  # brackets, a wide space

_SPACE = re.compile(r"[ \t\xa0\u2000-\u200a\u202f]*")
_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?")
_CLOCK = re.compile(r"([0-9]+):([0-5][0-9])(?::([0-5][0-9]))?(\.[0-9]+)?(?![0-9])")
_WORD = re.compile(rf"[A-Za-z]+|{_SECOND}")
_HALF_DAY = re.compile(r"[ap]\.?m(?![A-Za-z])", re.IGNORECASE)
_LOOSE_HEAD = re.compile(r"(?:[0-9 .+~*#()\[\]-]|\t)+|[A-Za-z]+|\u79d2")
_LIST = re.compile(r"([0-9]{1,6})[ \t]*[.)=|-][ \t]")


class Mark(NamedTuple):
    """What stands in front of a prompt."""

    start: float
    """A number of a chunk as it was typed, or seconds."""
    unit: Unit
    end: float | None
    """In ``unit``; None where none is named."""
    transition: float
    transition_unit: Unit | None
    """None where no transition is named."""
    form: Literal["sure", "seconds", "clock"]
    """``sure`` with a colon or brackets; ``seconds`` (``5s left``) and ``clock`` (``0:05 left``) may be prose."""
    clock: bool
    """Whether its start is written as a clock has it."""
    head: str
    """As it was typed."""
    text: str

    @property
    def decade(self) -> bool:
        """Whether it may be a decade, as in ``80s style``."""
        number = self.start
        return self.form == "seconds" and number % 10 == 0 and (20 <= number < 100 or 1800 <= number < 2100)


class _Time(NamedTuple):
    value: float
    seconds: bool
    close: bool
    """Whether its unit follows it without a space, or it is a clock's."""
    clock: bool


class _Scanner:
    """Goes through one line; what it does not take stays for the next try."""

    def __init__(self, line: str):
        self.line = line.translate(AS_ASCII)
        self.place = 0

    def space(self) -> bool:
        before = self.place
        found = _SPACE.match(self.line, before)
        assert found is not None  # it may be empty
        self.place = found.end()
        return self.place > before

    def sign(self, *signs: str) -> bool:
        before = self.place
        self.space()
        found = self.line[self.place : self.place + 1] in signs
        self.place = self.place + 1 if found else before
        return found

    def word(self, words: frozenset[str]) -> bool:
        before = self.place
        self.space()
        found = _WORD.match(self.line, self.place)
        if found is None or found[0].lower() not in words:
            self.place = before
            return False
        self.place = found.end()
        return True

    def time(self) -> _Time | None:
        self.space()
        found = _CLOCK.match(self.line, self.place)
        if found is not None:
            self.place = found.end()
            parts = [float(part) for part in found.group(1, 2, 3) if part is not None]
            value = sum(part * 60**power for power, part in enumerate(reversed(parts)))
            return _Time(value + float(found[4] or 0), True, True, True)
        found = _NUMBER.match(self.line, self.place)
        if found is None:
            return None
        self.place = found.end()
        seconds = self.word(SECONDS)
        close = seconds and self.line[found.end() : self.place].lower() in ("s", _SECOND)
        return _Time(float(found[0]), seconds, close, False)


_CHUNK, _TO, _OVER = frozenset(("chunk",)), frozenset(("to",)), frozenset(("over",))


def read_mark(line: str) -> Mark | None:
    """The mark of a line and the text behind it; None where it begins with none. Needs a time that grows with the line.

    The forms are those of :mod:`~wan.prompt_text`.
    """
    scan = _Scanner(line)
    bracket = scan.sign("[")
    named = scan.word(_CHUNK)
    start = scan.time()
    if start is None:
        return None
    end, last, before = None, start, scan.place
    if scan.sign("-", "~") or scan.word(_TO):
        end = scan.time()
        if end is None:  # a dash in front of the text
            scan.place = before
        last = end or last
    over = None
    if scan.word(_OVER):
        over = scan.time()
        if over is None:
            return None
        last = over
    if bracket and not scan.sign("]"):
        return None
    seconds = start.seconds or (end is not None and end.seconds)
    head_end = scan.place
    form: Literal["sure", "seconds", "clock"] = "sure"
    if scan.sign(":"):
        plain = not (bracket or named or seconds or end or over)
        if plain and scan.line[scan.place : scan.place + 1] in DIGITS:  # a ratio
            return None
    elif not bracket:
        apart = scan.space() or scan.place == len(scan.line)
        if not (last.close and seconds and apart) or _HALF_DAY.match(scan.line, scan.place):
            return None
        form = "clock" if start.clock else "seconds"
        scan.sign("-")
    return Mark(
        start.value,
        "seconds" if seconds else "chunks",
        None if end is None else end.value,
        0.0 if over is None else over.value,
        None if over is None else "seconds" if over.seconds else "chunks",
        form,
        start.clock,
        line[:head_end].strip(),
        line[scan.place :].strip(),
    )


def resembles_mark(line: str) -> bool:
    """Whether a line without a mark begins with something that was meant for one, such as ``-2: left``."""
    plain = line.strip().translate(AS_ASCII)
    head, colon, rest = plain[:80].partition(":")
    if not colon or not any(sign in DIGITS for sign in head) or _WORD.match(head):
        return False
    if rest[:1] in DIGITS:  # a ratio or a time of day, unless of zero
        return head.strip().strip("0") == ""
    place = 0
    while place < len(head):
        found = _LOOSE_HEAD.match(head, place)
        if found is None or (found[0].isalpha() and found[0].lower() not in _LOOSE):
            return False
        place = found.end()
    return True


def list_number(line: str) -> int | None:
    """The number of a line such as ``2. left`` or ``2) left``; None for others."""
    found = _LIST.match(line.strip().translate(AS_ASCII))
    return None if found is None else int(found[1])
