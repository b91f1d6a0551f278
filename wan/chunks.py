"""The chunk plan: which frames of the finished video each sampling call makes. Integers only."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from numbers import Real

from .latents import LONGEST_CHUNK, TEMPORAL_STRIDE, covering_length, latent_length
from .layout import MOST_CHUNKS, Chunk, lay_out, unfit_picture
from .lines import first_and_last, more_of
from .numbers import check_number, check_whole, shown
from .prompts import ChunkPrompt, Keyframe, mix_keyframes

FPS = 16.0
"""Frames per second of Wan2.1."""
SLOWEST, FASTEST = 0.01, 1000.0
"""Frames per second, at least and at most."""
LENGTH_UNITS = ("seconds", "frames")
SHORTEST, LONGEST = 0.01, 100_000.0
"""Length of a video in either unit, at least and at most."""


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
    keyframes: tuple[Keyframe, ...] = ()
    """What is asked for, in the order in which it begins; none where all chunks have the same prompt."""
    fps: float = FPS
    to_picture: bool = False
    """Whether the video ends with a given picture."""
    start_frames: int = 0
    """Frames that the video starts from; 0 where that is not known."""
    source_frames: int = 0
    """Frames of a given video that the first chunk goes on from; frame 0 is the first behind them."""

    @property
    def seams(self) -> tuple[int, ...]:
        """Index of the first frame after each seam, cuts included."""
        return tuple(chunk.seam for chunk in self.chunks[1:])

    @property
    def varied(self) -> bool:
        """Whether there is more to the keyframes than one prompt for all."""
        return len(self.keyframes) > 1 or any(
            keyframe.loras or keyframe.low_noise_loras or keyframe.chunk_frames or keyframe.end_image is not None
            for keyframe in self.keyframes
        )

    def added(self, chunk: Chunk) -> int:
        """Frames of the finished video that come from ``chunk``: all past its overlap, up to the end."""
        return min(chunk.stop, self.total_frames) - chunk.seam

    def closes(self, chunk: Chunk) -> bool:
        """Whether ``chunk`` is the last of its keyframe."""
        return chunk.index + 1 == len(self.chunks) or self.chunks[chunk.index + 1].keyframe != chunk.keyframe

    def cuts(self, chunk: Chunk) -> bool:
        """Whether ``chunk`` starts from a picture of its own."""
        return chunk.index > 0 and chunk.overlap == 0

    @cached_property
    def turns(self) -> tuple[Chunk, ...]:
        """The first chunk of each keyframe that has one, in order."""
        return tuple(
            chunk
            for chunk in self.chunks
            if chunk.index == 0 or chunk.keyframe != self.chunks[chunk.index - 1].keyframe
        )

    @cached_property
    def _scenes(self) -> tuple[Chunk, ...]:
        """The first chunk of the video and that behind each cut."""
        return tuple(chunk for chunk in self.chunks if chunk.overlap == 0 or chunk.index == 0)

    def scene(self, chunk: Chunk) -> Chunk:
        """The chunk that the scene of ``chunk`` began with."""
        return self._scenes[bisect_right(self._scenes, chunk.index, key=_index) - 1]

    def chunk_prompt(self, chunk: Chunk) -> ChunkPrompt:
        """The prompt of ``chunk``: its keyframes in shares, by the middle of the frames that it adds."""
        if not self.keyframes:
            return ChunkPrompt()
        turns, middle = self.turns, chunk.seam + self.added(chunk) / 2

        def share(first: Chunk) -> float:
            window = self.keyframes[first.keyframe].transition
            window *= self.fps if self.keyframes[first.keyframe].unit == "seconds" else self.added(first)
            return min(1.0, (middle - first.seam) / window) if window else 1.0

        stop = bisect_right(turns, chunk.index, key=_index)
        whole = stop - 1  # the last turn that has taken over entirely: what was before is forgotten
        while whole > 0 and share(turns[whole]) < 1:
            whole -= 1
        shares: list[tuple[int, float]] = [(turns[whole].keyframe, 1.0)]
        for first in turns[whole + 1 : stop]:
            own = share(first)
            shares = [(index, (1 - own) * before) for index, before in shares]
            shares.append((first.keyframe, own))
        return mix_keyframes(self.keyframes, shares)

    def replan(self, first: int, overlap_frames: int) -> ChunkPlan:
        """The plan with another overlap from chunk ``first`` on, which is not the video's first, as far as the chunks
        there are long enough for it.

        Where the video then could not arrive at its pictures, the overlap is shorter.
        """
        lengths = [self.chunk_frames, *(keyframe.chunk_frames for keyframe in self.keyframes if keyframe.chunk_frames)]
        overlap = min(covering_length(overlap_frames), min(self.chunks[first - 1].length, *lengths) - TEMPORAL_STRIDE)
        head = replace(self, chunks=self.chunks[:first], requested_overlap=overlap_frames)
        if overlap == self.overlap_frames:
            return replace(head, chunks=self.chunks)
        while True:
            plan = replace(head, overlap_frames=overlap)._laid_out()
            if overlap <= 1 or unfit_picture(plan) is None:
                return plan
            overlap -= TEMPORAL_STRIDE

    def _laid_out(self) -> ChunkPlan:
        chunks, keyframes = lay_out(self)
        return replace(self, chunks=chunks, keyframes=keyframes)

    def describe(self) -> str:
        """The plan in words, one line per chunk, with every number that differs from what was asked."""
        chunks = first_and_last(self.chunks, lambda index: self.tell(self.chunks[index]), more_of("chunks"))
        return "\n".join((self.size_words, *self.prompt_words, *chunks, *self.warnings()))

    @property
    def size_words(self) -> str:
        """How long it is, in how many chunks."""
        count = len(self.chunks)
        words = f"{self.total_frames} frames in {count} chunk{'s' if count > 1 else ''} of {self.chunk_frames}"
        if count > 1:
            words += f", overlap {self.overlap_frames}"
            if self.overlap_frames != self.requested_overlap:
                words += f" (asked for {self.requested_overlap}; Wan overlaps by 4k + 1)"
        return words

    @property
    def prompt_words(self) -> list[str]:
        """A line for each keyframe, where there is more to them than one prompt for all."""
        if not self.varied:
            return []
        return first_and_last(
            self.keyframes, lambda index: f"prompt {index + 1} {self.keyframes[index].describe()}", more_of("prompts")
        )

    def tell(self, chunk: Chunk) -> str:
        """Where a chunk lies, in words."""
        line = f"chunk {chunk.index + 1}: frames {max(0, chunk.start)} to {chunk.stop - 1}"
        given = max(0, -chunk.start)
        if chunk.overlap > given:
            line += f", the first {chunk.overlap - given} known"
        if given:
            line += f", behind {given} given frames"
        if self.cuts(chunk):
            line += ", a cut"
        if len(self.keyframes) > 1:
            line += f", prompt {chunk.keyframe + 1}"
        if chunk.stop > self.total_frames:
            line += f", the last {chunk.stop - self.total_frames} dropped"
        return line

    def warnings(self) -> tuple[str, ...]:
        """What of the keyframes cannot be as asked for."""
        if not self.keyframes:
            return ()
        words = []
        begun = len(self.turns)  # keyframes are in the order in which they begin
        for index in range(begun, len(self.keyframes)):
            keyframe = self.keyframes[index]
            late = "the video ends before its start" if self._ends_before(keyframe) else "no chunk is left for it"
            words.append(f"prompt {index + 1} has no chunk: {late}")
        for first in self.turns[1:]:
            keyframe = self.keyframes[first.keyframe]
            if keyframe.unit == "chunks" and keyframe.start != first.index:
                words.append(
                    f"prompt {first.keyframe + 1} begins with chunk {first.index + 1}, not {keyframe.start + 1:g}: "
                    "another prompt begins there"
                )
        words += [f"prompt {index + 1} is empty" for index in range(begun) if self.keyframes[index].positive == ""]
        if self.keyframes[0].cut:
            words.append(
                "the start picture of prompt 1 is not used: the video starts from "
                + ("source" if self.source_frames else "start_image")
            )
        return tuple(first_and_last(words, lambda index: words[index], more_of("warnings")))

    def _ends_before(self, keyframe: Keyframe) -> bool:
        if keyframe.unit == "seconds":
            return keyframe.start * self.fps >= self.total_frames
        return keyframe.start >= len(self.chunks)


def _index(chunk: Chunk) -> int:
    return chunk.index


def count_frames(length: float, unit: str, fps: float) -> int:
    """Frames of a video of some ``length``, in seconds or frames.

    Raises:
        ValueError: if a number is out of range, or ``length`` in frames is not a whole one.
    """
    if unit not in LENGTH_UNITS:
        raise ValueError(f"length_unit must be one of {', '.join(LENGTH_UNITS)}, got {shown(unit)}.")
    if isinstance(length, Real) and not length > 0:
        raise ValueError(f"length must be more than 0 {unit}, got {shown(length)}.")
    length, fps = check_number("length", length, SHORTEST, LONGEST), _check_rate(fps)
    if unit == "seconds":
        return max(1, round(length * fps))
    if length != int(length):
        raise ValueError(f"length must be a whole number of frames, got {length}. Or set length_unit to seconds.")
    return int(length)


def _check_rate(fps: float) -> float:
    if isinstance(fps, Real) and not fps > 0:
        raise ValueError(f"fps must be more than 0, got {shown(fps)}.")
    return check_number("fps", fps, SLOWEST, FASTEST)


def plan_chunks(
    total_frames: int,
    *,
    chunk_frames: int = 81,
    overlap_frames: int = 16,
    keyframes: Sequence[Keyframe] = (),
    fps: float = FPS,
    to_picture: bool = False,
    start_frames: int = 0,
    source_frames: int = 0,
) -> ChunkPlan:
    """Cut a video of ``total_frames`` into overlapping chunks.

    All chunks have ``chunk_frames`` frames except the last, which is as long as it must be (4n + 1)
    and whose surplus frames are dropped, and those whose keyframe says otherwise. Neighbors share
    ``overlap_frames``, or the next 4k + 1, but for a chunk that starts from a picture of its own.

    Args:
        total_frames: pixel frames of the finished video, at least 1.
        chunk_frames: pixel frames of one sampling call, 4n + 1. Wan2.1 is trained on 81 and bounces
            back towards its first frame on longer chunks.
        overlap_frames: pixel frames that neighboring chunks share, at least 1.
        keyframes: what is asked for from when on. Before the first one's start it holds too.
        fps: frames per second, for keyframes that start in seconds.
        to_picture: whether the last chunk must arrive at a given picture, which takes more than one new frame.
        start_frames: frames that the video starts from, where that is known.
        source_frames: frames of a given video that it goes on from, which ``total_frames`` does not count.

    Raises:
        ValueError: if a number is out of range, ``chunk_frames`` is not 4n + 1, the overlap
            leaves a chunk nothing to add or is longer than the given video, a chunk has no frame between the
            pictures that it starts from and arrives
            at, or there would be more than 100,000 chunks.
    """
    total_frames = check_whole("total_frames", total_frames, 1, MOST_CHUNKS * LONGEST_CHUNK)
    fps = _check_rate(fps)
    chunk_frames = check_whole("chunk_frames", chunk_frames, -LONGEST_CHUNK, LONGEST_CHUNK)
    try:
        latent_length(chunk_frames)
    except ValueError as error:
        raise ValueError(f"chunk_frames: {error}") from None
    overlap_frames = check_whole("overlap_frames", overlap_frames, 1, LONGEST_CHUNK)
    start_frames = check_whole("start_frames", start_frames, 0, MOST_CHUNKS * LONGEST_CHUNK)
    overlap = covering_length(overlap_frames)
    for length in (chunk_frames, *(keyframe.chunk_frames for keyframe in keyframes if keyframe.chunk_frames)):
        if overlap >= length and (total_frames > length or source_frames):
            raise ValueError(
                f"overlap_frames must leave room in a chunk: {overlap_frames} becomes {overlap} (4k + 1), "
                f"but chunk_frames is {length}. Lower overlap_frames or raise chunk_frames."
            )
    if 0 < source_frames < overlap:
        raise ValueError(
            f"source: expected the {overlap} frames of an overlap or more, got {source_frames}. Lower overlap_frames."
        )
    asked = (total_frames, chunk_frames, overlap, overlap_frames, (), tuple(keyframes), fps, to_picture)
    plan = ChunkPlan(*asked, start_frames, source_frames)._laid_out()
    problem = unfit_picture(plan)
    if problem is not None:
        raise ValueError(problem)
    return plan
