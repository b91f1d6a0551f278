"""A small workflow of the tiny model, for the benchmark and the tests."""

from __future__ import annotations

from .graph import Prompt, add_node

MODELS, SCENE, VIDEO, SETTINGS, SAVE = "models", "scene", "video", "settings", "save"
"""Ids of its nodes."""


def tiny_prompt(object_info: dict, frames: int = 41, **video) -> Prompt:
    """A video of 64 x 64 pixels that is saved; by default of four chunks.

    Args:
        video: inputs of the node that makes it.
    """
    prompt: Prompt = {}
    scene = {"seed": 3, "sprites": 1}
    linked = {"model": [MODELS, 0], "clip": [MODELS, 1], "vae": [MODELS, 2], "start_image": [SCENE, 0]}
    linked |= {"prompt": [SCENE, 1], "settings": [SETTINGS, 0]}
    size = {"width": 64, "height": 64, "length": float(frames), "length_unit": "frames", "chunk_frames": 17}
    sampling = {"seed": 1, "steps": 2, "cfg": 1.0, "sampler_name": "euler", "scheduler": "simple"}
    for number, kind, inputs in (
        (MODELS, "WanMotionTinyModels", {}),
        (SCENE, "WanMotionTinyScene", scene),
        (SETTINGS, "WanMotionSettings", {"overlap_frames": 8}),
        (VIDEO, "WanMotionLongVideo", linked | size | sampling | video),
        (SAVE, "SaveVideo", {"video": [VIDEO, 3], "filename_prefix": "video"}),
    ):
        add_node(prompt, number, kind, inputs, object_info)
    return prompt
