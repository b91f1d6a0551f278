"""The tiny models that ship with the pack, and a scene for them to continue."""

from __future__ import annotations

import torch

from ..tiny.models import load_tiny_models
from ..tiny.scenes import draw_scenes
from ..wan.numbers import check_whole
from ._compat import io, schema
from .layout import to_image
from .types import TINY
from .values import checked

CLIP_FRAMES = 17
MAX_SEED = 2**63 - 1


class TinyModels(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return schema(
            node_id="WanMotionTinyModels",
            display_name="Load Tiny Wan2.1 (Wan Motion)",
            category=TINY,
            description="A Wan2.1 image-to-video model for any computer: 64 x 64 pixels, 17 to 41 frames a chunk. "
            "For trying a workflow before the real model runs it.",
            search_aliases=["tiny wan", "test model", "demo model"],
            inputs=[],
            outputs=[
                io.Model.Output(
                    display_name="model", tooltip="Wan2.1 I2V of the stock architecture, 23 MiB with the VAE."
                ),
                io.Clip.Output(display_name="clip", tooltip="Knows words such as: a red ball moves left fast."),
                io.Vae.Output(display_name="vae", tooltip="Wan2.1 VAE of the stock architecture."),
            ],
        )

    @classmethod
    def execute(cls) -> io.NodeOutput:
        return io.NodeOutput(*load_tiny_models())


class TinyScene(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return schema(
            node_id="WanMotionTinyScene",
            display_name="Tiny Scene (Wan Motion)",
            category=TINY,
            description="Draws a picture of the kind that the tiny Wan2.1 was trained on, and says how it moves.",
            search_aliases=["test image", "demo image"],
            inputs=[
                io.Int.Input("seed", default=0, min=0, max=MAX_SEED, tooltip="Another seed is another scene."),
                io.Int.Input(
                    "frames",
                    default=1,
                    min=1,
                    max=CLIP_FRAMES,
                    tooltip="Frames to give out: 1 is a start image, more show the motion as well.",
                ),
            ],
            outputs=[
                io.Image.Output(display_name="image", tooltip="64 x 64 pixels."),
                io.String.Output(
                    display_name="caption", tooltip="What is there and how it moves: a prompt for the tiny models."
                ),
            ],
        )

    @classmethod
    @checked
    def execute(cls, seed, frames) -> io.NodeOutput:
        check_whole("seed", seed, 0, MAX_SEED)
        if not 1 <= frames <= CLIP_FRAMES:
            raise ValueError(f"frames must be 1 to {CLIP_FRAMES}, got {frames}.")
        generator, last = torch.Generator().manual_seed(seed), torch.tensor([frames - 1])
        scene = draw_scenes(1, CLIP_FRAMES, generator, turn=0.0, told=last)
        return io.NodeOutput(to_image(scene.frames[0, :frames]), scene.captions[0])
