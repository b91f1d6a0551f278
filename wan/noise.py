"""Which noise a chunk is sampled from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor

NoisePolicy = Literal["per_chunk", "fixed", "absolute", "list"]
POLICIES: tuple[NoisePolicy, ...] = ("per_chunk", "fixed", "absolute", "list")
"""A seed of its own for each chunk, the same for all, one for each latent frame of the whole video, or seeds named."""

MAX_SEED = 0xFFFFFFFFFFFFFFFF
STRIDE = 0x9E3779B97F4A7C15
"""Odd and without a pattern, so that the frames of one run do not share seeds with those of the next."""


def chunk_seed(seed: int, chunk_index: int, policy: NoisePolicy, seeds: Sequence[int] = ()) -> int:
    """The seed of a chunk: the run's, counted on unless it is fixed.

    Absolute noise is drawn by moment of the video; there the seed is what a stochastic sampler draws from in each step,
    which must differ from chunk to chunk. Of named ``seeds`` each chunk takes its own; chunks beyond them count on
    from the last.
    """
    if policy == "list":
        beyond = chunk_index - (len(seeds) - 1)
        return (seeds[-1] + beyond) & MAX_SEED if beyond > 0 else seeds[chunk_index]
    return (seed + (0 if policy == "fixed" else chunk_index)) & MAX_SEED


def absolute_noise(samples: Tensor, seed: int, first: int) -> Tensor:
    """Noise that depends on the run's seed and the place in the video alone: chunks see the same where they overlap.

    Args:
        samples: ``(1, C, T, h, w)``, for the shape.
        first: index of the chunk's first latent in the whole video.

    Returns:
        ``(1, C, T, h, w)`` standard normal, float32 on the CPU.
    """
    b, c, latents, h, w = samples.shape
    frames = []
    for index in range(first, first + latents):
        generator = torch.Generator().manual_seed((seed + (index + 1) * STRIDE) & MAX_SEED)
        frames.append(torch.randn(b, c, 1, h, w, generator=generator))
    return torch.cat(frames, dim=2)
