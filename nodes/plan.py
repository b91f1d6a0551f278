"""The start of a long video, for whatever samples it."""

from __future__ import annotations

from ..wan.prompts import parse_stack
from ._compat import io, schema
from .inputs import picture_inputs, plan_inputs, region_input, set_elsewhere_inputs, start_input
from .planning import Pictures, plan_video
from .types import MAKE, ChunkStateType
from .values import checked


class PlanVideo(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return schema(
            node_id="WanMotionPlanVideo",
            display_name="Plan Long Video (Wan Motion)",
            category=MAKE,
            description="Cuts a long video into chunks and gives out the state that Guide Next Chunk starts from.",
            search_aliases=["chunk plan", "long video plan"],
            inputs=[
                start_input(),
                *plan_inputs(),
                *picture_inputs("The sound of a VIDEO is left out."),
                region_input(),
                *set_elsewhere_inputs(),
            ],
            outputs=[
                ChunkStateType.Output(
                    display_name="state", tooltip="A video without a chunk yet; connect to Guide Next Chunk."
                ),
                io.Int.Output(
                    display_name="chunks", tooltip="How many chunks the video takes: the count for a loop node."
                ),
                io.String.Output(display_name="report", tooltip="The plan, and what each chunk is told, in Markdown."),
            ],
        )

    @classmethod
    @checked
    def execute(
        cls,
        width,
        height,
        length,
        length_unit,
        fps,
        chunk_frames,
        start_image=None,
        end_image=None,
        source=None,
        reference_image=None,
        motion_region=None,
        prompt_stack=None,
        settings=None,
    ) -> io.NodeOutput:
        plan = (width, height, length, length_unit, fps, chunk_frames)
        keyframes = parse_stack(prompt_stack or ())
        pictures = Pictures(start_image, end_image, motion_region, source, reference_image)
        state, sound = plan_video(*plan, settings, keyframes, pictures)
        if state.settings.seam_retries:
            state = state.noted(warnings=("seam_retries does nothing: Finish Chunk takes what the sampler made",))
        if sound is not None:
            state = state.noted(warnings=sound.warnings(fps))
            if sound.audio is not None:
                state = state.noted(warnings=("the sound of source is left out: Assemble Video gives frames",))
        return io.NodeOutput(state, len(state.plan.chunks), state.report())
