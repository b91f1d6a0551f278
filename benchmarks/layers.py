"""Pictures that are known between their pixels, scenes of two layers whose flow and occlusion are known, and pictures
that show no motion."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor


def waves(
    height: int,
    width: int,
    shift: tuple[float, float] = (0.0, 0.0),
    *,
    seed: int = 0,
    count: int = 24,
    shortest: float = 9.0,
    dtype: torch.dtype = torch.float32,
) -> Tensor:
    """A sum of sine waves, ``(1, 3, H, W)`` in [0, 1], its content moved by ``shift`` = (x, y) pixels."""
    generator = torch.Generator().manual_seed(seed)
    length = shortest * (1 + 5 * torch.rand(count, generator=generator, dtype=torch.float64))
    angle = 2 * math.pi * torch.rand(count, generator=generator, dtype=torch.float64)
    phase = 2 * math.pi * torch.rand(count, 3, generator=generator, dtype=torch.float64)
    x = torch.arange(width, dtype=torch.float64)[None, :] - shift[0]
    y = torch.arange(height, dtype=torch.float64)[:, None] - shift[1]
    picture = torch.zeros(3, height, width, dtype=torch.float64)
    for one in range(count):
        along = (x * angle[one].cos() + y * angle[one].sin()) * (2 * math.pi / length[one])
        picture += torch.sin(along + phase[one].view(3, 1, 1))
    return (0.5 + picture[None] / (4 * count**0.5)).clamp(0, 1).to(dtype)


def stripes(height: int, width: int, angle: float, *, length: float = 16.0) -> Tensor:
    """Sine waves whose brightness changes along ``angle`` (degrees, 0 to the right), ``(1, 3, H, W)`` in [0, 1]:
    moved across it, they stay what they are."""
    x, y = torch.arange(width, dtype=torch.float64)[None, :], torch.arange(height, dtype=torch.float64)[:, None]
    along = x * math.cos(math.radians(angle)) + y * math.sin(math.radians(angle))
    picture = 0.5 + 0.25 * torch.sin(along * (2 * math.pi / length))
    return picture.float().expand(1, 3, -1, -1)


def shade(height: int, width: int, angle: float, *, depth: float = 0.4) -> Tensor:
    """Brightness that rises by ``depth`` over the frame along ``angle`` (degrees), ``(1, 3, H, W)``."""
    x, y = torch.linspace(-0.5, 0.5, width)[None, :], torch.linspace(-0.5, 0.5, height)[:, None]
    along = x * math.cos(math.radians(angle)) + y * math.sin(math.radians(angle))
    return (0.5 + depth * along).expand(1, 3, -1, -1)


def grain(picture: Tensor, level: float, *, seed: int, size: int = 1) -> Tensor:
    """Gaussian noise of ``level`` / 255 added to ``(N, 3, H, W)``, clipped to [0, 1].

    Args:
        size: pixels of one grain; 8 are the blocks of a codec.
    """
    generator = torch.Generator().manual_seed(seed)
    n, channels, height, width = picture.shape
    noise = torch.randn(n, channels, -(-height // size), -(-width // size), generator=generator)
    noise = noise.repeat_interleave(size, dim=2).repeat_interleave(size, dim=3)[..., :height, :width]
    return (picture + noise.to(picture) * (level / 255)).clamp(0, 1)


@dataclass(frozen=True)
class Layers:
    """A square that moves over a still ground."""

    first: Tensor
    """``(1, 3, H, W)`` in [0, 1]."""
    second: Tensor
    forward: Tensor
    """``(1, 2, H, W)`` pixels, as ``backward``: the true flows."""
    backward: Tensor
    hidden: Tensor
    """``(1, 1, H, W)`` bool: ground of the first frame that the square covers in the second."""


def two_layers(
    shift: tuple[int, int], *, size: int = 160, square: tuple[int, int] = (50, 100), even: str = ""
) -> Layers:
    """A square that moves by ``shift`` = (x, y) whole pixels.

    Args:
        even: what shows no texture: ``ground``, ``top``, both or neither.
    """
    grid = torch.arange(size)
    inside = (grid >= square[0]) & (grid < square[1])
    here = (inside[:, None] & inside[None, :])[None, None]
    there = torch.roll(here, (shift[1], shift[0]), dims=(2, 3))
    vector = torch.tensor(shift, dtype=torch.float32).view(1, 2, 1, 1)
    ground, top = waves(size, size, seed=1) * 0.6, waves(size, size, seed=2) * 0.6 + 0.4
    if "ground" in even:
        ground = torch.full_like(ground, 0.3)
    if "top" in even:
        top = torch.full_like(top, 0.8)
    moved = torch.roll(top, (shift[1], shift[0]), dims=(2, 3))
    return Layers(
        torch.where(here, top, ground),
        torch.where(there, moved, ground),
        here * vector,
        -(there * vector),
        there & ~here,
    )
