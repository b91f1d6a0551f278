"""The start of a long video that other nodes sample."""

from __future__ import annotations

from ..wan.chunks import plan_chunks
from ..wan.guide import LEVELS, GuideSettings
from ..wan.host import prepare_start
from ..wan.join import COLORS
from ..wan.loop import ChunkState
from ._compat import io, schema
from .layout import to_region
from .types import (
    CATEGORY,
    LENGTH_UNITS,
    ChunkStateType,
    continuity_input,
    guidance_inputs,
    join_inputs,
    plan_inputs,
    region_input,
)

FPS = 16
"""Frames per second of Wan2.1."""


class PlanVideo(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return schema(
            node_id="WanMotionPlanVideo",
            display_name="Plan Long Video (Wan Motion)",
            category=CATEGORY,
            description="Cuts a long video into chunks and gives out the state that Guide Next Chunk starts from.",
            search_aliases=["chunk plan", "long video plan"],
            inputs=[*plan_inputs(), continuity_input(), *guidance_inputs(), *join_inputs(), region_input()],
            outputs=[
                ChunkStateType.Output(
                    display_name="state", tooltip="A video without a chunk yet; connect to Guide Next Chunk."
                ),
                io.Int.Output(
                    display_name="chunks", tooltip="How many chunks the video takes: the count for a loop node."
                ),
                io.String.Output(display_name="report", tooltip="The plan in words."),
            ],
        )

    @classmethod
    def execute(
        cls,
        start_image,
        width,
        height,
        length,
        length_unit,
        chunk_frames,
        overlap_frames,
        continuity,
        motion_weight,
        mask_sigma,
        step_gain,
        blend_strength,
        color_match,
        color_anchor,
        seam_retries,
        motion_region=None,
    ) -> io.NodeOutput:
        settings = guide_settings(
            continuity, motion_weight, mask_sigma, step_gain, blend_strength, color_match, color_anchor, seam_retries
        )
        state = start_video(
            start_image, width, height, length, length_unit, chunk_frames, overlap_frames, settings, motion_region
        )
        return io.NodeOutput(state, len(state.plan.chunks), state.report())


def guide_settings(
    continuity, motion_weight, mask_sigma, step_gain, blend_strength, color_match, color_anchor, seam_retries
) -> GuideSettings:
    """Check the inputs of :func:`continuity_input`, :func:`guidance_inputs` and :func:`join_inputs`."""
    if continuity not in ("auto", *LEVELS):
        raise ValueError(f"continuity must be one of {', '.join(('auto', *LEVELS))}, got {continuity!r}.")
    if color_match not in COLORS:
        raise ValueError(f"color_match must be one of {', '.join(COLORS)}, got {color_match!r}.")
    if not 0 <= color_anchor <= 1:
        raise ValueError(f"color_anchor must be in [0, 1], got {color_anchor}.")
    if seam_retries < 0:
        raise ValueError(f"seam_retries must be 0 or more, got {seam_retries}.")
    return GuideSettings(
        continuity,
        blend_strength,
        motion_weight,
        mask_sigma,
        step_gain,
        color=color_match,
        anchor=color_anchor,
        retries=seam_retries,
    )


def start_video(
    image, width, height, length, unit, chunk_frames, overlap_frames, settings: GuideSettings, region=None
) -> ChunkState:
    """Check the inputs of :func:`plan_inputs` and make the first state of them."""
    start = prepare_start(image, width, height)
    if unit not in LENGTH_UNITS:
        raise ValueError(f"length_unit must be one of {', '.join(LENGTH_UNITS)}, got {unit!r}.")
    if not 0 < length < float("inf"):
        raise ValueError(f"length must be more than 0 {unit}, got {length}.")
    total = max(1, round(length * FPS)) if unit == "seconds" else int(length)
    if unit == "frames" and length != total:
        raise ValueError(f"length must be a whole number of frames, got {length}. Or set length_unit to seconds.")
    overlap = 1 if settings.level == "last_frame" else overlap_frames
    plan = plan_chunks(total, chunk_frames=chunk_frames, overlap_frames=overlap)
    if len(start) >= plan.chunks[0].length:
        raise ValueError(
            f"start_image: of {len(start)} start frames nothing is left to make in a first chunk of "
            f"{plan.chunks[0].length}. Raise length or chunk_frames, or give fewer frames."
        )
    if region is not None:
        region = to_region("motion_region", region, height, width)
    return ChunkState(plan, start, settings, region)
