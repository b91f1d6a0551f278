"""A chunk's known frames on gray, for families that are shown them in their places."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from einops import rearrange
from torch import Tensor

from ..latents import CHANNELS, SPATIAL_STRIDE, latent_length
from ..protocols import Vae

if TYPE_CHECKING:
    from ..guide import ChunkRequest

GRAY = 0.5
"""Of unknown frames: what the models saw in training."""


def lay_frames(request: ChunkRequest) -> tuple[Tensor, Tensor]:
    """The frames of a chunk, and which of them are known.

    Returns:
        ``(F, H, W, 3)`` in [0, 1], gray where a frame is to be generated, and ``(F,)`` bool.
    """
    known, length, (height, width) = request.known, request.length, request.size
    canvas, given = known.new_full((length, height, width, 3), GRAY), torch.zeros(length, dtype=torch.bool)
    ends = [] if request.end is None else [request.end.expand(1 + request.dropped, -1, -1, -1)]
    if request.kept_end is not None:
        ends.append(request.kept_end.frames)
    canvas[: len(known)] = rearrange(known, "t c h w -> t h w c")
    given[: len(known)] = True
    for end in ends:
        canvas[length - len(end) :] = rearrange(end, "t c h w -> t h w c").to(canvas)
        given[length - len(end) :] = True
    return canvas, given


def encode_frames(vae: Vae, frames: Tensor) -> Tensor:
    """``(F, H, W, 3)`` in [0, 1], 4n + 1 of them, to ``(1, 16, T, h, w)``.

    Raises:
        ValueError: if the VAE makes anything else of them.
    """
    length, height, width, _ = frames.shape
    expected = (1, CHANNELS, latent_length(length), height // SPATIAL_STRIDE, width // SPATIAL_STRIDE)
    encoded = vae.encode(frames)
    if tuple(encoded.shape) != expected:
        raise ValueError(
            f"vae: {length} frames of {width} x {height} should encode to {expected}, got {tuple(encoded.shape)}. Load "
            "the Wan2.1 VAE."
        )
    return encoded


def put_latents(encoded: Tensor, request: ChunkRequest) -> Tensor:
    """A chunk's encoded frames with the latents in their places that are known as such: those of the chunk before, and
    of an end that is kept. Encoded anew they would lose a little, and behind gray frames become others."""
    reused, end = request.reused_latents, request.kept_end
    if reused is None and end is None:
        return encoded
    encoded = encoded.clone()
    if reused is not None:
        stop = latent_length(len(request.known))
        encoded[:, :, stop - reused.shape[2] : stop] = reused.to(encoded)
    if end is not None:
        encoded[:, :, encoded.shape[2] - end.latents.shape[2] :] = end.latents.to(encoded)
    return encoded
