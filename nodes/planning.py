"""A video planned from the inputs that several nodes share."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from torch import Tensor

from ..wan.host.start import VideoRequest, start_video
from ..wan.prompts import Keyframe
from ..wan.settings import RunSettings
from ..wan.size import Picture, choose_size, crop_warning
from ..wan.state import ChunkState
from .layout import to_frames, to_region
from .source import Source, read_source


@dataclass(frozen=True)
class Pictures:
    """What a video is planned from, as it is connected: IMAGEs, a MASK, and an IMAGE or a VIDEO to go on from."""

    start_image: Any = None
    end_image: Any = None
    motion_region: Any = None
    source: Any = None
    reference_image: Any = None


def plan_video(
    width,
    height,
    length,
    length_unit,
    fps,
    chunk_frames,
    settings: RunSettings | None,
    keyframes: tuple[Keyframe, ...],
    pictures: Pictures,
) -> tuple[ChunkState, Source | None]:
    """What :func:`~nodes.inputs.plan_inputs`, ``picture_inputs`` and ``set_elsewhere_inputs`` ask for.

    Returns:
        A video without a chunk yet, and the source for its sound. Its frames are the state's, in the video's size:
        nothing else holds them here.

    Raises:
        ValueError: if something asked for cannot be; names the input.
    """
    source = None if pictures.source is None else read_source("source", pictures.source)
    start, end, reference = (
        None if image is None else to_frames(name, image)
        for name, image in (
            ("start_image", pictures.start_image),
            ("end_image", pictures.end_image),
            ("reference_image", pictures.reference_image),
        )
    )
    keyframes = tuple(_with_frames(keyframe) for keyframe in keyframes)
    shown = _pictures(start, end, source, keyframes)
    # The first picture that the video starts from leads where its size is left to one.
    leading = next((picture for picture in shown if "end_image" not in picture.name), None)
    asked, (width, height) = (width, height), choose_size(width, height, leading)
    region = pictures.motion_region
    seen = ("source", source.frames) if start is None and source is not None else ("start_image", start)
    request = VideoRequest(
        start,
        width,
        height,
        length,
        length_unit,
        fps,
        chunk_frames,
        settings or RunSettings(),
        keyframes,
        end,
        None if region is None else to_region("motion_region", region, height, width, seen[1], seen[0]),
        None if source is None else source.frames,
        reference,
    )
    state = start_video(request)
    cut = [picture for picture in shown if picture.name != "source"]
    if asked != (width, height) and leading is not None:
        state = state.noted((f"{width} x {height}, by {leading.name} of {leading.width} x {leading.height}",))
    if region is not None and not state.settings.by_step:
        state = state.noted(
            warnings=(f"motion_region does nothing: continuity {state.settings.continuity} guides nothing",)
        )
    state = state.noted(warnings=filter(None, (crop_warning(picture, width, height) for picture in cut)))
    return state, None if source is None else source.without_frames()


def _pictures(
    start: Tensor | None, end: Tensor | None, source: Source | None, keyframes: tuple[Keyframe, ...]
) -> list[Picture]:
    """The size of every picture that becomes a frame of the video, by where it comes from."""
    given = [("source", None if source is None else source.frames), ("start_image", start), ("end_image", end)]
    for keyframe in keyframes:
        given += [(f"prompt_stack: {name}", getattr(keyframe, name)) for name in ("start_image", "end_image")]
    found = [Picture(name, frames.shape[-1], frames.shape[-2]) for name, frames in given if frames is not None]
    return list(dict.fromkeys(found))


def _with_frames(keyframe: Keyframe) -> Keyframe:
    """The keyframe with its IMAGEs as frames."""
    images = {name: getattr(keyframe, name) for name in ("start_image", "end_image")}
    found = {name: to_frames(f"prompt_stack: {name}", image) for name, image in images.items() if image is not None}
    return replace(keyframe, **found)
