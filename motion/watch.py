"""How far a long piece of work is: told between its parts, where whoever is told may stop it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from torch import Tensor

from .estimation import find_estimator
from .flow import FlowEstimator

Item = TypeVar("Item")
Watch = Callable[[float], None]
"""Told the share of the work that is done, [0, 1]; what it raises gets through."""


def ignore(done: float) -> None:
    """Nobody watches."""


def part(watch: Watch, first: float, last: float) -> Watch:
    """For a part of the work, which takes it from the share ``first`` to ``last``."""
    if watch is ignore:  # else an estimator would be wrapped for nobody, and what it gives looked at on its device
        return ignore
    return lambda done: watch(first + (last - first) * min(done, 1.0))


def each(items: Sequence[Item], watch: Watch) -> Iterator[Item]:
    """The items in order, with the share of them that is done told before each."""
    for index, item in enumerate(items):
        watch(index / len(items))
        yield item


def watched(estimator: str | FlowEstimator, watch: Watch, pairs: int) -> str | FlowEstimator:
    """An estimator that tells before each group of frame pairs how many of ``pairs`` it has seen.

    Raises:
        ValueError: see :func:`~motion.estimation.find_estimator`.
    """
    if watch is ignore:
        return estimator
    find, seen = find_estimator(estimator), 0

    def estimate(first: Tensor, second: Tensor) -> Tensor:
        nonlocal seen
        watch(seen / pairs)
        seen += len(first) // 2  # both directions come in one call
        return find(first, second)

    return estimate
