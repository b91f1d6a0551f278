"""Exhaustive search for whole-pixel motion, for a start where pictures are a few dozen pixels high."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor

from .pyramid import gaussian_blur

RADIUS = 4
"""Pixels that a motion may have along each axis."""
WINDOW = 2.0
"""Standard deviation of the Gaussian window, pixels."""
LARGEST_COST, OUTSIDE_COST = 0.25, 0.05
"""Of a brightness in [0, 1]: for a pixel that shows something else, and for one that leaves the frame."""
COST_OF_LENGTH = 0.01
"""Per pixel: between motions that explain the picture alike, the shorter one is likelier."""


def search_displacement(template: Tensor, picture: Tensor) -> Tensor:
    """The whole-pixel motion of each pixel's neighborhood that costs least, by absolute difference.

    Args:
        template: ``(N, 1, H, W)`` in [0, 1].
        picture: ``(N, 1, H, W)``, what the template is searched in.

    Returns:
        ``(N, 2, H, W)`` pixels, each component -4 to 4.
    """
    height, width = template.shape[-2:]
    margin = (RADIUS,) * 4
    picture, inside = F.pad(picture, margin, mode="replicate"), F.pad(torch.ones_like(picture), margin)
    picture, inside = (field.unfold(2, height, 1).unfold(3, width, 1)[:, 0] for field in (picture, inside))
    cost = (picture - template[:, :, None]).abs().clamp(max=LARGEST_COST)  # (N, 9, 9, H, W): of y and x
    cost = torch.where(inside > 0, cost, OUTSIDE_COST).flatten(1, 2)
    step = torch.arange(-RADIUS, RADIUS + 1, dtype=template.dtype, device=template.device)
    motions = torch.stack((step.expand(len(step), -1), step[:, None].expand(-1, len(step))), dim=-1).flatten(0, 1)
    cost = gaussian_blur(cost, WINDOW) + COST_OF_LENGTH * motions.norm(dim=1).view(1, -1, 1, 1)
    return rearrange(motions[cost.argmin(dim=1)], "n h w c -> n c h w")
