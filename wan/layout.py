"""Where the chunks of a plan lie: one behind the other, each prompt from the seam nearest to its start."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .latents import TEMPORAL_STRIDE, covering_length
from .prompts import UNITS, Keyframe

if TYPE_CHECKING:
    from .chunks import ChunkPlan

SHORTEST = 5
"""Frames that a chunk which starts from a picture of its own makes at least; what is too much is dropped."""
MOST_CHUNKS = 100_000
"""Of a plan."""


@dataclass(frozen=True)
class Chunk:
    """One sampling call: frames ``start`` to ``stop`` of the video, the first ``overlap`` of them known."""

    index: int
    start: int
    """Below 0 where it goes on from a given video."""
    length: int
    """Pixel frames, 4n + 1."""
    overlap: int
    """Leading frames shared with the chunk before, 4k + 1; 0 behind a cut, and for a first chunk but for one that goes
    on from a given video."""
    keyframe: int = 0
    """Which of the plan's keyframes holds, by index."""

    @property
    def stop(self) -> int:
        return self.start + self.length

    @property
    def seam(self) -> int:
        """The first frame of the video that this chunk adds."""
        return self.start + self.overlap


def lay_out(plan: ChunkPlan) -> tuple[tuple[Chunk, ...], tuple[Keyframe, ...]]:
    """Chunks behind those that a plan has, up to its end, and its keyframes in the order in which they begin.

    A start in seconds lies within a chunk as a rule: the keyframe begins at the seam that is nearest, be it the one
    before or the one that would come next if the keyframe before went on. No keyframe is left out for the next, however
    close they are. Where a plan has chunks already, the order of its keyframes stays.

    Raises:
        ValueError: if that takes more chunks than a plan may have.
    """
    total = plan.total_frames
    lengths = [plan.chunk_frames, *(keyframe.chunk_frames for keyframe in plan.keyframes if keyframe.chunk_frames)]
    cuts = sum(keyframe.cut for keyframe in plan.keyframes)
    behind = total - max(lengths) - cuts * plan.overlap_frames  # what the first chunk and cuts cannot make
    if behind > 0:
        _check_count(plan, 1 - -behind // (max(lengths) - plan.overlap_frames))
    shorten = plan.to_picture or any(keyframe.end_image is not None for keyframe in plan.keyframes)
    chunks = list(plan.chunks)
    begun, waiting = _begin(plan)
    while not chunks or chunks[-1].stop < total:
        _check_count(plan, len(chunks) + 1)
        seam, cut = chunks[-1].stop if chunks else 0, False
        overlap = plan.overlap_frames if chunks or plan.source_frames else 0
        length = _length(plan, begun[-1] if begun else None, seam, overlap, False, shorten)
        if chunks:
            after = seam - overlap + length
            due = [queue for queue in waiting if queue and _is_due(queue[0], plan, len(chunks), seam, after)]
            if due:
                queue = min(due, key=lambda queue: _moment(queue[0], plan, chunks, seam))
                begun.append(queue.popleft())
                cut = begun[-1].cut
                overlap = 0 if cut else overlap
                length = _length(plan, begun[-1], seam, overlap, cut, shorten)
        chunks.append(Chunk(len(chunks), seam - overlap, length, overlap, max(0, len(begun) - 1)))
    return tuple(chunks), (*begun, *(keyframe for queue in waiting for keyframe in queue))


def _check_count(plan: ChunkPlan, count: int) -> None:
    if count > MOST_CHUNKS:
        raise ValueError(
            f"length: {plan.total_frames} frames take {count} chunks or more, but a plan may have {MOST_CHUNKS}. "
            "Lower length or fps, or raise chunk_frames."
        )


def _begin(plan: ChunkPlan) -> tuple[list[Keyframe], list[deque[Keyframe]]]:
    """The keyframes that have begun, and queues of the others, one for each unit while their order is open."""
    if plan.chunks:
        count = plan.chunks[-1].keyframe + 1
        return list(plan.keyframes[:count]), [deque(plan.keyframes[count:])]
    queues = [
        deque(
            sorted(
                (keyframe for keyframe in plan.keyframes if keyframe.unit == unit), key=lambda keyframe: keyframe.start
            )
        )
        for unit in UNITS
    ]

    def nominal(queue: Sequence[Keyframe]) -> float:
        """Its first keyframe's start in frames, if that holds until then."""
        keyframe = queue[0]
        if keyframe.unit == "seconds" or keyframe.start == 0:
            return keyframe.start * plan.fps
        return plan.overlap_frames + keyframe.start * (
            (keyframe.chunk_frames or plan.chunk_frames) - plan.overlap_frames
        )

    first = min(filter(None, queues), key=nominal, default=None)
    return [] if first is None else [first.popleft()], queues


def _is_due(keyframe: Keyframe, plan: ChunkPlan, index: int, seam: int, after: int) -> bool:
    """Whether a keyframe begins with chunk ``index`` at ``seam``, where the next one would lie at ``after``."""
    if keyframe.unit == "chunks":
        return keyframe.start <= index
    moment = keyframe.start * plan.fps
    if after >= plan.total_frames:  # the video ends there
        return moment < plan.total_frames
    return abs(moment - seam) <= abs(moment - after)


def _moment(keyframe: Keyframe, plan: ChunkPlan, chunks: Sequence[Chunk], seam: int) -> float:
    """The start in frames of a keyframe that is due at ``seam``."""
    if keyframe.unit == "seconds":
        return keyframe.start * plan.fps
    return chunks[int(keyframe.start)].seam if keyframe.start < len(chunks) else seam


def _length(plan: ChunkPlan, keyframe: Keyframe | None, seam: int, overlap: int, cut: bool, shorten: bool) -> int:
    """Frames of the chunk that adds from ``seam`` on, while ``keyframe`` holds."""
    length = (keyframe.chunk_frames if keyframe else None) or plan.chunk_frames
    length = min(length, covering_length(max(plan.total_frames - seam, SHORTEST if cut else 1) + overlap))
    left = plan.total_frames - (seam - overlap + length)
    if shorten and 0 < left < TEMPORAL_STRIDE:
        # The last chunk needs frames to lead to its picture, this one to be made at all.
        picture = keyframe.start_image if keyframe and cut else None
        given = (plan.start_frames or 1) if picture is None else len(picture)
        least = overlap + TEMPORAL_STRIDE if overlap else 2 + given
        if length - TEMPORAL_STRIDE >= least:
            length -= TEMPORAL_STRIDE
    return length


def unfit_picture(plan: ChunkPlan) -> str | None:
    """Why a chunk cannot start from its pictures or arrive at them, and what to do; None if all can."""
    for first, after in zip(plan.turns, (*plan.turns[1:], None), strict=True):
        keyframe = plan.keyframes[first.keyframe] if plan.keyframes else None
        cut = plan.cuts(first)
        given = 0 if first.index or first.overlap else plan.start_frames
        if keyframe is not None and keyframe.start_image is not None and cut:
            given = len(keyframe.start_image)
        if given >= first.length:
            if not cut:
                return (
                    f"start_image: of {given} start frames nothing is left to make in a first chunk of {first.length}. "
                    "Raise length or chunk_frames, or give fewer frames."
                )
            return (
                f"prompt_stack: start_image of prompt {first.keyframe + 1} has {given} frames, which leaves nothing to "
                f"make in a chunk of {first.length}. Give fewer."
            )
        last = plan.chunks[-1 if after is None else after.index - 1]
        own = keyframe is not None and keyframe.end_image is not None
        if not own and not (plan.to_picture and after is None):
            continue
        known = last.overlap or max(1, given)
        dropped = max(0, last.stop - plan.total_frames)
        if known + dropped <= last.length - 2:
            continue
        name = f"prompt_stack: end_image of prompt {last.keyframe + 1}" if own else "end_image"
        least = 2 if last.overlap else known + 2
        if covering_length(last.overlap + least) <= (
            (keyframe.chunk_frames if keyframe else None) or plan.chunk_frames
        ):
            more = least - plan.added(last)
            remedy = f"Lengthen the video by {more} frame{'s' if more > 1 else ''}."
        else:
            remedy = "Give fewer frames to start from, or raise chunk_frames."
        return (
            f"{name}: of the {last.length} frames of chunk {last.index + 1} {known} are known and {dropped} dropped, "
            f"which leaves none to lead to it. {remedy}"
        )
    return None
