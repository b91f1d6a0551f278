"""A decoded chunk put behind the video so far."""

from __future__ import annotations

import logging
from dataclasses import replace

import torch
from torch import Tensor

from ..blending.seam import SeamReport, measure_seam
from ..motion import FlowEstimator
from .color_anchor import anchor_color
from .guide import GuideSettings
from .join import as_made, join_chunk
from .motion_guide import FAILURES
from .state import ChunkState

logger = logging.getLogger(__name__)


def append_chunk(state: ChunkState, decoded: Tensor, estimator: str | FlowEstimator) -> tuple[ChunkState, str]:
    """The state with a decoded chunk joined to its video, its seam measured, and what was done in words.

    Args:
        decoded: ``(F, 3, H, W)``, the guided chunk, overlap included, as far as the video keeps it.
    """
    try:
        return _join(state, decoded, state.effective or state.settings, estimator)
    except FAILURES as error:
        logger.warning("Joining chunk %d failed, it is cut as made: %s", state.chunk.index + 1, error)
    made, _ = _join(state, decoded, replace(state.settings, color="none", blend_strength=1.0), "auto")
    return made, "cut as made, since joining failed"


def _join(
    state: ChunkState, decoded: Tensor, settings: GuideSettings, estimator: str | FlowEstimator
) -> tuple[ChunkState, str]:
    chunk = state.chunk
    before = state.tail(chunk.overlap + SeamReport.REACH)
    if state.guide.carried and state.guide.noise_mask is not None:
        # Both versions of the overlap are decoded from the same latents, but for the first: what parts them is the
        # decoder's start, which is over where the overlap ends and says nothing about the chunk.
        joined = as_made(before, decoded, chunk.overlap)
    else:
        joined = join_chunk(
            before,
            decoded,
            chunk.overlap,
            color=settings.color,
            blend_strength=settings.blend_strength,
            mask_sigma=settings.mask_sigma,
            estimator=estimator,
        )
    added = anchor_color(joined.added, state.origin_of(chunk), settings.anchor, chunk.index)
    pieces = (*replace_tail(state.pieces, joined.tail), added.clone())  # lets go of the overlap
    made = replace(state, pieces=pieces, intact=joined.intact if added is joined.added else 0)
    reach = 2 * SeamReport.REACH  # as far as replayed frames are looked for
    earlier = made.tail(len(added) + reach)[: -len(added)]
    seam = measure_seam(torch.cat((earlier, added[:reach])), len(earlier), estimator=estimator)
    return replace(made, seam=seam), joined.report


def replace_tail(pieces: tuple[Tensor, ...], tail: Tensor) -> tuple[Tensor, ...]:
    """The pieces with their last frames replaced; those that stay are not copied."""
    changed = list(pieces)
    for index in range(len(pieces) - 1, -1, -1):
        if not len(tail):
            break
        own = tail[-len(pieces[index]) :]
        tail = tail[: len(tail) - len(own)]
        if not torch.equal(own, pieces[index][-len(own) :]):
            changed[index] = torch.cat((pieces[index][: -len(own)], own))
    return tuple(changed)
