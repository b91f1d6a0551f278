"""A decoded chunk put behind the video so far."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace

from torch import Tensor

from ..blending.pictures import check_levels
from ..blending.seam import SeamReport, measure_seam
from ..motion import FlowError
from .color_anchor import anchor_color
from .join import FEWEST, JoinedChunk, as_made, join_chunk
from .motion_tools import MotionTools
from .protocols import Estimator
from .records import Joining, JoinRecord
from .state import ChunkState

logger = logging.getLogger(__name__)

FAILURES = (ArithmeticError, AssertionError, AttributeError, LookupError, RuntimeError, TypeError, ValueError)
"""What must not cost a chunk that took minutes to sample: bugs of ours, and a card without memory left. The chunk is
kept as made, the traceback logged as an error, and the report begins with a warning."""


@dataclass(frozen=True)
class Appended:
    """The video with a chunk behind it."""

    state: ChunkState
    join: JoinRecord
    seam: SeamReport | None
    """None only where it could not be measured."""
    failures: tuple[tuple[str, str], ...] = ()
    """See :attr:`~wan.records.ChunkRecord.failures`."""
    out_of_memory: tuple[str, ...] = ()
    """See :attr:`~wan.records.ChunkRecord.out_of_memory`."""


def append_chunk(state: ChunkState, decoded: Tensor, motion: MotionTools) -> Appended:
    """The state with a decoded chunk joined to its video, and its seam measured.

    Args:
        decoded: ``(F, 3, H, W)``, the guided chunk, overlap included, as far as the video keeps it.
    """
    chunk, seam, failures, on_cpu = state.next_chunk, None, [], []
    before = state.tail(chunk.overlap + SeamReport.REACH)
    failed = replace(as_made(before, decoded, chunk.overlap), record=JoinRecord(Joining.FAILED))
    try:
        joined = _join(state, before, decoded, motion)
    except FlowError as error:
        logger.warning("Joining chunk %d failed, it is cut as made: %s", chunk.index + 1, error)
        joined = failed
    except FAILURES as error:
        logger.exception("Joining chunk %d failed, it is cut as made", chunk.index + 1)
        failures.append(("joining", type(error).__name__))
        joined = failed
    if joined.out_of_memory:
        on_cpu.append("joining")
    # Copied: a view would keep the overlap in memory.
    state = state.with_tail(joined.tail).with_piece(joined.added.clone(), joined.exact_frames)
    try:
        seam, ran_out = _measure(state, motion)
        on_cpu += ["measuring"] * ran_out
    except FAILURES as error:
        logger.exception("The seam of chunk %d could not be measured", chunk.index + 1)
        failures.append(("measuring", type(error).__name__))
    return Appended(state, joined.record, seam, tuple(failures), tuple(on_cpu))


def _join(state: ChunkState, before: Tensor, decoded: Tensor, motion: MotionTools) -> JoinedChunk:
    """The chunk joined by the settings that it was guided by, its colors led back to the anchor if it has one."""
    chunk, settings = state.next_chunk, state.current_guide.request.settings
    if state.current_guide.overlap_is_exact or not state.current_guide.shows_overlap:
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
            motion=motion,
        )
    reference = state.scene_image(chunk)
    if reference is None:  # then nothing is anchored
        return joined
    added = anchor_color(joined.added, reference, settings.color_anchor, chunk.index)
    return joined if added is joined.added else replace(joined, added=added, exact_frames=0)


def _measure(state: ChunkState, motion: MotionTools) -> tuple[SeamReport | None, bool]:
    """The seam before the last piece; see :func:`measure`."""
    count, reach = len(state.pieces[-1]), 2 * SeamReport.REACH  # as far as replayed frames are looked for
    near = state.tail(count + reach)
    seam = len(near) - count
    return measure(near[: seam + reach], seam, state.made, motion)


def measure(near: Tensor, seam: int, number: int, motion: MotionTools) -> tuple[SeamReport | None, bool]:
    """A seam of chunk ``number``, by the built-in estimator where that of the graph fails.

    Returns:
        The report, None in fewer frames than a seam can be told from, and whether the device's memory ran out.
    """
    if len(near) < FEWEST:
        return None, False
    check_levels("frames", near)  # in the host's memory, where nothing waits for a card

    def judge(estimator: Estimator, frames: Tensor) -> SeamReport:
        return measure_seam(frames, seam, estimator=estimator, checked=True)

    try:
        return motion.run(judge, near)
    except FlowError as error:
        logger.warning("A seam of chunk %d is measured by the built-in flow: %s", number, error)
        return replace(motion, estimator="auto").run(judge, near)
