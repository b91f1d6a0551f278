"""The chunk plan: which frames of the finished video each sampling call makes. Integers only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from .latents import TEMPORAL_STRIDE, covering_length, latent_length
from .prompts import Cue, Entry, mix_cue

FPS = 16.0
"""Frames per second of Wan2.1."""
SHORTEST = 5
"""Frames that a chunk which starts from a picture of its own makes at least; what is too much is dropped."""


@dataclass(frozen=True)
class Chunk:
    """One sampling call: frames ``start`` to ``stop`` of the video, the first ``overlap`` of them known."""

    index: int
    start: int
    length: int
    """Pixel frames, 4n + 1."""
    overlap: int
    """Leading frames shared with the chunk before, 4k + 1; 0 for the first chunk and behind a cut."""
    entry: int = 0
    """Which of the plan's entries holds, by index."""

    @property
    def stop(self) -> int:
        return self.start + self.length

    @property
    def seam(self) -> int:
        """The first frame of the video that this chunk adds."""
        return self.start + self.overlap


@dataclass(frozen=True)
class ChunkPlan:
    """Chunks that together make each frame of ``0 .. total_frames - 1`` exactly once."""

    total_frames: int
    chunk_frames: int
    overlap_frames: int
    """The overlap in use, 4k + 1."""
    requested_overlap: int
    """The overlap that was asked for; the plan takes the next 4k + 1."""
    chunks: tuple[Chunk, ...]
    entries: tuple[Entry, ...] = ()
    """What is asked for, sorted by start; none where all chunks are told the same."""
    fps: float = FPS
    to_picture: bool = False
    """Whether the video ends with a given picture."""

    @property
    def seams(self) -> tuple[int, ...]:
        """Index of the first frame after each seam, cuts included."""
        return tuple(chunk.seam for chunk in self.chunks[1:])

    @property
    def varied(self) -> bool:
        """Whether there is more to the entries than one prompt for all."""
        return len(self.entries) > 1 or any(
            entry.loras or entry.low_noise_loras or entry.chunk_frames or entry.end_image is not None
            for entry in self.entries
        )

    def added(self, chunk: Chunk) -> int:
        """Frames of the finished video that come from ``chunk``: all past its overlap, up to the end."""
        return min(chunk.stop, self.total_frames) - chunk.seam

    def closes(self, chunk: Chunk) -> bool:
        """Whether ``chunk`` is the last of its entry."""
        return chunk.index + 1 == len(self.chunks) or self.chunks[chunk.index + 1].entry != chunk.entry

    def cuts(self, chunk: Chunk) -> bool:
        """Whether ``chunk`` starts anew, from a picture of its own."""
        return chunk.index > 0 and chunk.overlap == 0

    def cue(self, chunk: Chunk) -> Cue:
        """What ``chunk`` is told of the entries, by the middle of the frames that it adds."""
        shares: list[tuple[int, float]] = [(self.chunks[0].entry, 1.0)]
        middle = chunk.seam + self.added(chunk) / 2
        for first in self.chunks[1 : chunk.index + 1]:
            if first.entry == shares[-1][0]:
                continue
            window = self.entries[first.entry].transition
            window *= self.fps if self.entries[first.entry].unit == "seconds" else self.added(first)
            share = min(1.0, (middle - first.seam) / window) if window else 1.0
            shares = [(index, (1 - share) * before) for index, before in shares if share < 1]
            shares.append((first.entry, share))
        return mix_cue(self.entries, shares) if self.entries else Cue()

    def replan(self, first: int, overlap_frames: int) -> ChunkPlan:
        """The plan with another overlap from chunk ``first`` on, as far as the chunks there are long enough for it."""
        lengths = [self.chunk_frames, *(entry.chunk_frames for entry in self.entries if entry.chunk_frames)]
        overlap = min(covering_length(overlap_frames), min(self.chunks[first - 1].length, *lengths) - TEMPORAL_STRIDE)
        head = replace(self, chunks=self.chunks[:first], overlap_frames=overlap, requested_overlap=overlap_frames)
        return _lay_out(head)

    def describe(self) -> str:
        """The plan in words, one line per chunk, with every number that differs from what was asked."""
        count = len(self.chunks)
        lines = [f"{self.total_frames} frames in {count} chunk{'s' if count > 1 else ''} of {self.chunk_frames}"]
        if count > 1:
            lines[0] += f", overlap {self.overlap_frames}"
            if self.overlap_frames != self.requested_overlap:
                lines[0] += f" (asked for {self.requested_overlap}; Wan overlaps by 4k + 1)"
        if self.varied:
            lines += [f"prompt {number} {entry.describe()}" for number, entry in enumerate(self.entries, 1)]
        for chunk in self.chunks:
            line = f"chunk {chunk.index + 1}: frames {chunk.start} to {chunk.stop - 1}"
            if chunk.overlap:
                line += f", the first {chunk.overlap} known"
            if self.cuts(chunk):
                line += ", a cut"
            if len(self.entries) > 1:
                line += f", prompt {chunk.entry + 1}"
            if chunk.stop > self.total_frames:
                line += f", the last {chunk.stop - self.total_frames} dropped"
            lines.append(line)
        return "\n".join((*lines, *self.warnings()))

    def warnings(self) -> tuple[str, ...]:
        """What of the entries cannot be as asked for."""
        used = {chunk.entry for chunk in self.chunks}
        unused = [index for index in range(len(self.entries)) if index not in used]
        words = [f"prompt {index + 1} has no chunk: the video ends before its start" for index in unused]
        if self.entries:
            words += [f"prompt {index + 1} is empty" for index in sorted(used) if self.entries[index].positive == ""]
            if self.entries[0].cut:
                words.append("prompt 1 has a start picture of its own, but the video starts from start_image")
        return tuple(words)

    def _length(self, entry: int) -> int:
        return (self.entries[entry].chunk_frames if self.entries else None) or self.chunk_frames

    def _entry_at(self, index: int, seam: int, current: int) -> int:
        """The entry that holds for chunk ``index``, which adds frames from ``seam`` on.

        A start in seconds lies within a chunk as a rule: the chunk whose seam is nearest begins the entry. None is
        left out for the next, however close they are.
        """
        if index == 0 or current + 1 >= len(self.entries):
            return current
        entry = self.entries[current + 1]
        if entry.unit == "chunks":
            return current + (entry.start <= index)
        return current + (entry.start * self.fps <= seam + (self.chunk_frames - self.overlap_frames) / 2)


def plan_chunks(
    total_frames: int,
    *,
    chunk_frames: int = 81,
    overlap_frames: int = 16,
    entries: Sequence[Entry] = (),
    fps: float = FPS,
    to_picture: bool = False,
) -> ChunkPlan:
    """Cut a video of ``total_frames`` into overlapping chunks.

    All chunks have ``chunk_frames`` frames except the last, which is as long as it must be (4n + 1)
    and whose surplus frames are dropped, and those whose entry says otherwise. Neighbours share
    ``overlap_frames``, or the next 4k + 1, but for a chunk that starts from a picture of its own.

    Args:
        total_frames: pixel frames of the finished video, at least 1.
        chunk_frames: pixel frames of one sampling call, 4n + 1. Wan2.1 is trained on 81 and bounces
            back towards its first frame on longer chunks.
        overlap_frames: pixel frames handed from chunk to chunk, at least 1.
        entries: what is asked for from when on. Before the first one's start it holds too.
        fps: frames per second, for entries that start in seconds.
        to_picture: whether the last chunk must arrive at a given picture, which takes more than one new frame.

    Raises:
        ValueError: if a number is out of range, ``chunk_frames`` is not 4n + 1, or the overlap
            leaves a chunk nothing to add.
    """
    if total_frames < 1:
        raise ValueError(f"total_frames must be at least 1, got {total_frames}.")
    if not 0 < fps < float("inf"):
        raise ValueError(f"fps must be more than 0, got {fps}.")
    try:
        latent_length(chunk_frames)
    except ValueError as error:
        raise ValueError(f"chunk_frames: {error}") from None
    if overlap_frames < 1:
        raise ValueError(f"overlap_frames must be at least 1, got {overlap_frames}.")
    overlap = covering_length(overlap_frames)
    added = chunk_frames - overlap

    def nominal(entry: Entry) -> float:
        """Its start in frames, as far as that can be told before there are chunks."""
        if entry.unit == "seconds":
            return entry.start * fps
        return 0 if entry.start == 0 else overlap + entry.start * added

    for length in (chunk_frames, *(entry.chunk_frames for entry in entries if entry.chunk_frames)):
        if overlap >= length and total_frames > length:
            raise ValueError(
                f"overlap_frames must leave room in a chunk: {overlap_frames} becomes {overlap} (4k + 1), "
                f"but chunk_frames is {length}. Lower overlap_frames or raise chunk_frames."
            )
    ordered = tuple(sorted(entries, key=nominal))
    return _lay_out(ChunkPlan(total_frames, chunk_frames, overlap, overlap_frames, (), ordered, fps, to_picture))


def _lay_out(plan: ChunkPlan) -> ChunkPlan:
    """The plan with chunks up to its end behind those that it has."""
    chunks, total = list(plan.chunks), plan.total_frames
    to_picture = plan.to_picture or any(entry.end_image is not None for entry in plan.entries)
    while not chunks or chunks[-1].stop < total:
        seam, last = (chunks[-1].stop, chunks[-1].entry) if chunks else (0, 0)
        entry = plan._entry_at(len(chunks), seam, last)
        cut = entry != last and plan.entries[entry].cut
        overlap = plan.overlap_frames if chunks and not cut else 0
        length = min(plan._length(entry), covering_length(max(total - seam, SHORTEST if cut else 1) + overlap))
        left = total - (seam - overlap + length)
        if to_picture and 0 < left < TEMPORAL_STRIDE and length - TEMPORAL_STRIDE > overlap:
            length -= TEMPORAL_STRIDE  # the last chunk needs frames to lead to its picture
        chunks.append(Chunk(len(chunks), seam - overlap, length, overlap, entry))
    return replace(plan, chunks=tuple(chunks))
