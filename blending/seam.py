"""How much a seam stands out from the frames around it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor


@dataclass(frozen=True)
class SeamReport:
    """A seam against its neighbourhood of at most ``REACH`` frame pairs on either side."""

    REACH: ClassVar[int] = 8

    difference_ratio: float
    """Mean absolute difference across the seam over its neighbours' median: 1 is like them, 0 a replayed frame."""
    colour_step: float
    """Change of the mean colour across the seam beyond the median of its neighbours', in 8-bit levels."""

    def __str__(self) -> str:
        return f"seam difference ratio {self.difference_ratio:.2f}, colour step {self.colour_step:.2f}/255"


def measure_seam(frames: Tensor, seam: int) -> SeamReport:
    """Measure the seam before frame ``seam``.

    Args:
        frames: ``(T, 3, H, W)`` in [0, 1].
        seam: index of the first frame after the seam, 1 to T - 1.

    Raises:
        ValueError: if ``seam`` is not inside the clip, or nothing surrounds it.
    """
    if not 1 <= seam < len(frames):
        raise ValueError(f"A seam of {len(frames)} frames lies at 1 to {len(frames) - 1}, got {seam}.")
    if len(frames) < 3:
        raise ValueError(f"A seam needs a neighbouring frame pair to compare with, got {len(frames)} frames.")
    first = max(0, seam - 1 - SeamReport.REACH)
    step = frames[first : seam + SeamReport.REACH + 1].float().diff(dim=0)  # (n, 3, H, W)
    difference = step.abs().mean(dim=(1, 2, 3))
    colour = step.mean(dim=(2, 3)).norm(dim=1)
    at = seam - 1 - first
    others = [index for index in range(len(step)) if index != at]
    # A floor of a tenth of an 8-bit level: two pictures of a still scene differ by rounding alone.
    floor = 0.1 / 255
    ratio = (difference[at] + floor) / (difference[others].median() + floor)
    excess = (colour[at] - colour[others].median()).clamp(min=0)
    return SeamReport(ratio.item(), excess.item() * 255)
