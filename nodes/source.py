"""A video to go on from: an IMAGE, or a VIDEO with its sound."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from torch import Tensor

from .layout import to_frames

SAME_RATE = 1e-3
"""How far two frame rates may be apart, as a share, to be one."""


@dataclass(frozen=True)
class Source:
    """What a video goes on from."""

    frames: Tensor
    """``(N, 3, H, W)`` in [0, 1] of any size."""
    rate: Fraction | None = None
    """Frames per second, where that is known."""
    audio: Any = None
    """The host's AUDIO, if it has any."""

    def sound(self, fps: float) -> Any:
        """Its AUDIO, for a video of some frame rate; None where that plays it at another speed."""
        return self.audio if self._keeps_time(fps) else None

    def warnings(self, fps: float) -> tuple[str, ...]:
        """What of it will not be as a user expects."""
        if self._keeps_time(fps):
            return ()
        assert self.rate is not None  # else it keeps any time
        words = f"source has {float(self.rate):g} frames per second and is played at {fps:g}: set fps to that"
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
        ValueError: if it is neither.
    """
    if not hasattr(value, "get_components"):
        return Source(read(name, value))
    components = value.get_components()
    return Source(read(name, components.images), Fraction(components.frame_rate), components.audio)
