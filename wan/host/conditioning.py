"""A chunk's guide as ComfyUI's Wan2.1 I2V reads it: conditioning keys and a noise mask."""

from __future__ import annotations

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
