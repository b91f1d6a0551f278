"""Chunks longer than Wan2.1 was trained on."""

from __future__ import annotations

from ..wan.host import check_model
from ..wan.rope import slow_rope
from ._compat import io, schema
from .types import CATEGORY
from .values import checked


class SlowRope(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return schema(
            node_id="WanMotionSlowRope",
            display_name="RIFLEx for Long Chunks (Wan Motion)",
            category=CATEGORY,
            description="Keeps chunks of more than 81 frames from repeating themselves, by slowing one frequency of "
            "the model's position encoding. Shorter chunks are left alone.",
            search_aliases=["riflex", "rope scaling", "long chunk"],
            inputs=[
                io.Model.Input("model", tooltip="A Wan2.1 image-to-video model."),
                io.Int.Input(
                    "chunk_frames",
                    default=121,
                    min=5,
                    max=16385,
                    step=4,
                    tooltip="As at the sampling node, 4n + 1.",
                ),
                io.Int.Input(
                    "component",
                    default=6,
                    min=1,
                    max=22,
                    tooltip="Which frequency in time, 1 is the fastest. 6 is usual for Wan2.1.",
                ),
            ],
            advanced=("component",),
            outputs=[io.Model.Output(display_name="model", tooltip="For the node that samples.")],
        )

    @classmethod
    @checked
    def execute(cls, model, chunk_frames, component) -> io.NodeOutput:
        check_model(model)
        return io.NodeOutput(slow_rope(model, component, chunk_frames))
