"""The start of a bridge: frames made between two clips, held to both of their ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import torch
from einops import rearrange
from torch import Tensor

from ...blending import fit_color
from ..chunks import plan_chunks
from ..families.canvas import encode_frames
from ..kept_end import KeptEnd
from ..latents import TEMPORAL_STRIDE, covering_length
from ..numbers import check_whole
from ..prompts import Keyframe
from ..protocols import Vae
from ..settings import RunSettings
from ..state import ChunkState

LONGEST = 1024
"""New frames, at most."""
GROUP = 32
"""Frames whose colors are changed at once."""
COMPARED = 9
"""Frames of either clip that tell how the colors of the two differ, at most."""
FADE = TEMPORAL_STRIDE
"""Frames over which what was made passes over to the second clip."""


@dataclass(frozen=True)
class BridgeRequest:
    """What is asked for."""

    first: Tensor
    """``(N, 3, H, W)`` in [0, 1]: the clip whose end is left."""
    second: Tensor
    """``(M, 3, H, W)`` in [0, 1]: the clip whose beginning is arrived at."""
    frames: int
    """New frames between them, a multiple of 4."""
    fps: float
    settings: RunSettings = field(default_factory=RunSettings)
    keyframes: Sequence[Keyframe] = ()
    """One prompt."""
    color_match: float = 0.0
    """[0, 1]: how far the second clip's colors are led to the first's."""


@dataclass(frozen=True)
class Bridge:
    """What a bridge is made from."""

    state: ChunkState
    """A video of one chunk that goes on from the first clip and ends as the second one begins."""
    behind: Tensor
    """``(m, 3, H, W)``: the rest of the second clip."""
    color_levels: float
    """8-bit levels by which its colors were changed, root mean square."""


def start_bridge(request: BridgeRequest, vae: Vae) -> Bridge:
    """The state of a bridge before anything of it is made.

    Its chunk knows the end of the first clip as every chunk knows the one before it, and the beginning of the second
    one as a chunk that is made again knows the one behind it: the latents of either are held through sampling where the
    level of continuity holds anything, those of the second clip always.

    Raises:
        ValueError: if sizes do not fit, a clip is too short, or a number is out of range; names the input.
    """
    request = replace(request, first=request.first.cpu(), second=request.second.cpu())  # where finished frames live
    settings = request.settings
    _check_clips(request)
    if settings.guide.color_anchor:
        raise ValueError("settings: color_anchor does nothing in a bridge, which has one chunk. Set it to 0.")
    if settings.guide.level.starts_scenes:
        raise ValueError(f"settings: continuity {settings.guide.continuity} cannot arrive at a clip. Choose another.")
    overlap = settings.guide.fixed_overlap or covering_length(settings.overlap_frames)
    latents = max(1, overlap // TEMPORAL_STRIDE)
    known = TEMPORAL_STRIDE * latents
    if len(request.second) <= known:
        raise ValueError(
            f"second: expected more than the {known} frames that are arrived at, got {len(request.second)}. Lower "
            "overlap_frames of Settings."
        )
    if len(request.first) < overlap:
        raise ValueError(
            f"first: expected the {overlap} frames of an overlap or more, got {len(request.first)}. Lower "
            "overlap_frames of Settings."
        )
    second, levels = _match(request)
    added = request.frames + known
    plan = plan_chunks(
        added,
        chunk_frames=overlap + added,
        overlap_frames=overlap,
        keyframes=request.keyframes,
        fps=request.fps,
        source_frames=len(request.first),
    )
    last = min(len(request.first), plan.chunk_frames)
    state = ChunkState(
        plan,
        request.first[-1:].clone(),
        settings.guide,
        source=tuple(part for part in (request.first[:-last], request.first[-last:]) if len(part)),
        kept_end=_hold(second[:known], latents, vae),
        notes=(settings.describe(), f"{request.frames} frames are new, the first {known} of second are made again"),
    )
    return Bridge(state, second[known:], levels)


def _match(request: BridgeRequest) -> tuple[Tensor, float]:
    """The second clip in the first one's colors, as far as that is asked for, and by how many levels it changed."""
    second = request.second
    if not request.color_match:
        return second, 0.0
    transform = fit_color(second[:COMPARED], request.first[-COMPARED:], method="mkl").scaled(request.color_match)
    matched = torch.cat([transform(part).clamp_(0, 1) for part in second.split(GROUP)])
    return matched, transform.change(second[:COMPARED])


def _check_clips(request: BridgeRequest) -> None:
    """Raise ValueError unless two clips can be bridged."""
    check_whole("frames", request.frames, TEMPORAL_STRIDE, LONGEST)
    if request.frames % TEMPORAL_STRIDE:
        raise ValueError(f"frames must be a multiple of {TEMPORAL_STRIDE}, got {request.frames}.")
    if not 0 <= request.color_match <= 1:
        raise ValueError(f"color_match must be in [0, 1], got {request.color_match}.")
    if request.first.shape[1:] != request.second.shape[1:]:
        sizes = [f"{clip.shape[-1]} x {clip.shape[-2]}" for clip in (request.first, request.second)]
        raise ValueError(f"second: expected frames of {sizes[0]} like first, got {sizes[1]}. Scale one of them.")
    for side, pixels in zip(("height", "width"), request.first.shape[-2:], strict=True):
        if pixels % 16:
            raise ValueError(
                f"first: its {side} must be a multiple of 16, got {pixels}. Scale or crop both clips, for example to "
                f"{pixels // 16 * 16}."
            )


def _hold(frames: Tensor, latents: int, vae: Vae) -> KeptEnd:
    """The beginning of a clip as the end of a chunk.

    A causal VAE codes it by what comes before; the nearest to that which is known is its first frame at rest.
    """
    canvas = rearrange(torch.cat((frames[:1], frames)), "t c h w -> t h w c")
    encoded = encode_frames(vae, canvas)[:, :, -latents:]
    return KeptEnd(frames, encoded, max(1, len(frames) - FADE), 0)
