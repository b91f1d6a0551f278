"""Chunks longer than Wan2.1 was trained on."""

from __future__ import annotations

import logging

from ..wan.host.checks import check_model
from ..wan.host.rope import EMBEDDER, TRAINED, intrinsic_component, shortest_slowed, slow_rope, time_frequencies
from ..wan.latents import LONGEST_CHUNK, latent_length
from ..wan.numbers import check_whole
from ._compat import io, schema
from .types import MAKE
from .values import checked

logger = logging.getLogger(__name__)


class SlowRope(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return schema(
            node_id="WanMotionSlowRope",
            display_name="RIFLEx for Long Chunks (Wan Motion)",
            category=MAKE,
            description="Keeps chunks of 89 frames or more from repeating themselves, by slowing one frequency of the "
            "model's position encoding. Shorter chunks are left alone.",
            search_aliases=["riflex", "rope scaling", "long chunk"],
            inputs=[
                io.Model.Input("model", tooltip="A Wan2.1 image-to-video model."),
                io.Int.Input(
                    "chunk_frames",
                    default=121,
                    min=5,
                    max=LONGEST_CHUNK,
                    step=4,
                    tooltip="As at the sampling node, 4n + 1.",
                ),
                io.Int.Input(
                    "component",
                    default=0,
                    min=0,
                    max=22,
                    tooltip="Which frequency in time, 1 is the fastest. 0: the first that the model never saw repeat, "
                    "4 for Wan2.1. 5 takes chunks from 133 frames on, 6 from 201; shorter ones it does not repeat in.",
                ),
            ],
            advanced=("component",),
            outputs=[
                io.Model.Output(display_name="model", tooltip="For the node that samples."),
                io.String.Output(display_name="report", tooltip="What was changed, or why nothing was."),
            ],
        )

    @classmethod
    @checked
    def execute(cls, model, chunk_frames, component) -> io.NodeOutput:
        check_model(model)
        chunk_frames = check_whole("chunk_frames", chunk_frames, 1, LONGEST_CHUNK)
        try:
            latent_length(chunk_frames)
        except ValueError as error:
            raise ValueError(f"chunk_frames: {error}") from None
        frequencies = time_frequencies(model)
        chosen = check_whole("component", component, 0, len(frequencies)) or intrinsic_component(frequencies)
        slowed, own = slow_rope(model, chosen, chunk_frames), frequencies[chosen - 1]
        if slowed is not model:
            new = slowed.get_model_object(EMBEDDER).frequency
            words = f"component {chosen} slowed from {own:.4f} to {new:.4f} rad per latent, for {chunk_frames} frames"
        elif chunk_frames <= TRAINED:
            words = f"nothing is slowed: the model was trained on {TRAINED} frames, chunks have {chunk_frames}"
        else:
            words = f"nothing is slowed: component {chosen} does not repeat within {chunk_frames} frames, but from "
            words += f"{shortest_slowed(own)} on"
            if component:
                raise ValueError(f"component: {words}. Set it to 0, for the component that repeats first.")
        logger.info("RIFLEx: %s", words)
        return io.NodeOutput(slowed, words)
