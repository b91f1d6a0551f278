"""Numbers as users write them and as links bring them."""

from __future__ import annotations

import math
import reprlib
from numbers import Integral, Real
from typing import Any

from .noise import MAX_SEED


def parse_numbers(name: str, text: str, largest: int = MAX_SEED) -> tuple[int, ...]:
    """The whole numbers of input ``name``, parted by commas, spaces or lines.

    Raises:
        ValueError: if something in it is none, or is more than ``largest``.
    """
    numbers = []
    for word in text.replace(",", " ").split():
        if not (word.isascii() and word.isdigit() and int(word) <= largest):
            raise ValueError(f"{name}: expected whole numbers from 0 to {largest} such as 7, 42, got {word!r}.")
        numbers.append(int(word))
    return tuple(numbers)


def to_whole(name: str, value: Any) -> int:
    """The whole number of input ``name``: an int, or a float such as 16.0.

    Raises:
        ValueError: if it has a fraction, or is no number; a truth value is none.
    """
    if isinstance(value, Real) and not isinstance(value, bool):
        if isinstance(value, Integral):
            return int(value)
        if math.isfinite(value) and value == int(value):
            return int(value)
    raise ValueError(f"{name} must be a whole number, got {reprlib.repr(value)}.")


def to_number(name: str, value: Any) -> float:
    """The number of input ``name``, an int or a float.

    Raises:
        ValueError: if it is no number, which a truth value is not, or none that a float can hold.
    """
    if isinstance(value, Real) and not isinstance(value, bool):
        try:
            return float(value)
        except OverflowError:
            pass
    raise ValueError(f"{name} must be a number, got {reprlib.repr(value)}.")
