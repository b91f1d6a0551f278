"""Dense motion between frames, and the conventions that the whole pack keeps.

A flow is ``(N, 2, H, W)``: channel 0 points to the right and channel 1 downwards, in pixels of its own
grid. Forward flow t leads from frame t to frame t + 1 and lies on the grid of frame t; backward flow t
leads from frame t + 1 to frame t and lies on the grid of frame t + 1. Pixel centers are where
``align_corners=False`` puts them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from .warp import backward_warp, exact


@dataclass(frozen=True)
class Flow:
    """Dense motion between pairs of frames, with how far to trust it."""

    displacement: Tensor
    """``(N, 2, H, W)`` pixels, x to the right and y downwards."""
    confidence: Tensor
    """``(N, 1, H, W)`` in [0, 1]: 1 is trusted, 0 is hidden in, or has left, the other frame."""

    def __post_init__(self) -> None:
        n, channels, *size = self.displacement.shape
        if channels != 2 or self.confidence.shape != (n, 1, *size):
            raise ValueError(
                "A Flow has displacement (N, 2, H, W) and confidence (N, 1, H, W), "
                f"got {tuple(self.displacement.shape)} and {tuple(self.confidence.shape)}."
            )


class FlowEstimator(Protocol):
    """Anything that finds motion between pairs of frames."""

    def __call__(self, first: Tensor, second: Tensor) -> Tensor:
        """Frames ``(N, 3, H, W)`` RGB in [0, 1] to displacements ``(N, 2, H, W)`` pixels, from first to second."""
        ...


def resize_flow(displacement: Tensor, size: tuple[int, int]) -> Tensor:
    """Resample a flow and scale its vectors to the new grid's pixels.

    Args:
        displacement: ``(N, 2, h, w)`` pixels of its own grid.
        size: new height and width.

    Returns:
        ``(N, 2, H, W)`` pixels of the new grid, in the given precision: x scaled by W / w, y by H / h.
    """
    h, w = displacement.shape[-2:]
    height, width = size
    if (h, w) == (height, width):
        return displacement
    # Averaging when shrinking, or most vectors would have no say.
    resized = F.interpolate(
        exact(displacement), (height, width), mode="bilinear", align_corners=False, antialias=height < h or width < w
    )
    return torch.stack((resized[:, 0] * (width / w), resized[:, 1] * (height / h)), dim=1).to(displacement)


def compose_flow(first: Tensor, second: Tensor) -> Tensor:
    """The flow that follows ``first`` and then ``second``: ``first(x) + second(x + first(x))``.

    Args:
        first: ``(N, 2, H, W)`` pixels, from grid a to grid b.
        second: ``(N, 2, H, W)`` pixels, from grid b on; its border value serves outside.

    Returns:
        ``(N, 2, H, W)`` pixels, on grid a.
    """
    return first + backward_warp(second, first)
