"""What a chunk does to a clip, on purpose: known damage of the half behind a seam."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from ..motion.pyramid import gaussian_blur
from ..motion.warp import backward_warp

Damage = Callable[[Tensor, torch.Generator], Tensor]
"""A clip ``(T, 3, H, W)`` in [0, 1] to a damaged one of the same shape."""


def color(clip: Tensor, generator: torch.Generator) -> Tensor:
    """A random 3 x 3 gain of 2.5 % and an offset of 2.5 %."""
    gain = torch.eye(3) + 0.025 * torch.randn(3, 3, generator=generator)
    bias = 0.025 * torch.randn(3, generator=generator)
    return (torch.einsum("tchw,cd->tdhw", clip, gain) + bias.view(1, 3, 1, 1)).clamp(0, 1)


def gamma(clip: Tensor, generator: torch.Generator) -> Tensor:
    return clip ** (1.1 if torch.rand(1, generator=generator) < 0.5 else 1 / 1.1)


def shift(clip: Tensor, generator: torch.Generator) -> Tensor:
    """0.7 pixels in a random direction."""
    angle = 2 * math.pi * torch.rand(1, generator=generator).item()
    vector = torch.tensor([math.cos(angle), math.sin(angle)]) * 0.7
    return backward_warp(clip, vector.view(1, 2, 1, 1).expand(len(clip), 2, *clip.shape[-2:]), mode="bicubic").clamp(
        0, 1
    )


def warp(clip: Tensor, generator: torch.Generator) -> Tensor:
    """A smooth displacement of up to 3 pixels."""
    coarse = torch.randn(1, 2, 4, 6, generator=generator)
    field = F.interpolate(coarse, clip.shape[-2:], mode="bicubic", align_corners=True)
    field = field * (3 / field.norm(dim=1).max())
    return backward_warp(clip, field.expand(len(clip), -1, -1, -1), mode="bicubic").clamp(0, 1)


def blur(clip: Tensor, generator: torch.Generator) -> Tensor:
    return gaussian_blur(clip, 0.8)


def noise(clip: Tensor, generator: torch.Generator) -> Tensor:
    return (clip + torch.randn(clip.shape, generator=generator) * (4 / 255)).clamp(0, 1)


def everything(clip: Tensor, generator: torch.Generator) -> Tensor:
    for damage in (color, warp, blur, noise):
        clip = damage(clip, generator)
    return clip


DAMAGES: dict[str, Damage] = {
    "color": color,
    "gamma": gamma,
    "shift": shift,
    "warp": warp,
    "blur": blur,
    "noise": noise,
    "all of these": everything,
}


def add_disc(clip: Tensor, centers: Tensor, radius: float, seed: int) -> Tensor:
    """Lay a textured disc over a clip, at ``centers`` (T, 2) pixels as x, y."""
    height, width = clip.shape[-2:]
    x = torch.arange(width) + 0.5 - centers[:, 0, None, None]
    y = torch.arange(height)[:, None] + 0.5 - centers[:, 1, None, None]
    alpha = (radius - (x.square() + y.square()).sqrt() + 0.5).clamp(0, 1)[:, None]
    generator = torch.Generator().manual_seed(seed)
    angle = 2 * math.pi * torch.rand(3, 1, generator=generator)
    waves = [
        torch.sin((x[:, None] * turn.cos() + y[:, None] * turn.sin()) * (4 / radius)) * 0.3 + 0.5 for turn in angle
    ]
    return clip * (1 - alpha) + torch.cat(waves, dim=1) * alpha
