"""Pictures that are known between their pixels: sums of sine waves."""

import math

import torch


def waves(height, width, shift=(0.0, 0.0), *, seed=0, count=24, shortest=9.0, dtype=torch.float32):
    """``(1, 3, H, W)`` in [0, 1]; its content moved by ``shift`` = (x, y) pixels."""
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
