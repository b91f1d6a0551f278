"""The start of a long video: what is asked for, checked, and the first state made of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from ..chunks import count_frames, plan_chunks
from ..latents import LARGEST_SIDE, check_size
from ..numbers import check_whole
from ..prompts import Keyframe
from ..settings import RunSettings
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
    source = None if request.source is None else fit_frames("source", request.source, width, height)
    start = _start_frames(request, source)
    plan = plan_chunks(
        total,
        chunk_frames=request.chunk_frames,
        overlap_frames=settings.guide.fixed_overlap or settings.overlap_frames,
        keyframes=[_at_size(keyframe, width, height) for keyframe in request.keyframes],
        fps=request.fps,
        to_picture=request.end_image is not None,
        start_frames=len(start),
        source_frames=0 if source is None else len(source),
    )
    end = None if request.end_image is None else request.end_image[-1:]
    first = request.source if request.start_image is None else request.start_image
    reference = request.reference_image
    return ChunkState(
        plan,
        start,
        settings.guide,
        request.motion_region,
        end=None if end is None else fit_frames("end_image", end, width, height),
        start_original=None if first is None else first[:1],
        end_original=end,
        source=() if source is None else _parts(source, request.chunk_frames),
        reference=None if reference is None else fit_frames("reference_image", reference[:1], width, height),
        notes=(settings.describe(),),
    )


def _start_frames(request: VideoRequest, source: Tensor | None) -> Tensor:
    """``(N, 3, height, width)``: the frames that the video starts from; of a ``source`` its first, unless another
    picture is given."""
    if request.start_image is None:
        return torch.zeros(0, 3, request.height, request.width) if source is None else source[:1]
    start = fit_frames("start_image", request.start_image, request.width, request.height)
    if source is not None and len(start) > 1:
        raise ValueError(
            f"start_image: with a source it is the one picture that the scene began with, got {len(start)}. Give one, "
            "or none."
        )
    return start


def _parts(source: Tensor, last: int) -> tuple[Tensor, ...]:
    """A video in two, so that a join copies its last frames alone."""
    return (source[:-last], source[-last:]) if len(source) > last else (source,)


def _at_size(keyframe: Keyframe, width: int, height: int) -> Keyframe:
    """The keyframe with its pictures as frames of the video."""
    found = {}
    for key, kept in (("start", slice(None)), ("end", slice(-1, None))):
        frames = getattr(keyframe, f"{key}_image")
        if frames is not None:
            fitted = fit_frames(f"prompt_stack: {key}_image", frames[kept], width, height)
            found |= {f"{key}_image": fitted, f"{key}_original": frames[kept][:1]}
    return replace(keyframe, **found)
