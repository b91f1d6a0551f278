"""Stable Video Infinity 2.0 Pro: each chunk is anchored to the picture that its scene began with, and told of motion by
the last latent of the chunk before.

For models with that LoRA alone. As the Wan2.2 branch of Stable-Video-Infinity conditions its chunks: the anchor's
latent, the last latents of the chunk before as they were sampled, zeros of the model's own space; the first latent is
declared known, and nothing is held. The chunk's first frames show the anchor and the end of the chunk before, and are
dropped.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from einops import rearrange

from ..families.canvas import encode_frames
from ..families.i2v import WAN_I2V
from ..latents import frame_length, latent_length, model_zeros
from ..protocols import Conditioned, Family, Hold, Vae
from ..records import ContinuityRecord, Reason

if TYPE_CHECKING:
    from ..guide import ChunkRequest
    from ..motion_tools import MotionTools

LATENTS = 1
"""Of the chunk before; with three, artifacts are reported."""
IGNORED = ("overlap_frames", "motion_weight", "mask_sigma", "step_gain", "blend_strength", "color_match")


class Svi:
    """See :class:`~wan.protocols.Level`."""

    name = "svi"
    summary = "for models with the SVI 2.0 Pro LoRA alone: anchored to the start picture against drift"
    overlap = frame_length(1 + LATENTS)
    latents = LATENTS
    starts_scenes = True
    holds = False
    by_step = False
    fallback = None
    ignored = IGNORED

    def condition(self, request: ChunkRequest, vae: Vae, family: Family) -> Conditioned:
        if family.name != WAN_I2V.name:
            raise ValueError(
                "continuity: svi is for Wan image-to-video models, of which the SVI 2.0 Pro LoRA was made."
            )
        if request.end is not None:
            raise ValueError("end_image: continuity svi has no place for it. Choose another level, or no end_image.")
        if not request.continues and len(request.known) > 1:
            raise ValueError("start_image: continuity svi starts from one picture. Choose another level for a clip.")
        anchor = request.known[:1] if request.scene is None else request.scene
        start = encode_frames(vae, rearrange(anchor, "t c h w -> t h w c"))  # (1, 16, 1, h, w)
        parts = [start]
        if request.continues:
            previous = request.previous_latent
            if previous is None:  # a video that was not made here
                previous = encode_frames(vae, rearrange(request.known, "t c h w -> t h w c"))
            parts.append(previous[:, :, -LATENTS:].to(start))
        left = latent_length(request.length) - sum(part.shape[2] for part in parts)
        image = torch.cat((*parts, model_zeros(start, left)), dim=2)
        mask = torch.ones_like(image[:, :1])
        mask[:, :, :1] = 0.0
        return Conditioned({"concat_latent_image": image, "concat_mask": mask}, image)

    def hold(
        self, request: ChunkRequest, conditioned: Conditioned, reason: Reason, vae: Vae, motion: MotionTools
    ) -> Hold:
        record = ContinuityRecord(self.name, reason)
        return Hold(record, torch.zeros_like(conditioned.latents), shows_overlap=False)


SVI = Svi()
