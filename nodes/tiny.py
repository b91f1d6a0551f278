"""The tiny models that ship with the pack."""

from __future__ import annotations

from ..tiny.models import load_tiny_models
from ._compat import io, schema
from .types import CATEGORY


class TinyModels(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return schema(
            node_id="WanMotionTinyModels",
            display_name="Load Tiny Wan2.1 (Wan Motion)",
            category=CATEGORY,
            description="A Wan2.1 image-to-video model small enough for any computer: 64 x 64 pixels, 17 frames a chunk, "
            "sprites that move as the prompt says. For trying a workflow before the real model runs it.",
            search_aliases=["tiny wan", "test model", "demo model"],
            inputs=[],
            outputs=[
                io.Model.Output("model", tooltip="Wan2.1 I2V of the stock architecture, 16 MiB with the VAE."),
                io.Clip.Output("clip", tooltip="Knows words such as: a red ball moves left fast."),
                io.Vae.Output("vae", tooltip="Wan2.1 VAE of the stock architecture."),
            ],
        )

    @classmethod
    def execute(cls) -> io.NodeOutput:
        return io.NodeOutput(*load_tiny_models())
