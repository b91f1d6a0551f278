"""Wan image-to-video: known frames on a gray canvas, encoded, and a mask of what is known.

Wan2.1 I2V, FLF2V and Fun InP, and both experts of Wan2.2 I2V A14B.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from einops import rearrange

from ..latents import CHANNELS, SPATIAL_STRIDE, end_rows, known_rows, latent_length
from ..protocols import Conditioned, Vae

if TYPE_CHECKING:
    from ..guide import ChunkRequest

CANVAS = 0.5
"""Gray of the unknown frames: what Wan2.1 I2V saw in training. The noise itself is not scaled."""
INPUT_CHANNELS = 36
"""16 of noise, 4 of mask, 16 of picture."""
HOST_CLASS = "WAN21"
"""The host's class of these models; its subclasses (VACE, camera, Animate, HuMo, S2V) are conditioned in other ways."""


class WanI2V:
    """See :class:`~wan.protocols.Family`."""

    name = "wan_i2v"
    expected = "Wan2.1 image-to-video"

    def refusal(self, model: Any) -> str | None:
        base = model.model
        kind = type(base).__name__
        if kind != HOST_CLASS:
            return f"{kind}. Load a wan2.1_i2v checkpoint."
        channels = base.diffusion_model.patch_embedding.weight.shape[1]
        if channels == INPUT_CHANNELS:
            return None
        text = " (a text-to-video model)" if channels == CHANNELS else ""
        return f"{kind} with {channels} input channels instead of {INPUT_CHANNELS}{text}. Load a wan2.1_i2v checkpoint."

    def condition(self, request: ChunkRequest, vae: Vae) -> Conditioned:
        known, frames, (height, width) = request.known, request.length, request.size
        h, w, latents = height // SPATIAL_STRIDE, width // SPATIAL_STRIDE, latent_length(frames)
        canvas = known.new_full((frames, height, width, 3), CANVAS)
        canvas[: len(known)] = rearrange(known, "t c h w -> t h w c")
        mask = known_rows(len(known), frames, h, w)
        if request.end is not None:
            canvas[frames - 1 - request.dropped :] = rearrange(request.end, "t c h w -> t h w c").to(canvas)
            mask = torch.minimum(mask, end_rows(1 + request.dropped, frames, h, w))
        kept_end = request.kept_end
        if kept_end is not None:
            count = len(kept_end.frames)
            canvas[frames - count :] = rearrange(kept_end.frames, "t c h w -> t h w c").to(canvas)
            mask = torch.minimum(mask, end_rows(count, frames, h, w))
        image = vae.encode(canvas)  # (1, 16, T, h, w)
        if tuple(image.shape) != (1, CHANNELS, latents, h, w):
            raise ValueError(
                f"vae: {frames} frames of {width} x {height} should encode to (1, {CHANNELS}, {latents}, {h}, {w}), "
                f"got {tuple(image.shape)}. Load the Wan2.1 VAE."
            )
        reused = request.reused_latents
        if reused is not None:
            stop = latent_length(len(known))
            image = image.clone()
            image[:, :, stop - reused.shape[2] : stop] = reused.to(image)
        if kept_end is not None:  # behind gray frames a causal encoder makes others of them
            image = image.clone()
            image[:, :, latents - kept_end.latents.shape[2] :] = kept_end.latents.to(image)
        return Conditioned({"concat_latent_image": image, "concat_mask": mask.to(image)}, image)


WAN_I2V = WanI2V()
