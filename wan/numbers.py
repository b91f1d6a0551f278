"""Lists of numbers as users write them."""

from __future__ import annotations

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
