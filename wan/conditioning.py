"""A chunk's guide as the conditioning keys that ComfyUI's Wan2.1 I2V reads."""

from __future__ import annotations

import node_helpers

from .guide import ChunkGuide


def apply_guide(conditioning: list, guide: ChunkGuide, clip_vision_output=None) -> list:
    """``conditioning`` with the guide's picture and mask; the input is left as it is.

    Args:
        clip_vision_output: features of the start image, for models that heed them.
    """
    values = {"concat_latent_image": guide.concat_latent_image, "concat_mask": guide.concat_mask}
    if clip_vision_output is not None:
        values["clip_vision_output"] = clip_vision_output
    return node_helpers.conditioning_set_values(conditioning, values)


def latent_dict(guide: ChunkGuide) -> dict:
    """The guide's start latent as a LATENT; the mask goes in as it is, since SetLatentNoiseMask would flatten it."""
    latent = {"samples": guide.samples}
    if guide.noise_mask is not None:
        latent["noise_mask"] = guide.noise_mask
    return latent
