"""The start of a long video, for whatever samples it."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

from ..wan.chunks import count_frames, plan_chunks
from ..wan.host.checks import fit_frames
from ..wan.latents import LARGEST_SIDE, check_size
from ..wan.numbers import check_whole
from ..wan.prompts import Entry, parse_stack
from ..wan.settings import RunSettings
from ..wan.state import ChunkState
from ._compat import io, schema
from .layout import to_frames, to_region
from .types import CATEGORY, ChunkStateType, plan_inputs, region_input, stack_inputs
from .values import checked


class PlanVideo(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return schema(
            node_id="WanMotionPlanVideo",
            display_name="Plan Long Video (Wan Motion)",
            category=CATEGORY,
            description="Cuts a long video into chunks and gives out the state that Guide Next Chunk starts from.",
            search_aliases=["chunk plan", "long video plan"],
            inputs=[*plan_inputs(), *stack_inputs(), region_input()],
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
    @checked
    def execute(
        cls,
        start_image,
        width,
        height,
        length,
        length_unit,
        fps,
        chunk_frames,
        settings=None,
        prompt_stack=None,
        end_image=None,
        motion_region=None,
    ) -> io.NodeOutput:
        state = start_video(
            start_image,
            width,
            height,
            length,
            length_unit,
            fps,
            chunk_frames,
            settings,
            parse_stack(prompt_stack or ()),
            end_image,
            motion_region,
        )
        return io.NodeOutput(state, len(state.plan.chunks), state.report())


def start_video(
    image,
    width,
    height,
    length,
    unit,
    fps,
    chunk_frames,
    settings: RunSettings | None = None,
    entries: Sequence[Entry] = (),
    end_image=None,
    region=None,
) -> ChunkState:
    """Check the inputs of :func:`plan_inputs` and :func:`stack_inputs` and make the first state of them."""
    settings = settings or RunSettings()
    width, height = (
        check_whole(name, size, -math.inf, LARGEST_SIDE) for name, size in (("width", width), ("height", height))
    )
    check_size("width", width)
    check_size("height", height)
    total = count_frames(length, unit, fps)
    picture = to_frames("start_image", image)
    start = fit_frames("start_image", picture, width, height)
    overlap = 1 if settings.guide.level == "last_frame" else settings.overlap_frames
    plan = plan_chunks(
        total,
        chunk_frames=chunk_frames,
        overlap_frames=overlap,
        entries=[_at_size(entry, width, height) for entry in entries],
        fps=fps,
        to_picture=end_image is not None,
        start_frames=len(start),
    )
    if region is not None:
        region = to_region("motion_region", region, height, width, picture)
    whole = None if end_image is None else to_frames("end_image", end_image)[-1:]
    return ChunkState(
        plan,
        start,
        settings.guide,
        region,
        end=None if whole is None else fit_frames("end_image", whole, width, height),
        start_original=picture[:1],
        end_original=whole,
        notes=(settings.describe(),),
    )


def _at_size(entry: Entry, width: int, height: int) -> Entry:
    """The entry with its pictures as frames of the video."""

    found = {}
    for key, kept in (("start", slice(None)), ("end", slice(-1, None))):
        image, name = getattr(entry, f"{key}_image"), f"prompt_stack: {key}_image"
        if image is not None:
            frames = to_frames(name, image)[kept]
            found |= {f"{key}_image": fit_frames(name, frames, width, height), f"{key}_original": frames[:1]}
    return dataclasses.replace(entry, **found)
