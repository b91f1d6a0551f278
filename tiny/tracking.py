"""Where a known sprite is in a clip that somebody else made: exact search with its own picture."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from .scenes import Appearance, sprite_layer

WINDOW = 33
"""Pixels across the sprite's picture; the largest sprite of a 64-pixel scene has 31."""
STEPS = (-0.5, -0.25, 0.0, 0.25, 0.5)
"""Pixels by which a found place is bettered, to compare pictures."""


def locate_sprite(frames: Tensor, appearance: Appearance, index: int) -> Tensor:
    """Find sprite ``index`` of each scene in each frame, where its picture differs least (sum of squares).

    Args:
        frames: ``(B, T, 3, H, W)`` in [0, 1].

    Returns:
        ``(B, T, 2)`` pixels: centers as x, y, refined below a pixel by a parabola through the minimum. Off by
        a third of a pixel, towards where the stripes change least; the same in every frame of a scene.
    """
    b, t, _, height, width = frames.shape
    middle = torch.full((b, 1, 2), WINDOW / 2)
    alpha, texture = (layer[:, 0] for layer in sprite_layer(appearance, index, middle, WINDOW))  # (B, 1|3, K, K)
    video = frames.transpose(0, 1)  # (T, B, 3, H, W)

    def correlate(picture: Tensor, kernel: Tensor) -> Tensor:
        """Sum over channels and window: ``(T, B, c, H, W)`` and ``(B, c, K, K)`` to ``(T, B, H, W)``."""
        return F.conv2d(picture.flatten(1, 2), kernel, padding=WINDOW // 2, groups=b)

    inside = torch.ones(1, b, 1, height, width)
    weight = correlate(inside, alpha)
    own = correlate(inside, (alpha * texture.square()).sum(1, keepdim=True))
    cost = correlate(video.square(), alpha.expand(-1, 3, -1, -1)) - 2 * correlate(video, alpha * texture) + own
    cost = (cost / weight).transpose(0, 1)  # (B, T, H, W)

    row, column = torch.unravel_index(cost.flatten(2).argmin(2), (height, width))  # (B, T)
    row, column = row.clamp(1, height - 2), column.clamp(1, width - 2)
    at = torch.arange(b)[:, None], torch.arange(t)[None, :]
    x = _parabola(*(cost[(*at, row, column + step)] for step in (-1, 0, 1)))
    y = _parabola(*(cost[(*at, row + step, column)] for step in (-1, 0, 1)))
    return torch.stack((column + x, row + y), dim=-1) + 0.5


def shape_psnr(frames: Tensor, appearance: Appearance, index: int, centers: Tensor) -> Tensor:
    """How much sprite ``index`` still looks like itself, wherever it is.

    Args:
        frames: ``(B, T, 3, H, W)`` in [0, 1].
        centers: ``(B, T, 2)`` pixels: where the sprite is, as :func:`locate_sprite` finds it.

    Returns:
        ``(B, T)`` dB: PSNR of the pixels that its own picture covers in full, at the best place within half a pixel.
    """
    best = frames.new_full(frames.shape[:2], float("inf"))
    for y in STEPS:
        for x in STEPS:
            alpha, texture = sprite_layer(appearance, index, centers + torch.tensor((x, y)), frames.shape[-1])
            covered = (alpha == 1).float()
            error = (covered * (frames - texture).square()).sum(dim=(2, 3, 4)) / (3 * covered.sum(dim=(2, 3, 4)))
            best = torch.minimum(best, error)
    return -10 * best.log10()


def mean_velocity(centers: Tensor) -> Tensor:
    """``(..., T, 2)`` pixels to ``(..., 2)`` pixels per frame: the least-squares slope over time."""
    time = torch.arange(centers.shape[-2], dtype=centers.dtype)
    time = time - time.mean()
    return (centers * time[:, None]).sum(-2) / time.square().sum()


def is_straight(centers: Tensor) -> Tensor:
    """``(..., T, 2)`` true positions to ``(...)`` bool: constant velocity, no turn and no bounce."""
    return centers.diff(dim=-2).diff(dim=-2).abs().amax(dim=(-2, -1)) < 1e-3


def _parabola(before: Tensor, at: Tensor, after: Tensor) -> Tensor:
    """Offset of the minimum of a parabola through three neighbors, within half a pixel."""
    curvature = before - 2 * at + after
    return torch.where(curvature > 0, (before - after) / (2 * curvature), torch.zeros_like(at)).clamp(-0.5, 0.5)
