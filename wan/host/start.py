"""The start of a long video: what is asked for, checked, and the first state made of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from ..chunks import ChunkPlan, count_frames, plan_chunks
from ..latents import LARGEST_SIDE, check_size
from ..numbers import check_whole
from ..prompts import Keyframe
from ..settings import RunSettings
from ..size import MUCH, Picture, cut_share
from ..state import ChunkState
from .checks import fit_frames


@dataclass(frozen=True)
class VideoRequest:
    """What is asked for. Pictures are ``(N, 3, H, W)`` in [0, 1] of any size."""

    start_image: Tensor | None
    """The frames that the video starts from; with a ``source`` the picture that its scene began with. None starts from
    a prompt alone."""
    width: int
    """Pixels, a multiple of 16."""
    height: int
    length: float
    """In ``length_unit``."""
    length_unit: str
    fps: float
    chunk_frames: int
    settings: RunSettings = field(default_factory=RunSettings)
    keyframes: Sequence[Keyframe] = ()
    """With pictures of any size."""
    end_image: Tensor | None = None
    """Its last frame is where the video is to arrive."""
    motion_region: Tensor | None = None
    """``(1, 1, height, width)`` in [0, 1]."""
    source: Tensor | None = None
    """A video to go on from."""
    reference_image: Tensor | None = None
    """Its first picture shows what is to be seen."""


def check_sides(width: int, height: int) -> tuple[int, int]:
    """Width and height of a video, as whole numbers.

    Raises:
        ValueError: if one is no multiple of 16, or out of range.
    """
    sides = {"width": width, "height": height}
    for name, pixels in sides.items():
        sides[name] = check_whole(name, pixels, -math.inf, LARGEST_SIDE)
        check_size(name, sides[name])
    return sides["width"], sides["height"]


def start_video(request: VideoRequest) -> ChunkState:
    """The state of a video without a chunk yet.

    Raises:
        ValueError: if something asked for cannot be; names the input.
    """
    settings, (width, height) = request.settings, check_sides(request.width, request.height)
    total = count_frames(request.length, request.length_unit, request.fps)
    source = None if request.source is None else fit_frames("source", request.source, width, height).cpu()
    start, original = _start_frames(request, source)

    def plan_from(keyframes: Sequence[Keyframe]) -> ChunkPlan:
        return plan_chunks(
            total,
            chunk_frames=request.chunk_frames,
            overlap_frames=settings.guide.fixed_overlap or settings.overlap_frames,
            keyframes=keyframes,
            fps=request.fps,
            to_picture=request.end_image is not None,
            start_frames=len(start),
            source_frames=0 if source is None else len(source),
        )

    keyframes = [_at_size(keyframe, width, height) for keyframe in request.keyframes]
    plan = plan_from(keyframes)
    if not len(start) and plan.keyframes and plan.keyframes[0].start_image is not None:
        first = plan.keyframes[0]  # its picture is where the video starts, with no cut
        assert first.start_image is not None
        start, original = first.start_image, first.start_original
        plain = replace(first, start_image=None, start_original=None)
        plan = plan_from([plain if keyframe is first else keyframe for keyframe in keyframes])
    end = None if request.end_image is None else request.end_image[-1:]
    reference = request.reference_image
    if reference is not None and len(reference) > 1:
        raise ValueError(f"reference_image: expected one picture, got {len(reference)}. Pick one.")
    return ChunkState(
        plan,
        start,
        settings.guide,
        request.motion_region,
        end=None if end is None else fit_frames("end_image", end, width, height).cpu(),
        start_original=original,
        end_original=end,
        source=() if source is None else _parts(source, request.chunk_frames),
        reference=None if reference is None else fit_frames("reference_image", reference, width, height).cpu(),
        warnings=_crop(request),
        notes=(settings.describe(),),
    )


def _start_frames(request: VideoRequest, source: Tensor | None) -> tuple[Tensor, Tensor | None]:
    """``(N, 3, height, width)``: the frames that the video starts from, of a ``source`` its first unless another
    picture is given; and the first as it was given."""
    if request.start_image is None:
        if request.source is None or source is None:
            return torch.zeros(0, 3, request.height, request.width), None
        return source[:1].clone(), request.source[:1].clone()  # else they would hold all of it
    start = fit_frames("start_image", request.start_image, request.width, request.height).cpu()
    if source is not None and len(start) > 1:
        raise ValueError(
            f"start_image: with a source it is the one picture that the scene began with, got {len(start)}. Give one, "
            "or none."
        )
    return start, request.start_image[:1]


def _crop(request: VideoRequest) -> tuple[str, ...]:
    """What is said where a source is not of the video's size."""
    if request.source is None or request.source.shape[-2:] == (request.height, request.width):
        return ()
    height, width = request.source.shape[-2:]
    share = cut_share(Picture("source", width, height), request.width, request.height)
    lost = f", which cuts {100 * share:.0f} % of it off" if share > MUCH else ""
    return (
        f"source is {width} x {height}, scaled and cropped to {request.width} x {request.height}{lost}: set width and "
        "height to its own, if they are multiples of 16, or to 0 for its proportions",
    )


def _parts(source: Tensor, last: int) -> tuple[Tensor, ...]:
    """A video in two, so that a join copies its last frames alone."""
    return (source[:-last], source[-last:]) if len(source) > last else (source,)


def _at_size(keyframe: Keyframe, width: int, height: int) -> Keyframe:
    """The keyframe with its pictures as frames of the video."""
    found = {}
    for key, kept in (("start", slice(None)), ("end", slice(-1, None))):
        frames = getattr(keyframe, f"{key}_image")
        if frames is not None:
            fitted = fit_frames(f"prompt_stack: {key}_image", frames[kept], width, height).cpu()
            found |= {f"{key}_image": fitted, f"{key}_original": frames[kept][:1]}
    return replace(keyframe, **found)
