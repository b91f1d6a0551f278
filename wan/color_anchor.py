"""Colors led back, little by little, to what the start image has."""

from __future__ import annotations

import torch
from torch import Tensor

from ..blending import fit_color

CHUNKS = 4
"""Chunks, counted from the second, over which the anchor takes hold."""


@torch.no_grad()
def anchor_color(frames: Tensor, reference: Tensor, strength: float, chunk_index: int) -> Tensor:
    """Lead a chunk's colors towards a reference, from nothing at its seam to full at its end.

    What has drifted within a chunk no overlap can tell. The frames do not show what the reference does, so that only
    mean and covariance are compared (Pitie and Kokaram 2007); weak is better than strong.

    Args:
        frames: ``(T, 3, H, W)``, what the chunk adds.
        reference: ``(1, 3, H, W)``.
        strength: [0, 1], from the fifth chunk on; less before.
        chunk_index: counts from 0.
    """
    share = strength * min(1.0, chunk_index / CHUNKS)
    if share == 0:
        return frames
    last = frames[-max(1, len(frames) // 4) :]
    led = fit_color(last, reference, method="mkl")(frames)
    ramp = share * (torch.arange(len(frames), device=frames.device) + 1) / len(frames)
    return torch.lerp(frames, led, ramp.to(frames).view(-1, 1, 1, 1))
