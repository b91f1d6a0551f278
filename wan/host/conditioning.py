"""A chunk's guide as ComfyUI's Wan2.1 I2V reads it: conditioning keys, a noise mask, and a mask for each step."""

from __future__ import annotations

import comfy.patcher_extension
import torch

from ..guidance_schedule import Schedule, held_steps, held_steps_of_part, step_index, step_mask
from ..guide import ChunkGuide


def apply_guide(conditioning: list, guide: ChunkGuide, clip_vision_output=None) -> list:
    """``conditioning`` with the guide's picture and mask; the input is left as it is."""
    return [[text, add_values(options, guide_values(guide, clip_vision_output))] for text, options in conditioning]


def add_values(options: dict, values: dict) -> dict:
    """The options of a condition with a guide's values; lists, such as VACE's, are added to those that are there, as
    the host's own nodes do."""
    added = {key: [*(options.get(key) or ()), *value] for key, value in values.items() if isinstance(value, list)}
    return {**options, **values, **added}


def guide_values(guide: ChunkGuide, clip_vision_output=None) -> dict:
    """What the model reads of a guide, by the host's keys.

    Args:
        clip_vision_output: features of the start image, for models that read them.
    """
    values = dict(guide.conditioning)
    if clip_vision_output is not None:
        values["clip_vision_output"] = clip_vision_output
    return values


def latent_dict(guide: ChunkGuide) -> dict:
    """The guide's start latent as a LATENT; the mask goes in as it is, since SetLatentNoiseMask would flatten it."""
    latent = {"samples": guide.samples}
    if guide.noise_mask is not None:
        latent["noise_mask"] = guide.noise_mask
    return latent


def guide_by_step(model, guide: ChunkGuide, schedule: Schedule | None = None):
    """A clone of ``model`` that holds each cell of a guide up to its ``end_percent``, in one sampler call or several.

    A noise mask is all that a LATENT carries, so that without this clone a chunk of level ``motion`` is one of level
    ``overlap_pinned``. A mask function that another pack has put there before is asked after ours, about the mask as
    it is in that step.

    Args:
        schedule: of the whole run; without it each sampler call goes by what it sees, see
            :func:`~wan.guidance_schedule.held_steps_of_part`.
    """
    patched = model.clone()
    theirs = patched.model_options.get("denoise_mask_function")
    end_percent = guide.end_percent
    levels = held = None
    if end_percent is not None and schedule is not None:
        levels, held = schedule.levels, held_steps(end_percent, schedule.steps, schedule.switch)

    def mask_of_step(sigma, denoise_mask, extra_options):
        nonlocal levels, held
        mask = denoise_mask
        if end_percent is not None:
            if levels is None or held is None or (schedule is None and levels is not extra_options["sigmas"]):
                # Once per sampler call.
                levels = extra_options["sigmas"]
                held = held_steps_of_part(end_percent, levels, extra_options["model"].inner_model.model_sampling.sigmas)
            if levels.device != sigma.device or held.device != mask.device:  # once per run
                levels, held = levels.to(sigma.device), held.to(mask.device)
            mask = step_mask(mask, held, step_index(sigma, levels))
        if theirs is None:
            return mask
        return torch.minimum(mask, theirs(sigma, mask, extra_options=extra_options))

    def hold_clean(executor, guider, sigmas, extra_args, callback, noise, latent_image=None, denoise_mask=None, *rest):
        """Let a second sampler call hold what the guide holds, not the half-noised latent that it is given."""
        if denoise_mask is not None and latent_image is not None and not noise.any() and sigmas[0] < 1:
            clean = guider.inner_model.process_latent_in(guide.samples.to(latent_image))
            # Flow matching: the first call gave out x / (1 - sigma), with x = sigma noise + (1 - sigma) clean.
            noise = (latent_image - clean) * ((1 - sigmas[0]) / sigmas[0])
            latent_image = clean
        return executor(guider, sigmas, extra_args, callback, noise, latent_image, denoise_mask, *rest)

    patched.set_model_denoise_mask_function(mask_of_step)
    patched.add_wrapper_with_key(comfy.patcher_extension.WrappersMP.SAMPLER_SAMPLE, "wan_motion_chunks", hold_clean)
    return patched
