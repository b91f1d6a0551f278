"""What an estimator looks at: gray pictures at several sizes, blurred, and their derivatives."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

SMALLEST = 24
"""Pixels along the shorter side of the coarsest level."""


def to_gray(frames: Tensor) -> Tensor:
    """``(N, 3, H, W)`` RGB to ``(N, 1, H, W)`` luma (ITU-R BT.601), in the same range."""
    weights = frames.new_tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)
    return (frames * weights).sum(dim=1, keepdim=True)


def pyramid(gray: Tensor, *, finest: int = 0, smallest: int = SMALLEST) -> list[Tensor]:
    """Halve a picture again and again, blurred against aliasing.

    Args:
        gray: ``(N, 1, H, W)``.
        finest: halvings before the first level that is returned.
        smallest: no side gets shorter than this.

    Returns:
        Levels from fine to coarse. Sides are even, so that red-black sweeps split them evenly.
    """
    level = gaussian_blur(gray, 0.6)
    levels, halvings = [], 0
    while True:
        size = tuple(_even(side / 2**halvings) for side in gray.shape[-2:])
        if halvings > finest and min(size) < smallest:
            break
        if size != tuple(level.shape[-2:]):
            blurred = gaussian_blur(level, 0.8) if halvings else level
            level = F.interpolate(blurred, size, mode="bilinear", align_corners=False)
        if halvings >= finest:
            levels.append(level)
        halvings += 1
    return levels


def gaussian_blur(picture: Tensor, sigma: float) -> Tensor:
    """Blur each channel of ``(N, C, H, W)``, ``sigma`` in pixels, with the border repeated outside."""
    reach = max(1, math.ceil(3 * sigma))
    offsets = torch.arange(-reach, reach + 1, dtype=torch.float64)
    kernel = torch.exp(-0.5 * (offsets / sigma).square())
    kernel = kernel / kernel.sum()
    return _correlate(_correlate(picture, kernel, -1), kernel, -2)


def gradient(picture: Tensor) -> tuple[Tensor, Tensor]:
    """Derivatives along x and y of ``(N, C, H, W)``, per pixel; see :func:`slope`."""
    return slope(picture, -1), slope(picture, -2)


def slope(picture: Tensor, dim: int) -> Tensor:
    """Derivative of ``(N, C, H, W)`` along x (-1) or y (-2), per pixel, with five taps (Sun et al. 2010)."""
    size = picture.shape[dim]
    padded = F.pad(picture, (2, 2, 0, 0) if dim == -1 else (0, 0, 2, 2), mode="replicate")
    far_left, left, right, far_right = (padded.narrow(dim, start, size) for start in (0, 1, 3, 4))
    return (right - left).mul_(2 / 3).sub_(far_right - far_left, alpha=1 / 12)


def _even(side: float) -> int:
    return max(2, 2 * math.ceil(side / 2))


def _correlate(picture: Tensor, kernel: Tensor, dim: int) -> Tensor:
    """Correlate along one axis."""
    n, c, h, w = picture.shape
    reach = len(kernel) // 2
    pad = (reach, reach, 0, 0) if dim == -1 else (0, 0, reach, reach)
    shape = (1, 1, 1, -1) if dim == -1 else (1, 1, -1, 1)
    padded = F.pad(picture.reshape(n * c, 1, h, w), pad, mode="replicate")
    return F.conv2d(padded, kernel.to(picture).view(shape)).view(n, c, h, w)
