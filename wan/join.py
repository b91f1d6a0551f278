"""A decoded chunk joined to the video so far: color, cut, and whether either made the seam better."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ..blending import fit_color, join_clips
from ..blending.color import COLORS
from ..blending.join import FALL
from ..blending.seam import SeamReport, judge
from ..blending.series import measure_pairs
from .presets import STANDARD
from .protocols import Estimator
from .records import Joining, JoinRecord

NEAR = 1.0
"""8-bit levels, root mean square: a smaller difference is left alone. To encode changed frames again costs more."""
LAST = 5
"""Frames at the overlap's end that tell whether the chunks differ: before them a decoder that has just started does."""
FEWEST = 3
"""Frames in which a seam can be measured, and one version of it told from another."""
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
    estimator: Estimator = "auto",
) -> JoinedChunk:
    """Join a chunk to the video before it, and keep of color match and join what makes the seam measure better.

    Args:
        before: ``(overlap or more, 3, H, W)``, the last frames of the video; those before the overlap say what
            motion is usual.
        decoded: ``(F, 3, H, W)``, the chunk, its first ``overlap`` frames at the time of the video's last.
        color_match: how the chunk's colors are matched to the video's.
        blend_strength: see :func:`~blending.join_clips`.
        mask_sigma: see :func:`~blending.join_clips`.
        estimator: of flow.
    """
    native = as_made(before, decoded, overlap)
    old, new = native.tail, decoded[:overlap]
    passes = overlap >= SHORTEST and blend_strength < 1
    if (color_match == "none" and not passes) or len(before) + len(native.added) < FEWEST:
        return native
    if 255 * (old[-LAST:] - new[-LAST:]).square().mean().sqrt() < NEAR:
        return native
    best, least, chunk = native, _cost(before, native, estimator), decoded
    transform = None if color_match == "none" else fit_color(new[-LAST:], old[-LAST:], method=color_match)
    if transform is not None and (levels := transform.change(new[-LAST:])) >= NEAR:
        matched = transform(decoded)
        candidate = JoinedChunk(old, matched[overlap:], 0, JoinRecord(Joining.CORRECTED, levels))
        cost = _cost(before, candidate, estimator)
        if cost < least:
            best, least, chunk = candidate, cost, matched
    if passes:
        joined = join_clips(
            old, chunk, overlap, blend_strength=blend_strength, mask_sigma=mask_sigma, estimator=estimator
        )
        record = JoinRecord(Joining.CORRECTED, best.record.color_levels, joined.report)
        exact_frames = max(0, best.exact_frames - joined.report.behind)
        candidate = JoinedChunk(joined.frames[:overlap], joined.frames[overlap:], exact_frames, record)
        if _cost(before, candidate, estimator) < least:
            best = candidate
    if best is native:
        return replace(native, record=JoinRecord(Joining.NO_BETTER))
    return best


def _cost(before: Tensor, candidate: JoinedChunk, estimator: Estimator) -> float:
    """How much the frame pairs around a seam stand out: the mean of :attr:`SeamReport.cost`."""
    overlap = len(candidate.tail)
    lead = before[: len(before) - overlap][-SeamReport.REACH :]
    behind = candidate.added[: FALL + SeamReport.REACH]
    series = measure_pairs(torch.cat((lead, candidate.tail, behind)), estimator=estimator)
    first, last = max(0, len(lead) - 1), min(len(series), len(lead) + overlap + FALL)
    return sum(judge(series, pair).cost for pair in range(first, last)) / (last - first)
