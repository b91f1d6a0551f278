"""Lines about many things, of which the first and the last are told; and times in words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

Line = TypeVar("Line")
TOLD = 400
"""Chunks, and prompts, that are told each by itself; of more the first and the last are."""


def first_and_last(items: Sequence, line: Callable[[int], Line], gap: Callable[[int], Line]) -> list[Line]:
    """A line for each item, by index; of very many for the first and the last, with how many are between."""
    if len(items) <= TOLD:
        return [line(index) for index in range(len(items))]
    half, count = TOLD // 2, len(items)
    return [*map(line, range(half)), gap(count - 2 * half), *map(line, range(count - half, count))]


def more_of(noun: str) -> Callable[[int], str]:
    """How many of something are left out."""
    return lambda left: f"... {left} more {noun} ..."


def duration(seconds: float) -> str:
    """A time as people say it, such as ``2 min 10 s``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
