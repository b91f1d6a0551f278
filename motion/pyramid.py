"""What an estimator looks at: gray pictures at several sizes, blurred, and their derivatives."""

from __future__ import annotations

import math

import torch.nn.functional as F
from torch import Tensor

SMALLEST = 24
"""Pixels along the shorter side of the coarsest level."""


def to_gray(frames: Tensor) -> Tensor:
    """``(N, 3, H, W)`` RGB to ``(N, 1, H, W)`` luma (ITU-R BT.601), in the same range.

    Raises:
        ValueError: for another number of channels.
    """
    if frames.ndim != 4 or frames.shape[1] != 3:
        raise ValueError(f"Expected RGB frames (N, 3, H, W), got {tuple(frames.shape)}.")
    red, green, blue = frames.split(1, dim=1)
    return (red * 0.299).add_(green, alpha=0.587).add_(blue, alpha=0.114)


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
    """Blur each channel of ``(N, C, H, W)``, ``sigma`` in pixels, with the border repeated outside.

    By sums of shifted pictures: several times faster than conv2d with one channel on a CPU, and exact on a GPU,
    whose convolutions may round to TF32.
    """
    reach = max(1, math.ceil(3 * sigma))
    kernel = [math.exp(-0.5 * (offset / sigma) ** 2) for offset in range(reach + 1)]
    total = kernel[0] + 2 * sum(kernel[1:])
    for dim in (-1, -2):
        size, padded = picture.shape[dim], _pad(picture, dim, reach)
        picture = padded.narrow(dim, reach, size) * (kernel[0] / total)
        for offset in range(1, reach + 1):
            weight = kernel[offset] / total
            picture.add_(padded.narrow(dim, reach - offset, size), alpha=weight)
            picture.add_(padded.narrow(dim, reach + offset, size), alpha=weight)
    return picture


def gradient(picture: Tensor) -> tuple[Tensor, Tensor]:
    """Derivatives along x and y of ``(N, C, H, W)``, per pixel; see :func:`slope`."""
    return slope(picture, -1), slope(picture, -2)


def slope(picture: Tensor, dim: int) -> Tensor:
    """Derivative of ``(N, C, H, W)`` along x (-1) or y (-2), per pixel, with five taps (Sun et al. 2010)."""
    size = picture.shape[dim]
    padded = _pad(picture, dim, 2)
    far_left, left, right, far_right = (padded.narrow(dim, start, size) for start in (0, 1, 3, 4))
    return (right - left).mul_(2 / 3).sub_(far_right - far_left, alpha=1 / 12)


def _even(side: float) -> int:
    return max(2, 2 * math.ceil(side / 2))


def _pad(picture: Tensor, dim: int, reach: int) -> Tensor:
    """Repeat the border ``reach`` pixels outwards along x (-1) or y (-2)."""
    return F.pad(picture, (reach, reach, 0, 0) if dim == -1 else (0, 0, reach, reach), mode="replicate")
