"""A decoded chunk put behind the video so far."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ..blending.seam import SeamReport, measure_seam
from ..motion import FlowError
from .color_anchor import anchor_color
from .join import JoinRecord, as_made, join_chunk
from .protocols import Estimator
from .records import Joining
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
    seam: SeamReport


def append_chunk(state: ChunkState, decoded: Tensor, estimator: Estimator) -> Appended:
    """The state with a decoded chunk joined to its video, and its seam measured.

    Args:
        decoded: ``(F, 3, H, W)``, the guided chunk, overlap included, as far as the video keeps it.
    """
    settings, number = state.guide.request.settings, state.guide.request.index + 1
    try:
        return _join(state, decoded, settings, estimator)
    except torch.OutOfMemoryError:
        raise
    except FlowError as error:
        logger.warning("Joining chunk %d failed, it is cut as made: %s", number, error)
    except BUGS as error:
        logger.exception("Joining chunk %d failed, it is cut as made", number)
        warning = f"joining chunk {number} failed ({type(error).__name__}): it is cut as made. Please report the log"
        state = state.noted(warnings=(warning,))
    made = _join(state, decoded, replace(settings, color_match="none", blend_strength=1.0), "auto")
    return replace(made, join=JoinRecord(Joining.FAILED))


def _join(state: ChunkState, decoded: Tensor, settings: GuideSettings, estimator: Estimator) -> Appended:
    chunk = state.chunk
    before = state.tail(chunk.overlap + SeamReport.REACH)
    if state.guide.overlap_is_exact:
        # Both versions of the overlap are decoded from the same latents, but for the first: what parts them is the
        # decoder's start, which is over where the overlap ends and says nothing about the chunk.
        joined = as_made(before, decoded, chunk.overlap)
    else:
        joined = join_chunk(
            before,
            decoded,
            chunk.overlap,
            color_match=settings.color_match,
            blend_strength=settings.blend_strength,
            mask_sigma=settings.mask_sigma,
            estimator=estimator,
        )
    added = anchor_color(joined.added, state.scene_image(chunk), settings.color_anchor, chunk.index)
    pieces = (*replace_tail(state.pieces, joined.tail), added.clone())  # lets go of the overlap
    made = replace(state, pieces=pieces, exact_frames=joined.exact_frames if added is joined.added else 0)
    reach = 2 * SeamReport.REACH  # as far as replayed frames are looked for
    earlier = made.tail(len(added) + reach)[: -len(added)]
    seam = measure_seam(torch.cat((earlier, added[:reach])), len(earlier), estimator=estimator)
    return Appended(made, joined.record, seam)


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
