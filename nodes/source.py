"""A video to go on from: an IMAGE, or a VIDEO with its sound."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from torch import Tensor

from .layout import to_frames

SAME_RATE = 5e-4
"""How far two frame rates may be apart, as a share, to be one."""


@dataclass(frozen=True)
class Source:
    """What a video goes on from."""

    name: str
    """Of the input."""
    frames: Tensor
    """``(N, 3, H, W)`` in [0, 1] of any size."""
    rate: Fraction | None = None
    """Frames per second, where that is known."""
    audio: Any = None
    """The host's AUDIO, if it has any."""

    def without_frames(self) -> Source:
        """The same for its sound, without what its frames take of memory."""
        return replace(self, frames=self.frames[:0].clone())

    def sound(self, fps: float) -> Any:
        """Its AUDIO, for a video of some frame rate; None where that plays it at another speed."""
        return self.audio if self._keeps_time(fps) else None

    def warnings(self, fps: float) -> tuple[str, ...]:
        """What of it will not be as a user expects."""
        if self._keeps_time(fps):
            return ()
        assert self.rate is not None  # else it keeps any time
        words = f"{self.name} has {float(self.rate):g} frames per second and is played at {fps:g}: set fps to its own"
        return (words if self.audio is None else f"{words}. Its sound is left out",)

    def _keeps_time(self, fps: float) -> bool:
        return self.rate is None or abs(float(self.rate) - fps) <= SAME_RATE * fps


def check_rates(first: Source, second: Source) -> None:
    """Raise ValueError if two clips are known to play at different speeds."""
    left, right = first.rate, second.rate
    if left is not None and right is not None and abs(left - right) > SAME_RATE * left:
        raise ValueError(
            f"second: expected {float(left):g} frames per second like first, got {float(right):g}. Bring one to the "
            "other's rate."
        )


def read_source(name: str, value: Any, read: Callable[[str, Any], Tensor] = to_frames) -> Source:
    """The IMAGE or VIDEO of input ``name``.

    Args:
        read: makes frames of an IMAGE.

    Raises:
        ValueError: if it is neither, or a VIDEO of no frame rate.
    """
    if not hasattr(value, "get_components"):
        return Source(name, read(name, value))
    components = value.get_components()
    return Source(name, read(name, components.images), _rate(name, components.frame_rate), components.audio)


def _rate(name: str, rate: Any) -> Fraction | None:
    if rate is None:
        return None
    if not (isinstance(rate, (int, float, Fraction)) and math.isfinite(rate) and rate > 0):
        raise ValueError(f"{name}: expected a VIDEO of some frames per second, got {rate!r}.")
    return Fraction(rate)
