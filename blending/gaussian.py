"""Gaussian weights in time and space: how one clip passes into the other."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ..motion.pyramid import gaussian_blur

__all__ = ["FEATHER", "gaussian_blur", "gaussian_ramp", "gaussian_window"]

FEATHER = 1 / 8
"""Of the shorter side: the deviation of a feather at ``mask_sigma`` 1."""


def gaussian_ramp(length: int, *, center: float | None = None, sigma: float | None = None) -> Tensor:
    """A hard cut blurred by a Gaussian: the weight of what comes after, frame by frame.

    Args:
        length: frames.
        center: where the cut lies, in frames from the start of the first; the middle by default. The ramp and its
            reverse then sum to 1 exactly.
        sigma: frames, the deviation of the Gaussian; a fourth of the length by default, 0 cuts hard.

    Returns:
        ``(length,)`` float32, rising in [0, 1].

    Raises:
        ValueError: if ``length`` is below 1 or ``sigma`` below 0.
    """
    if length < 1:
        raise ValueError(f"A ramp has at least one frame, got {length}.")
    sigma = length / 4 if sigma is None else sigma
    if sigma < 0:
        raise ValueError(f"sigma must be 0 or more, got {sigma}.")
    middle = length / 2 if center is None else center
    time = torch.arange(length, dtype=torch.float64) + 0.5 - middle
    ramp = ((time.sign() + 1) / 2 if sigma == 0 else torch.special.ndtr(time / sigma)).float()
    if middle == length / 2:  # rounding must not part the two halves
        half = length // 2
        ramp[length - half :] = 1 - ramp[:half].flip(0)
    return ramp


def gaussian_window(length: int, *, sigma: float = 0.25) -> Tensor:
    """``(length,)`` weights that fall off from the middle, whose largest is 1; ``sigma`` in lengths."""
    time = (torch.arange(length, dtype=torch.float32) + 0.5) / length - 0.5
    window = torch.exp(-0.5 * (time / sigma).square())
    return window / window.max()


def feather_sigma(mask_sigma: float, height: int, width: int) -> float:
    """Deviation in pixels of a feather: ``mask_sigma`` eighths of the shorter side.

    Raises:
        ValueError: if ``mask_sigma`` is not in [0, 1].
    """
    if not 0 <= mask_sigma <= 1 or math.isnan(mask_sigma):
        raise ValueError(f"mask_sigma must be in [0, 1], got {mask_sigma}.")
    return mask_sigma * min(height, width) * FEATHER
