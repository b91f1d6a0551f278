"""A decoded chunk put behind the video so far."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ..blending.seam import SeamReport, measure_seam
from ..motion import FlowError
from .color_anchor import anchor_color
from .join import JoinedChunk, as_made, join_chunk
from .protocols import Estimator
from .records import Joining, JoinRecord
from .settings import GuideSettings
from .state import ChunkState

logger = logging.getLogger(__name__)

BUGS = (ArithmeticError, AssertionError, AttributeError, LookupError, RuntimeError, TypeError, ValueError)
"""What is wrong with us when a chunk that took minutes to sample cannot be joined: it is kept as made, and the bug is
logged as an error and said on top of the report."""


@dataclass(frozen=True)
class Appended:
    """The video with a chunk behind it."""

    state: ChunkState
    join: JoinRecord
    seam: SeamReport | None
    """None only where a bug kept it from being measured."""


def append_chunk(state: ChunkState, decoded: Tensor, estimator: Estimator) -> Appended:
    """The state with a decoded chunk joined to its video, and its seam measured.

    Args:
        decoded: ``(F, 3, H, W)``, the guided chunk, overlap included, as far as the video keeps it.
    """
    chunk, number = state.next_chunk, state.current_guide.request.index + 1
    before = state.tail(chunk.overlap + SeamReport.REACH)
    try:
        joined = _join(state, before, decoded, estimator)
    except torch.OutOfMemoryError:
        raise
    except FlowError as error:
        logger.warning("Joining chunk %d failed, it is cut as made: %s", number, error)
        joined = replace(as_made(before, decoded, chunk.overlap), record=JoinRecord(Joining.FAILED))
    except BUGS as error:
        state = _report_bug(state, f"joining chunk {number} failed ({type(error).__name__}): it is cut as made")
        joined = replace(as_made(before, decoded, chunk.overlap), record=JoinRecord(Joining.FAILED))
    added = anchor_color(joined.added, state.scene_image(chunk), _settings(state).color_anchor, chunk.index)
    pieces = (
        *replace_tail(state.pieces, joined.tail),
        added.clone(),
    )  # a copy: a view would keep the overlap in memory
    state = replace(state, pieces=pieces, exact_frames=joined.exact_frames if added is joined.added else 0)
    try:
        seam = _measure(state, estimator)
    except torch.OutOfMemoryError:
        raise
    except BUGS as error:
        state = _report_bug(state, f"the seam of chunk {number} could not be measured ({type(error).__name__})")
        seam = None
    return Appended(state, joined.record, seam)


def _settings(state: ChunkState) -> GuideSettings:
    return state.current_guide.request.settings


def _report_bug(state: ChunkState, warning: str) -> ChunkState:
    """The state with a warning about the bug that is being handled, whose traceback goes to the log."""
    logger.exception("A bug: %s", warning)
    return state.noted(warnings=(f"{warning}. Please report the traceback in the log",))


def _join(state: ChunkState, before: Tensor, decoded: Tensor, estimator: Estimator) -> JoinedChunk:
    chunk, settings = state.next_chunk, _settings(state)
    if state.current_guide.overlap_is_exact:
        # Both versions of the overlap are decoded from the same latents, but for the first: what parts them is the
        # decoder's start, which is over where the overlap ends and says nothing about the chunk.
        return as_made(before, decoded, chunk.overlap)
    return join_chunk(
        before,
        decoded,
        chunk.overlap,
        color_match=settings.color_match,
        blend_strength=settings.blend_strength,
        mask_sigma=settings.mask_sigma,
        estimator=estimator,
    )


def _measure(state: ChunkState, estimator: Estimator) -> SeamReport:
    """The seam before the last piece; by the built-in estimator where that of the graph fails."""
    count, reach = len(state.pieces[-1]), 2 * SeamReport.REACH  # as far as replayed frames are looked for
    near = state.tail(count + reach)
    seam = len(near) - count
    near = near[: seam + reach]
    try:
        return measure_seam(near, seam, estimator=estimator)
    except FlowError as error:
        logger.warning("The seam of chunk %d is measured by the built-in flow: %s", state.made, error)
        return measure_seam(near, seam)


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
