"""A chunk's guide as ComfyUI's Wan2.1 I2V reads it: conditioning keys, a noise mask, and a mask for each step."""

from __future__ import annotations

import node_helpers
import torch

from .guide import ChunkGuide
from .release import step_fraction, step_mask


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


def release_by_step(model):
    """A clone of ``model`` that reads a noise mask as :mod:`wan.release` does. A mask of 0 and 1 stays what it is.

    A mask function that another pack has put there is asked after ours, about the mask as it is in that step.
    """
    patched = model.clone()
    theirs = patched.model_options.get("denoise_mask_function")

    def mask_of_step(sigma, denoise_mask, extra_options):
        table = patched.get_model_object("model_sampling").sigmas
        mask = step_mask(denoise_mask, step_fraction(sigma, extra_options["sigmas"], table))
        if theirs is None:
            return mask
        return torch.minimum(mask, theirs(sigma, mask, extra_options=extra_options))

    patched.set_model_denoise_mask_function(mask_of_step)
    return patched
