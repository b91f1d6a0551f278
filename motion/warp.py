"""Sampling pictures along a flow."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

REACH = 2
"""Pixels that a bicubic kernel reaches."""


def exact(tensor: Tensor) -> Tensor:
    """In float32 or better: half precision cannot hold a position in a picture, nor a squared displacement."""
    return tensor.to(torch.promote_types(tensor.dtype, torch.float32))


def pixel_grid(height: int, width: int, like: Tensor) -> Tensor:
    """``(1, 2, H, W)``: x and y index of each pixel, with the dtype and device of ``like``."""
    y = torch.arange(height, dtype=like.dtype, device=like.device)
    x = torch.arange(width, dtype=like.dtype, device=like.device)
    return torch.stack(torch.meshgrid(x, y, indexing="xy"))[None]


def backward_warp(
    source: Tensor, displacement: Tensor, *, padding_mode: str = "border", mode: str = "bilinear"
) -> Tensor:
    """Sample ``source`` where ``displacement`` points: ``out(x) = source(x + displacement(x))``.

    Args:
        source: ``(N, C, H, W)``.
        displacement: ``(N, 2, H, W)`` pixels, on the output's grid.
        padding_mode: what lies outside ``source``; see :func:`torch.nn.functional.grid_sample`.
        mode: ``bilinear``, or ``bicubic``, which keeps more of the sharpness and may overshoot.

    Returns:
        ``(N, C, H, W)``.
    """
    height, width = source.shape[-2:]
    if displacement.shape != (len(source), 2, height, width):
        raise ValueError(
            f"To warp {tuple(source.shape)} takes a displacement of {(len(source), 2, height, width)}, "
            f"got {tuple(displacement.shape)}; resize_flow makes it fit."
        )
    picture = exact(source)
    x, y = (pixel_grid(height, width, picture) + displacement.to(picture)).unbind(1)
    if padding_mode == "border":  # not grid_sample's own, which Apple's GPUs lack
        x, y, padding_mode = x.clamp(0, width - 1), y.clamp(0, height - 1), "zeros"
        if mode == "bicubic":  # which looks two pixels further
            picture = F.pad(picture, (REACH, REACH, REACH, REACH), mode="replicate")
            x, y, height, width = x + REACH, y + REACH, height + 2 * REACH, width + 2 * REACH
    grid = torch.stack(((2 * x + 1) / width - 1, (2 * y + 1) / height - 1), dim=-1)
    return F.grid_sample(picture, grid, mode=mode, padding_mode=padding_mode, align_corners=False).to(source.dtype)


def vector_length(displacement: Tensor) -> Tensor:
    """``(N, 1, H, W)``: lengths of the vectors ``(N, 2, H, W)``; a norm across a stride takes many times as long."""
    x, y = displacement.split(1, dim=1)
    return torch.hypot(x, y)


def lands_inside(displacement: Tensor) -> Tensor:
    """``(N, 1, H, W)`` bool: whether a flow ``(N, 2, H, W)`` ends in the frame, half a pixel beyond its centers."""
    height, width = displacement.shape[-2:]
    displacement = exact(displacement)
    place = pixel_grid(height, width, displacement) + displacement
    # NaN lands nowhere.
    x, y = (
        (place[:, channel : channel + 1] - (side - 1) / 2).abs() <= side / 2
        for channel, side in enumerate((width, height))
    )
    return x & y
