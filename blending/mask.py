"""Masks with soft edges."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from .gaussian import feather_sigma, gaussian_blur

SMALLEST = 0.1
"""Pixels of deviation; below, a Gaussian moves nothing from one pixel to the next."""
WIDE = 4.0
"""Pixels of deviation beyond which a mask is blurred at a smaller size."""


def feather_mask(mask: Tensor, mask_sigma: float, *, inwards: bool = False) -> Tensor:
    """Soften the edges of a mask by a Gaussian of ``mask_sigma`` eighths of the shorter side.

    Args:
        mask: ``(N, 1, H, W)`` in [0, 1].
        mask_sigma: [0, 1]; 0 leaves the mask as it is.
        inwards: let nothing grow: what was 0 stays 0.

    Returns:
        ``(N, 1, H, W)`` in [0, 1], in the mask's dtype.

    Raises:
        ValueError: if the mask is not of that shape or not floating point, or ``mask_sigma`` is out of range.
    """
    if mask.ndim != 4 or mask.shape[1] != 1 or 0 in mask.shape or not mask.is_floating_point():
        raise ValueError(
            f"mask: expected (N, 1, H, W) in floating point, got {tuple(mask.shape)} of {mask.dtype}; .float() turns a "
            "bool mask into one."
        )
    height, width = mask.shape[-2:]
    sigma = feather_sigma(mask_sigma, height, width)
    if sigma < SMALLEST:
        return mask
    soft = wide_blur(mask, sigma)
    return torch.minimum(mask, soft) if inwards else soft


def wide_blur(picture: Tensor, sigma: float) -> Tensor:
    """:func:`gaussian_blur` of ``(N, C, H, W)``, at a smaller size where ``sigma`` is so wide that nothing is lost."""
    shrink = max(1, int(sigma / WIDE))
    size = picture.shape[-2:]
    small = tuple(-(-side // shrink) for side in size)
    if small == tuple(size):
        return gaussian_blur(picture, sigma)
    coarse = F.interpolate(picture, small, mode="area")
    return F.interpolate(gaussian_blur(coarse, sigma / shrink), size, mode="bilinear", align_corners=False)
