"""The start of a long video: what is asked for, checked, and the first state made of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

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

    start_image: Tensor
    """The frames that the video starts from."""
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
    start = fit_frames("start_image", request.start_image, width, height)
    plan = plan_chunks(
        total,
        chunk_frames=request.chunk_frames,
        overlap_frames=settings.guide.fixed_overlap or settings.overlap_frames,
        keyframes=[_at_size(keyframe, width, height) for keyframe in request.keyframes],
        fps=request.fps,
        to_picture=request.end_image is not None,
        start_frames=len(start),
    )
    end = None if request.end_image is None else request.end_image[-1:]
    return ChunkState(
        plan,
        start,
        settings.guide,
        request.motion_region,
        end=None if end is None else fit_frames("end_image", end, width, height),
        start_original=request.start_image[:1],
        end_original=end,
        notes=(settings.describe(),),
    )


def _at_size(keyframe: Keyframe, width: int, height: int) -> Keyframe:
    """The keyframe with its pictures as frames of the video."""
    found = {}
    for key, kept in (("start", slice(None)), ("end", slice(-1, None))):
        frames = getattr(keyframe, f"{key}_image")
        if frames is not None:
            fitted = fit_frames(f"prompt_stack: {key}_image", frames[kept], width, height)
            found |= {f"{key}_image": fitted, f"{key}_original": frames[kept][:1]}
    return replace(keyframe, **found)
