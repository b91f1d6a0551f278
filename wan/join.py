"""A decoded chunk joined to the video so far: color, cut, and whether either made the seam better."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ..blending import ColorTransform, fit_color, join_clips
from ..blending.color import COLORS, NO_MATCH
from ..blending.join import FALL
from ..blending.seam import SeamReport, judge
from ..blending.series import PairSeries, measure_pairs, shrink
from .motion_tools import MotionTools
from .presets import STANDARD
from .protocols import Estimator
from .records import Joining, JoinRecord

NEAR = 1.0
"""8-bit levels, root mean square: a smaller difference is left alone. To encode changed frames again costs more."""
LAST = 5
"""Frames at the overlap's end that tell whether the chunks differ: before them a decoder that has just started does."""
FEWEST = 3
"""Frames in which a seam can be measured, and one version of it told from another."""
BEHIND = FALL + SeamReport.REACH
"""Frames behind the overlap that a join may move, or that tell whether it made the seam better."""
SHORTEST = 5
"""Frames of overlap that a join takes; in fewer there is no room to pass over."""


@dataclass(frozen=True)
class JoinedChunk:
    """The end of the video with a chunk joined on."""

    tail: Tensor
    """``(overlap, 3, H, W)``: what replaces the video's last frames."""
    added: Tensor
    """``(n, 3, H, W)``: the chunk's frames behind the overlap."""
    exact_frames: int
    """The last of the added frames that are as decoded, so that their latents still tell what they show."""
    record: JoinRecord
    color: ColorTransform | None = None
    """What its colors were changed by."""
    out_of_memory: bool = False
    """Whether the memory of the device that it was worked out on ran out."""


def as_made(before: Tensor, decoded: Tensor, overlap: int) -> JoinedChunk:
    """A chunk cut behind its overlap, with nothing changed; see :func:`join_chunk` for the arguments."""
    return JoinedChunk(before[-overlap:], decoded[overlap:], len(decoded) - overlap, JoinRecord(Joining.AS_MADE))


@torch.no_grad()
def join_chunk(
    before: Tensor,
    decoded: Tensor,
    overlap: int,
    *,
    color_match: str = COLORS[0],
    blend_strength: float = STANDARD.blend_strength,
    mask_sigma: float = STANDARD.mask_sigma,
    motion: MotionTools | None = None,
) -> JoinedChunk:
    """Join a chunk to the video before it, and keep of color match and join what makes the seam measure better.

    Args:
        before: ``(overlap or more, 3, H, W)``, the last frames of the video; those before the overlap say what
            motion is usual.
        decoded: ``(F, 3, H, W)``, the chunk, its first ``overlap`` frames at the time of the video's last.
        color_match: how the chunk's colors are matched to the video's.
        blend_strength: see :func:`~blending.join_clips`.
        mask_sigma: see :func:`~blending.join_clips`.
        motion: by default the built-in estimator on the CPU.
    """
    native = as_made(before, decoded, overlap)
    passes = overlap >= SHORTEST and blend_strength < 1
    if (color_match == NO_MATCH and not passes) or len(before) + len(native.added) < FEWEST:
        return native
    if 255 * (native.tail[-LAST:] - decoded[:overlap][-LAST:]).square().mean().sqrt() < NEAR:
        return native
    blend = None if not passes else (blend_strength, mask_sigma)

    def join(estimator: Estimator, before: Tensor, decoded: Tensor) -> JoinedChunk:
        return _join(before, decoded, overlap, color_match, blend, estimator)

    near, rest = decoded[: overlap + BEHIND], decoded[overlap + BEHIND :]
    joined, on_cpu = (motion or MotionTools()).run(join, before, near)
    color = joined.color
    added = torch.cat((joined.added.to(rest), color(rest) if color is not None and len(rest) else rest))
    exact_frames = joined.exact_frames + (len(rest) if color is None else 0)
    return replace(joined, tail=joined.tail.to(before), added=added, exact_frames=exact_frames, out_of_memory=on_cpu)


def _join(
    before: Tensor,
    decoded: Tensor,
    overlap: int,
    color_match: str,
    blend: tuple[float, float] | None,
    estimator: Estimator,
) -> JoinedChunk:
    """:func:`join_chunk` of a chunk whose last frames nothing depends on, on the frames' device.

    Args:
        blend: ``blend_strength`` and ``mask_sigma``; None passes over to the chunk's frames at once.
    """
    native = as_made(before, decoded, overlap)
    old, new = native.tail, decoded[:overlap]
    near, series = _measure(before, native, estimator)
    best, least, chunk = native, _cost(before, native, series), decoded
    transform = None if color_match == NO_MATCH else fit_color(new[-LAST:], old[-LAST:], method=color_match)
    if transform is not None and (levels := transform.change(new[-LAST:])) >= NEAR:
        matched = transform(decoded)
        candidate = JoinedChunk(old, matched[overlap:], 0, JoinRecord(Joining.CORRECTED, levels), transform)
        there = _measure(before, candidate, estimator, (near, series))
        cost = _cost(before, candidate, there[1])
        if cost < least:
            best, least, chunk, (near, series) = candidate, cost, matched, there
    if blend is not None:
        blend_strength, mask_sigma = blend
        joined = join_clips(
            old,
            chunk,
            overlap,
            blend_strength=blend_strength,
            mask_sigma=mask_sigma,
            estimator=estimator,
            checked=True,
        )
        record = JoinRecord(Joining.CORRECTED, best.record.color_levels, joined.report)
        exact_frames = max(0, best.exact_frames - joined.report.behind)
        candidate = JoinedChunk(joined.frames[:overlap], joined.frames[overlap:], exact_frames, record, best.color)
        _, series = _measure(before, candidate, estimator, (near, series))
        if _cost(before, candidate, series) < least:
            best = candidate
    if best is native:
        return replace(native, record=JoinRecord(Joining.NO_BETTER))
    return best


def _measure(
    before: Tensor, candidate: JoinedChunk, estimator: Estimator, like: tuple[Tensor, PairSeries] | None = None
) -> tuple[Tensor, PairSeries]:
    """The frames around a seam, as small as they are looked at, and what passes between them; ``like``: of another
    version of it."""
    lead = before[: len(before) - len(candidate.tail)][-SeamReport.REACH :]
    parts = [part for part in (lead, candidate.tail, candidate.added[:BEHIND]) if len(part)]
    near = torch.cat([shrink(part, checked=True) for part in parts])
    return near, measure_pairs(near, estimator=estimator, like=like, checked=True)


def _cost(before: Tensor, candidate: JoinedChunk, series: PairSeries) -> float:
    """How much the frame pairs around a seam stand out: the mean of :attr:`SeamReport.cost`."""
    overlap = len(candidate.tail)
    lead = min(len(before) - overlap, SeamReport.REACH)
    first, last = max(0, lead - 1), min(len(series), lead + overlap + FALL)
    return sum(judge(series, pair).cost for pair in range(first, last)) / (last - first)
