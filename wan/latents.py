"""Frame accounting of the Wan2.1 VAE: which latent codes which pixel frames.

Wan codes time as 1 + 4 + 4 + ...: latent 0 stands for one pixel frame, every later latent for four,
so that 4n + 1 frames are n + 1 latents. In space a latent cell is 8 x 8 pixels.
"""

from __future__ import annotations

import torch
from einops import rearrange
from torch import Tensor

TEMPORAL_STRIDE = 4
SPATIAL_STRIDE = 8
PIXEL_STEP = 16
CHANNELS = 16
LATENT_MEAN = (-0.7571, -0.7089, -0.9113, 0.1075, -0.1745, 0.9653, -0.1517, 1.5508)
LATENT_MEAN += (0.4134, -0.0715, 0.5517, -0.3632, -0.1922, -0.9497, 0.2503, -0.2921)
"""Of the Wan2.1 VAE's channels: what the model knows as zeros."""
LONGEST_CHUNK = 16385
"""Pixel frames of one sampling call, at most."""
LARGEST_SIDE = 16384
"""Pixels of a height or width, at most."""


def model_zeros(like: Tensor, latents: int) -> Tensor:
    """``(1, 16, latents, h, w)``: what the model knows as zeros, in ComfyUI's LATENT space, otherwise as ``like``."""
    mean = torch.tensor(LATENT_MEAN).view(1, CHANNELS, 1, 1, 1).to(like)
    return mean.expand(1, CHANNELS, latents, *like.shape[3:])


def latent_length(frames: int) -> int:
    """Latents that code ``frames`` pixel frames: 1, 5, 9, ... 81 to 1, 2, 3, ... 21.

    Raises:
        ValueError: if ``frames`` is not 4n + 1; the VAE would drop the remainder without a word.
    """
    if frames < 1 or (frames - 1) % TEMPORAL_STRIDE:
        raise ValueError(
            f"Wan codes 4n + 1 frames (1, 5, 9, ..., 81), got {frames}; the nearest is {nearest_length(frames)}."
        )
    return (frames - 1) // TEMPORAL_STRIDE + 1


def frame_length(latents: int) -> int:
    """Pixel frames that ``latents`` latents decode to: 1, 2, 3, ... 21 to 1, 5, 9, ... 81."""
    if latents < 1:
        raise ValueError(f"A Wan clip has at least one latent, got {latents}.")
    return (latents - 1) * TEMPORAL_STRIDE + 1


def nearest_length(frames: int) -> int:
    """The 4n + 1 nearest to ``frames``, the larger one when two are equally near."""
    return max(0, (frames - 1 + TEMPORAL_STRIDE // 2) // TEMPORAL_STRIDE) * TEMPORAL_STRIDE + 1


def covering_length(frames: int) -> int:
    """The smallest 4n + 1 that is at least ``frames``: 8, 16, 24 to 9, 17, 25."""
    return max(0, -((1 - frames) // TEMPORAL_STRIDE)) * TEMPORAL_STRIDE + 1


def check_size(name: str, pixels: int) -> None:
    """Raise ValueError unless a height or width is a multiple of 16: a token is 2 x 2 cells of 8 x 8 pixels."""
    if pixels < PIXEL_STEP or pixels % PIXEL_STEP:
        nearest = max(PIXEL_STEP, round(pixels / PIXEL_STEP) * PIXEL_STEP)
        raise ValueError(f"{name} must be a multiple of {PIXEL_STEP}, got {pixels}; the nearest is {nearest}.")


def known_rows(known: int, length: int, h: int, w: int) -> Tensor:
    """Wan's ``concat_mask`` for a chunk whose first frames are known.

    The model reads one mask row per pixel frame, four rows to a latent. Frame 0 fills all four rows
    of latent 0 and frame f >= 1 owns row f + 3, so that ``known`` frames own rows 0 to known + 2.

    Args:
        known: pixel frames that are given, from the first on; 0 to ``length``.
        length: pixel frames of the chunk, 4n + 1.
        h: height in latent cells.
        w: width in latent cells.

    Returns:
        ``(1, 4, n + 1, h, w)`` float32: 0 where a frame is known, 1 where it is to be generated.
    """
    if not 0 <= known <= length:
        raise ValueError(f"A chunk of {length} frames can know 0 to {length} of them, got {known}.")
    return mask_rows(torch.arange(length) < known, h, w)


def mask_rows(known: Tensor, h: int, w: int) -> Tensor:
    """Wan's ``concat_mask`` for a chunk of which some frames are known; see :func:`known_rows`.

    Args:
        known: ``(F,)`` bool, of 4n + 1 frames.
        h: height in latent cells.
        w: width in latent cells.

    Returns:
        ``(1, 4, n + 1, h, w)`` float32: 0 where a frame is known, 1 where it is to be generated.
    """
    latents = latent_length(len(known))
    rows = torch.cat((known[:1].expand(TEMPORAL_STRIDE), known[1:]))  # frame 0 has all rows of its latent
    mask = rearrange(1.0 - rows.float(), "(t row) -> 1 row t 1 1", row=TEMPORAL_STRIDE)
    return mask.expand(1, TEMPORAL_STRIDE, latents, h, w).contiguous()
