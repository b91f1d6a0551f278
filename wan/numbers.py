"""Numbers as users write and link them: what a widget keeps within its limits a linked input does not."""

from __future__ import annotations

import math
import reprlib
from numbers import Integral, Real
from typing import Any, TypeGuard

from .noise import MAX_SEED

LONGEST = 80
"""Characters of a wrong text that a message repeats."""


class _Short(reprlib.Repr):
    def __init__(self):
        super().__init__()
        self.maxstring = self.maxother = LONGEST

    def repr_int(self, value: int, level: int) -> str:
        if value.bit_length() <= 64:
            return repr(value)
        # Python needs long to write out very long ones, or refuses to.
        return f"a number of about {math.ceil(value.bit_length() * math.log10(2))} digits"


_SHORT = _Short()


def shown(value: Any) -> str:
    """A value that somebody gave, as short as a message can take it."""
    words = _SHORT.repr(value)
    return words if len(words) <= 2 * LONGEST else f"{words[:LONGEST]}...{words[-LONGEST:]}"


def is_number(value: Any) -> TypeGuard[float]:
    """Whether a value is a real number, of whatever type; a truth value is none."""
    return isinstance(value, Real) and not isinstance(value, bool)


def check_number(name: str, value: Any, least: float, most: float) -> float:
    """The number given for ``name``, if it is one from ``least`` to ``most``; see :func:`check_whole`.

    Raises:
        ValueError: if it is not.
    """
    if not is_number(value) or value != value:
        raise ValueError(f"{name} must be a number, got {shown(value)}.")
    if value < least:
        raise ValueError(f"{name} must be at least {least:g}, got {shown(value)}.")
    if value > most:
        raise ValueError(f"{name} must be at most {most:.12g}, got {shown(value)}.")
    return value if isinstance(value, (int, float)) else float(value)


def check_whole(name: str, value: Any, least: float, most: float) -> int:
    """The whole number given for ``name``, if it is one from ``least`` to ``most``, as an int.

    Raises:
        ValueError: if it is not.
    """
    value = check_number(name, value, least, most)
    if not isinstance(value, Integral) and value % 1 != 0:
        raise ValueError(f"{name} must be a whole number, got {shown(value)}.")
    return int(value)


def parse_numbers(name: str, text: str, largest: int = MAX_SEED) -> tuple[int, ...]:
    """The whole numbers of input ``name``, parted by commas, spaces or lines.

    Raises:
        ValueError: if something in it is none, or is more than ``largest``.
    """
    if not isinstance(text, str):
        raise ValueError(f"{name}: expected a text of whole numbers such as 7, 42, got {shown(text)}.")
    numbers, digits = [], len(str(largest))
    for word in text.replace(",", " ").split():
        # Without leading zeros: Python refuses to read thousands of digits, and needs long for fewer.
        plain = word.lstrip("0") or "0"
        if not (word.isascii() and word.isdigit() and len(plain) <= digits and int(plain) <= largest):
            raise ValueError(f"{name}: expected whole numbers from 0 to {largest} such as 7, 42, got {shown(word)}.")
        numbers.append(int(plain))
    return tuple(numbers)
