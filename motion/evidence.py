"""Whether two frames could have shown a motion at all: structure that they share, against noise that they do not."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from .pyramid import gaussian_blur, gradient

BORDER = 2
"""Pixels at the frame's edge whose slope is not known."""
SMALLEST = 48
"""Pixels along the shorter side of frames that are looked at by half their size, where noise is less."""
OUTLIER = (8 / 255) ** 2
"""Squared slope of the difference beyond which it is no noise: something else is there, in one of the frames."""
EVEN = (0.01 / 255) ** 2
"""Squared slope of a surface that shows no motion: a hundredth of an 8-bit level per pixel."""
JAGGED = 0.036
"""Squared slope along an edge, of what is finer than the filter before, that steps of a pixel may feign."""
STRAIGHT = 3e-5
"""Share of the squared slope across stripes that numbers of finite precision put along them."""
LARGEST = 200.0
"""Of what speaks against a motion: more cannot be told apart, and would drown its neighbors."""


def motion_evidence(a: Tensor, moved: Tensor, window: float) -> tuple[Tensor, Tensor]:
    """What speaks against the motion along the direction that shows it least.

    The structure tensor of what both frames have in common, less half that of their difference: noise is another in
    each frame, so that it cancels out, however it is distributed, and what is left of it is known by the difference.
    The smaller eigenvalue vanishes on even surfaces and along stripes (Shi and Tomasi 1994).

    Args:
        a: ``(N, 1, H, W)`` brightness in [0, 1].
        moved: ``(N, 1, H, W)``, the other frame, warped onto the first one.
        window: standard deviation of the neighborhood, pixels.

    Returns:
        ``(N, 1, H, W)`` each, 0 to 200: noise that the window leaves, as a share of the smaller eigenvalue; and
        the slope along stripes that the pixels alone may feign, as another.
    """
    height, width = a.shape[-2:]
    halved = min(height, width) >= SMALLEST
    smooth = gaussian_blur(torch.cat((a, moved), dim=1), 1.0)
    looked = torch.cat((smooth, (a - smooth[:, :1]).square()), dim=1)
    if halved:
        looked, window = F.avg_pool2d(looked, 2, ceil_mode=True, count_include_pad=False), max(1.5, window / 2)
    a, moved, fine = looked.split(1, dim=1)
    (gx, gy), (nx, ny) = gradient((a + moved) / 2), gradient((a - moved) / 2)
    noise = nx * nx, ny * ny
    level = (noise[0] + noise[1]).clamp(max=OUTLIER)
    products = torch.cat((gx * gx - noise[0], gy * gy - noise[1], gx * gy - nx * ny, level, fine), dim=1)
    inner = torch.zeros_like(products[:1, :1])
    inner[..., BORDER:-BORDER, BORDER:-BORDER] = 1
    xx, yy, xy, noise, fine = gaussian_blur(products * inner, window).split(1, dim=1)
    mean, spread = (xx + yy) / 2, (((xx - yy) / 2).square() + xy.square()).sqrt()
    smaller = (mean - spread).clamp(min=EVEN / 100)
    blind = (noise / window + EVEN) / smaller
    straight = (JAGGED * fine + STRAIGHT * (mean + spread).clamp(min=0)) / smaller
    against = torch.cat((blind, straight), dim=1).clamp(max=LARGEST)
    if halved:
        against = F.interpolate(against, (height, width), mode="bilinear", align_corners=False)
    blind, straight = against.split(1, dim=1)
    return blind, straight
