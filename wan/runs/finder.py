"""Which of the kept takes stands for the next chunk of a video."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from ..latents import TEMPORAL_STRIDE, covering_length
from ..presets import FAST
from ..state import ATTEMPTS, ChunkState
from . import fingerprint as made_from
from .facts import Facts
from .files import ChunkFileError, read_facts
from .fingerprint import Fingerprint, Reads, find_reads
from .kept import Kept, check_place, read_take, state_behind, take_end
from .names import RunError, shown
from .takes import Take, Takes

logger = logging.getLogger(__name__)

Found = tuple[Kept, dict[str, Tensor]]
"""A kept chunk and its tensors."""


@dataclass(frozen=True)
class Options:
    """Which of the kept chunks are taken, and how new ones are kept."""

    use_takes: Mapping[int, int] = field(default_factory=dict)
    """By the index of a chunk the number of the take to use."""
    reuse_unsure: bool = False
    """Whether to take chunks up that were made with something that could not be fingerprinted."""
    dtype: torch.dtype = torch.float16
    """Of kept frames that are not 8-bit values."""
    limit: int | None = None
    """Bytes of all takes together, beyond which chunks stay in memory; 0 writes nothing at all."""
    in_memory: bool = False
    """Whether chunks stay in memory besides: who owns the folder may empty it."""
    previews: bool = False
    """Whether a small film and a still of each chunk are written beside it."""


@dataclass
class Finder:
    """Looks for the takes of a video, chunk after chunk."""

    takes: Takes
    fingerprint: Callable[[ChunkState], Fingerprint]
    """What the next chunk of a state is made from."""
    options: Options
    notes: list[str] = field(default_factory=list)
    """What a user must know, for the report."""
    coming: Fingerprint | None = None
    """Of the chunk that was looked for last."""
    bases: set[str] = field(default_factory=set)
    """Files of the takes whose ends were kept."""
    _follows: bool = False
    """Whether a chosen take of other settings is among the chunks so far, so that those made behind it come back."""
    _varies: bool = False
    """Whether it is of a variation, which then goes on behind it."""

    def check(self) -> None:
        """Raise RunError unless all takes that were chosen are there: it costs no time to say so now."""
        for index, number in self.options.use_takes.items():
            there = [take.number for take in self.takes.of(index)]
            if number not in there:
                names = ", ".join(map(str, there[:20])) or "none"
                raise RunError(f"use_takes: chunk {index + 1} has no take {number}; it has {names}.")

    def prepare(self, state: ChunkState) -> ChunkState:
        """The state, told of the end of its next chunk if a kept chunk that stays goes on from there.

        Raises:
            RunError: if no chunk is kept there, or there is no room before its end.
        """
        if not state.keep_later or state.made != state.vary_from or not state.variation:
            return state
        found = self.find(base := replace(state, vary_from=None))
        if found is None:
            if self._redone(state, self.fingerprint(state)) is None:
                raise _nothing_stays(state.made)
            return state
        behind = state_behind(base, found[1], found[0].facts)
        if behind.chunk is None or not behind.chunk.overlap:
            self.note(f"keep_later: nothing goes on from chunk {state.made + 1}")
            return state
        if found[0].path is not None:
            self.bases.add(found[0].path.name)
        return replace(state, kept_end=take_end(behind, find_reads(behind).frames))

    def find(self, state: ChunkState) -> Found | None:
        """The kept chunk that stands for the next one of a state.

        Raises:
            RunError: if a take that was chosen is not there or does not go on from the chunk before.
        """
        index = state.made
        known = self.coming = self.fingerprint(state)
        if index in self.options.use_takes and state.kept_end is None:
            return self._chosen(state, known, self.options.use_takes[index])
        found = self._equal(state, known)
        if found is None:
            others = (self._equal(other, self.fingerprint(other)) for other in self._planned(state))
            found = next((each for each in others if each is not None), None)
        if found is not None:
            return found
        if state.kept_end is None and state.keep_later and index == state.vary_from:
            return self._redone(state, known)
        stays = self._varies or state.keep_later or not state.attempt_at(index)
        if self._follows and stays and state.kept_end is None:
            return self._made_behind(state)
        coming = state.vary_from if state.keep_later else None
        if coming is not None and index < coming and not self.takes.of(coming):
            raise _nothing_stays(coming)
        self._say_others(index)
        return None

    def _planned(self, state: ChunkState) -> Iterator[ChunkState]:
        """The state with each other overlap that its next chunk may have: one that follows the speed is known only once
        that is measured, and what was made then says which it was."""
        if not state.overlap_follows:
            return
        for frames in range(1, covering_length(FAST.overlap_frames) + 1, TEMPORAL_STRIDE):
            if frames != state.plan.overlap_frames:
                plan = state.plan.replan(state.made, frames)
                if plan.overlap_frames == frames:
                    yield replace(state, plan=plan)

    def _equal(self, state: ChunkState, known: Fingerprint) -> Found | None:
        """The newest take that was made from what the next chunk of a state is made from."""
        token = None if self.options.reuse_unsure else known.token
        for take in self.takes.find(state.made, known.digest, token):
            found = self._read(take, state)
            if found is not None and found[0].facts.fingerprint == known.digest:
                if found[0].facts.token != known.token:
                    self.note(f"chunk {state.made + 1} is taken although {listed(known.unknown)} may have changed")
                return found
        return None

    def _redone(self, state: ChunkState, known: Fingerprint) -> Found | None:
        """The chunk made again before one that stays, where the take that this went on from is gone."""
        attempt = state.attempt_at(state.made)
        for take in reversed(self.takes.of(state.made)):
            found = self._read(take, state, quiet=True)
            if found is not None and _goes_on(found[0].facts, state):
                facts = found[0].facts
                if facts.kept_end and (facts.own, facts.attempt) == (known.own, attempt):
                    return found
        return None

    def vary(self, state: ChunkState, facts: Facts) -> ChunkState:
        """The state, varied from here on as the take that stands for its next chunk is, if that was chosen."""
        chosen = state.made in self.options.use_takes and state.vary_from is None
        if not chosen or facts.kept_end or not facts.attempt:
            return state
        self._varies = True
        return replace(state, vary_from=state.made, variation=facts.attempt // ATTEMPTS)

    def note(self, note: str) -> None:
        """Say something in the report and the log, once."""
        if note not in self.notes:
            logger.warning("%s: %s", shown(self.takes.folder), note)
            self.notes.append(note)

    def _chosen(self, state: ChunkState, known: Fingerprint, number: int) -> Found:
        """The take that ``use_takes`` names."""
        index = state.made
        found = self._read(next(take for take in self.takes.of(index) if take.number == number), state)
        if found is None:
            why = f" ({self.notes[-1]})" if self.notes else ""
            raise RunError(f"use_takes: take {number} of chunk {index + 1} cannot be used{why}.")
        # Only behind a take of other settings others than these can be meant.
        self._follows = self._follows or found[0].facts.own != known.own
        if not _goes_on(found[0].facts, state):
            raise RunError(
                f"use_takes: take {number} of chunk {index + 1} does not go on from the chunk before it in this video. "
                "Choose the take of that chunk too that it was made behind."
            )
        return found

    def _made_behind(self, state: ChunkState) -> Found | None:
        """The newest take that was made behind the chunks so far, from whatever settings."""
        for take in reversed(self.takes.of(state.made)):
            found = self._read(take, state, quiet=True)
            if found is not None and _goes_on(found[0].facts, state):
                self.note(
                    f"chunk {state.made + 1} is take {take.number}, made behind the take that was chosen, from other "
                    "settings than these"
                )
                return found
        return None

    def _read(self, take: Take, state: ChunkState, *, quiet: bool = False) -> Found | None:
        """A take with its tensors, if it is whole and of the size that the plan asks for."""
        try:
            found = read_take(self.takes, take)
            if found is None:
                self.takes.remove(take)
                return None
            facts, tensors = found[0].facts, found[1]
            if state.overlap_follows and facts.planned_overlap != state.plan.overlap_frames:
                state = replace(state, plan=state.plan.replan(state.made, facts.planned_overlap))
            check_place(state, facts, tensors)
        except ChunkFileError as error:
            if not quiet:
                self.note(f"{take.name} {error} and is not used")
            return None
        return found

    def _say_others(self, index: int) -> None:
        """Say why the takes of a chunk are none of them taken, where it is the version that differs."""
        takes = self.takes.of(index)
        if not takes:
            return
        try:
            found = read_facts(self.takes.path(takes[-1]))
        except ChunkFileError as error:
            self.note(f"{takes[-1].name} {error} and is not used")
            return
        if found is not None and found[0].results != made_from.RESULTS:
            self.note(
                "chunks of another version of Wan Motion Chunks, whose results differ "
                f"(number {found[0].results}, here {made_from.RESULTS}), are not taken"
            )
        logger.info("Chunk %d was made from something else before: another take is made", index + 1)


def _goes_on(facts: Facts, state: ChunkState) -> bool:
    """Whether a kept chunk goes on, to the bit, from where a video ends."""
    reads = Reads(facts.read_frames, facts.read_latents, facts.reads)
    return bool(reads.frames) == bool(state.next_chunk.overlap) and reads.found_in(state)


def _nothing_stays(index: int) -> RunError:
    return RunError(
        f"keep_later: chunk {index + 1} is not kept as these settings make it, so that no later chunk goes on "
        "from it. Make the video with vary_from 0 first."
    )


def listed(names: tuple[str, ...]) -> str:
    """Names in words, of many the first."""
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
