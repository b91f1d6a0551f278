"""The chunk plan: which frames of the finished video each sampling call makes. Integers only."""

from __future__ import annotations

from dataclasses import dataclass

from .latents import covering_length, latent_length


@dataclass(frozen=True)
class Chunk:
    """One sampling call: frames ``start`` to ``stop`` of the video, the first ``overlap`` of them known."""

    index: int
    start: int
    length: int
    """Pixel frames, 4n + 1."""
    overlap: int
    """Leading frames shared with the chunk before: 0 for the first chunk, else 4k + 1."""

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

    @property
    def seams(self) -> tuple[int, ...]:
        """Index of the first frame after each seam."""
        return tuple(chunk.seam for chunk in self.chunks[1:])

    def added(self, chunk: Chunk) -> int:
        """Frames of the finished video that come from ``chunk``: all past its overlap, up to the end."""
        return min(chunk.stop, self.total_frames) - chunk.seam

    def describe(self) -> str:
        """The plan in words, one line per chunk, with every number that differs from what was asked."""
        count = len(self.chunks)
        lines = [f"{self.total_frames} frames in {count} chunk{'s' if count > 1 else ''} of {self.chunk_frames}"]
        if count > 1:
            lines[0] += f", overlap {self.overlap_frames}"
            if self.overlap_frames != self.requested_overlap:
                lines[0] += f" (asked for {self.requested_overlap}; Wan overlaps by 4k + 1)"
        for chunk in self.chunks:
            line = f"chunk {chunk.index + 1}: frames {chunk.start} to {chunk.stop - 1}"
            if chunk.overlap:
                line += f", the first {chunk.overlap} known"
            if chunk.stop > self.total_frames:
                line += f", the last {chunk.stop - self.total_frames} dropped"
            lines.append(line)
        return "\n".join(lines)


def plan_chunks(total_frames: int, *, chunk_frames: int = 81, overlap_frames: int = 16) -> ChunkPlan:
    """Cut a video of ``total_frames`` into overlapping chunks.

    All chunks have ``chunk_frames`` frames except the last, which is as long as it must be (4n + 1)
    and whose surplus frames are dropped. Neighbours share ``overlap_frames``, or the next 4k + 1.

    Args:
        total_frames: pixel frames of the finished video, at least 1.
        chunk_frames: pixel frames of one sampling call, 4n + 1. Wan2.1 is trained on 81 and bounces
            back towards its first frame on longer chunks.
        overlap_frames: pixel frames handed from chunk to chunk, at least 1.

    Raises:
        ValueError: if a number is out of range, ``chunk_frames`` is not 4n + 1, or the overlap
            leaves a chunk nothing to add.
    """
    if total_frames < 1:
        raise ValueError(f"total_frames must be at least 1, got {total_frames}.")
    try:
        latent_length(chunk_frames)
    except ValueError as error:
        raise ValueError(f"chunk_frames: {error}") from None
    if overlap_frames < 1:
        raise ValueError(f"overlap_frames must be at least 1, got {overlap_frames}.")
    overlap = covering_length(overlap_frames)
    if overlap >= chunk_frames:
        raise ValueError(
            f"overlap_frames must leave room in a chunk: {overlap_frames} becomes {overlap} (4k + 1), "
            f"but chunk_frames is {chunk_frames}. Lower overlap_frames or raise chunk_frames."
        )
    chunks = [Chunk(0, 0, min(chunk_frames, covering_length(total_frames)), 0)]
    while chunks[-1].stop < total_frames:
        start = chunks[-1].stop - overlap
        chunks.append(Chunk(len(chunks), start, min(chunk_frames, covering_length(total_frames - start)), overlap))
    return ChunkPlan(total_frames, chunk_frames, overlap, overlap_frames, tuple(chunks))
