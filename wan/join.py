"""A decoded chunk joined to the video so far: colour, cut, and whether either made the seam better."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal, get_args

import torch
from torch import Tensor

from ..blending import fit_color, join_clips
from ..blending.join import FALL
from ..blending.seam import SeamReport, judge
from ..blending.series import measure_pairs
from ..motion import FlowEstimator

ColorChoice = Literal["affine", "mean", "mkl", "none"]
COLORS: tuple[ColorChoice, ...] = get_args(ColorChoice)
"""How a chunk's colours are matched to the video's: see :data:`~blending.color.METHODS`."""

NEAR = 0.3
"""8-bit levels, root mean square: a smaller difference is left alone, so that latents can be handed on as they are."""
SHORTEST = 5
"""Frames of overlap that a join takes; in fewer there is no room to pass over."""


@dataclass(frozen=True)
class JoinedChunk:
    """The end of the video with a chunk joined on."""

    tail: Tensor
    """``(overlap, 3, H, W)``: what replaces the video's last frames."""
    added: Tensor
    """``(n, 3, H, W)``: the chunk's frames behind the overlap."""
    changed: bool
    """Whether the added frames are other than decoded, so that their latents no longer tell what they show."""
    report: str
    """What was done, in words."""


@torch.no_grad()
def join_chunk(
    before: Tensor,
    decoded: Tensor,
    overlap: int,
    *,
    color: ColorChoice = "affine",
    blend_strength: float = 0.8,
    mask_sigma: float = 0.35,
    estimator: str | FlowEstimator = "auto",
) -> JoinedChunk:
    """Join a chunk to the video before it, and keep of colour match and join what makes the seam measure better.

    Args:
        before: ``(overlap or more, 3, H, W)``, the last frames of the video; those before the overlap say what
            motion is usual.
        decoded: ``(F, 3, H, W)``, the chunk, its first ``overlap`` frames at the time of the video's last.
        color: how the chunk's colours are matched to the video's.
        blend_strength: see :func:`~blending.join_clips`.
        mask_sigma: see :func:`~blending.join_clips`.
        estimator: of flow.
    """
    old, new = before[-overlap:], decoded[:overlap]
    native = JoinedChunk(old, decoded[overlap:], False, "as made")
    if 255 * (old - new).square().mean().sqrt() < NEAR:
        return native
    best, least, chunk = native, _cost(before, native, estimator), decoded
    transform = None if color == "none" else fit_color(new, old, method=color)
    if transform is not None and (levels := transform.change(new)) >= NEAR:
        matched = transform(decoded)
        candidate = JoinedChunk(old, matched[overlap:], True, f"colour matched by {levels:.1f}/255")
        cost = _cost(before, candidate, estimator)
        if cost < least:
            best, least, chunk = candidate, cost, matched
    if overlap >= SHORTEST and 0 < blend_strength < 1:
        joined = join_clips(
            old, chunk, overlap, blend_strength=blend_strength, mask_sigma=mask_sigma, estimator=estimator
        )
        words = f"{best.report}, {joined.report}" if best.changed else str(joined.report)
        candidate = JoinedChunk(joined.frames[:overlap], joined.frames[overlap:], True, words)
        if _cost(before, candidate, estimator) < least:
            best = candidate
    if best is native:
        return replace(native, report="kept as made: no correction measures better")
    return best


def _cost(before: Tensor, candidate: JoinedChunk, estimator: str | FlowEstimator) -> float:
    """How much the frame pairs around a seam stand out: the root mean square of :attr:`SeamReport.excess`."""
    overlap = len(candidate.tail)
    lead = before[: len(before) - overlap][-SeamReport.REACH :]
    behind = candidate.added[: FALL + SeamReport.REACH]
    series = measure_pairs(torch.cat((lead, candidate.tail, behind)), estimator=estimator)
    first, last = max(0, len(lead) - 1), min(len(series), len(lead) + overlap + FALL)
    return math.sqrt(sum(judge(series, pair).excess ** 2 for pair in range(first, last)) / (last - first))
