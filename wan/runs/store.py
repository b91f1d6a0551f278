"""A run on disk: each finished chunk is kept as it is finished, and taken up again by whatever run it is a part of.

A chunk file is named by what its chunk was made from, so that no other request overwrites it: another seed or prompt
makes another take. What a file holds it says itself; ``run.json`` says which takes make the video.
"""

from __future__ import annotations

import contextlib
import logging
import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..state import ChunkState
from . import fingerprint as made_from
from .facts import Facts
from .files import check_writable, write_chunk
from .finder import Finder, Options, listed
from .fingerprint import Fingerprint
from .kept import Kept, pack, read_footage, state_behind, unpack
from .lock import locked
from .manifest import remove_manifest, write_manifest
from .names import check_name, not_writable, reason, shown
from .preview import has_preview, remove_preview, write_preview
from .takes import Take, Takes, name_take

logger = logging.getLogger(__name__)

_SHOWN: weakref.WeakSet[RunStore] = weakref.WeakSet()
"""What this process gives out."""


@dataclass(eq=False)
class RunStore:
    """The kept chunks of one run; see :func:`open_run`."""

    folder: Path
    fingerprint: Callable[[ChunkState], Fingerprint]
    """What the next chunk of a state is made from."""
    options: Options = field(default_factory=Options)
    kept: list[Kept] = field(default_factory=list)
    """The video, as far as it is made."""
    reused: int = 0
    planned: int = 0
    """Chunks of the whole video."""
    before: tuple[Tensor, ...] = ()
    """``(n, 3, H, W)``: what is given out in front of the kept frames."""
    behind: tuple[Tensor, ...] = ()
    """What is given out behind them."""
    takes: Takes = field(init=False)
    _finder: Finder = field(init=False)

    def __post_init__(self) -> None:
        self.takes = Takes(self.folder)
        self._finder = Finder(self.takes, self.fingerprint, self.options)

    @property
    def notes(self) -> list[str]:
        """What a user must know, for the report."""
        return self._finder.notes

    def note(self, note: str) -> None:
        """Say something in the report and the log, once."""
        self._finder.note(note)

    def check(self) -> None:
        """Raise RunError unless all takes that were chosen are there."""
        self._finder.check()

    def recall(self, state: ChunkState) -> ChunkState:
        """See :class:`~wan.protocols.ChunkStore`.

        Raises:
            RunError: if a take that was chosen is not there or does not go on from the chunk before, or no kept chunk
                is there whose end is to be kept.
        """
        self.planned = len(state.plan.chunks)
        state = self._finder.prepare(state)
        if (found := self._finder.find(state)) is None:
            self._say_making(state)
            return state
        kept, tensors = found
        kept.tensors, kept.taken = self._held(tensors), True
        self.kept.append(kept)
        self.reused += 1
        self._preview(kept, tensors["added"], state.plan.fps)
        logger.info("Chunk %d is taken from %s", state.made + 1, shown(self.folder))
        return state_behind(self._finder.vary(state, kept.facts), tensors, kept.facts)

    def keep(self, before: ChunkState, made: ChunkState) -> ChunkState:
        """Keep the chunk by which two states differ; returns the later one as it is kept.

        Frames are rounded, by default to half precision or to 8 bit where they are 8-bit values, before the next chunk
        sees them: what is kept is what that continued. Where the disk does not take the chunk it stays in memory.
        """
        known = self._finder.coming
        if known is None or before.plan is not made.plan:  # which follows the speed, where it is to
            before = replace(before, plan=made.plan)
            known = self.fingerprint(before)
        chunk, added = before.next_chunk, made.pieces[-1]
        assert made.latent is not None  # that of the chunk
        dtype = self.options.dtype if before.kept_end is None else torch.float32  # what stays may be 8 bit
        tensors = {"added": pack(added, dtype), "latent": made.latent.contiguous().cpu()}
        tail = made.tail(len(added) + chunk.overlap)[: chunk.overlap]
        if chunk.overlap and not torch.equal(tail, before.tail(chunk.overlap)):
            tensors["tail"] = pack(tail, dtype)
        take = self._name(chunk.index, known)
        facts = Facts(
            take.number,
            known.digest,
            known.own,
            known.token,
            known.reads.digest,
            known.reads.frames,
            known.reads.latents,
            known.seed,
            before.attempt_at(chunk.index),
            before.kept_end is not None,
            chunk.seam,
            len(tail) if "tail" in tensors else 0,
            before.plan.overlap_frames,
            made.exact_frames,
            made.records[-1],
            made_from.RESULTS,
        ).as_read()
        content = self._write(take, facts, tensors)
        path = self.takes.path(take) if content else None
        self.kept.append(Kept(facts, content or "", path, self._held(tensors) if content else tensors))
        self._preview(self.kept[-1], tensors["added"], before.plan.fps)
        self.write_manifest()
        return state_behind(before, tensors, facts)

    def shown(self) -> RunStore:
        """The same chunks to look at, without what their fingerprint holds on to: models and prompts. As long as it is
        there, none of them is deleted."""
        shown = RunStore(self.folder, no_fingerprint, kept=self.kept, before=self.before, behind=self.behind)
        _SHOWN.add(shown)
        return shown

    def footage(self, first: int = 0, *, free: bool = False) -> Iterator[Tensor]:
        """The frames, ``(n, 3, H, W)`` float32 at a time; each frame once, as the last chunk left it, between those of
        :attr:`before` and :attr:`behind`.

        Args:
            first: index of the chunk to begin with.
            free: whether to let go of what is in memory once it is given out.
        """
        yield from self.before if first == 0 else ()
        yield from read_footage(self.kept[first:], free=free)
        yield from self.behind

    @property
    def frames(self) -> int:
        """How many are kept."""
        return sum(kept.facts.frames for kept in self.kept)

    @property
    def given(self) -> int:
        """How many :meth:`footage` gives out."""
        return sum(map(len, (*self.before, *self.behind))) + self.frames

    @property
    def unused(self) -> list[Take]:
        """Takes that are no part of the video."""
        used = {kept.path.name for kept in self.kept if kept.path is not None}
        return [take for take in self.takes if take.name not in used]

    def drop_unused(self, keep: int) -> None:
        """Delete takes that are no part of the video, but for the newest ``keep - 1`` of each chunk, those whose end a
        chunk of the video keeps, and those of videos that this process still gives out."""
        if any(kept.path is None for kept in self.kept):
            self.note("takes_to_keep deletes nothing, since a part of this video is not on disk")
            return
        shown = {kept.path for store in _SHOWN for kept in store.kept if kept.path is not None}
        count, size, left = 0, 0, {}
        for take in reversed(self.unused):
            left[take.index] = left.get(take.index, 0) + 1
            path = self.takes.path(take)
            if left[take.index] <= keep - 1 or take.name in self._finder.bases or path in shown:
                continue
            bytes_of_take = self.takes.size(take)
            try:
                path.unlink(missing_ok=True)
            except OSError as error:
                self.note(f"{take.name} could not be deleted ({reason(error)})")
                continue
            remove_preview(path)
            self.takes.remove(take)
            count, size = count + 1, size + bytes_of_take
        if count:
            self.note(f"{count} unused takes were deleted ({_mebibytes(size)})")

    def describe(self) -> str:
        """What the run holds on disk."""
        every, unused = list(self.takes), self.unused
        size, spare = (_mebibytes(sum(map(self.takes.size, takes))) for takes in (every, unused))
        words = f"{shown(self.folder)} holds {len(every)} chunk files, {size}"
        return words + (f"; {len(unused)} of them, {spare}, are no part of this video" if unused else "")

    def write_manifest(self, making: Take | None = None) -> None:
        """Write ``run.json``, if the disk takes it: the chunks do without it, better than with an old one."""
        if self.options.limit == 0:
            return
        words: dict[str, Any] = {"run": self.folder.name, "version": made_from.VERSION, "results": made_from.RESULTS}
        words |= {"frames": self.frames, "planned": self.planned}
        known = self._finder.coming
        words |= {"making": None if making is None else making.name, "others": [take.name for take in self.unused]}
        words |= {"made_from": known.made_from if known else {}}
        try:
            write_manifest(self.folder, words, (kept.entry for kept in self.kept))
        except OSError as error:
            logger.warning("%s/run.json could not be written (%s)", shown(self.folder), reason(error))
            with contextlib.suppress(OSError):
                remove_manifest(self.folder)

    def _preview(self, kept: Kept, added: Tensor, fps: float) -> None:
        """Write what a kept chunk looks like beside it, unless that is there."""
        if not self.options.previews or kept.path is None:
            return
        try:
            if not has_preview(kept.path):
                write_preview(kept.path, unpack(added), fps)
            kept.seen = True
        except OSError as error:
            logger.warning("Chunk %d has no preview: %s", kept.facts.index + 1, reason(error))

    def _held(self, tensors: dict[str, Tensor]) -> dict[str, Tensor] | None:
        found = {name: tensors[name] for name in ("added", "tail") if name in tensors}
        return found if self.options.in_memory else None

    def _write(self, take: Take, facts: Facts, tensors: dict[str, Tensor]) -> str | None:
        """Write a chunk's file; returns the digest of its content, or None where it stays in memory."""
        if self.options.limit == 0 or (self.kept and self.kept[-1].path is None):  # behind a gap nothing is taken up
            return None
        need = sum(tensor.nbytes for tensor in tensors.values())
        if self.options.limit is not None and need + sum(map(self.takes.size, self.takes)) > self.options.limit:
            why = f"{_mebibytes(self.options.limit)} are taken"
        else:
            try:
                content = write_chunk(self.takes.path(take), facts, tensors)
                self.takes.add(take)
                return content
            except OSError as error:
                why = reason(error)
        self.note(f"chunk {facts.index + 1} could not be kept ({why}): it and all after it stay in memory")
        return None

    def _name(self, index: int, known: Fingerprint) -> Take:
        """What the chunk's file is called: as one that is damaged, or of a number that is free."""
        same = self.takes.find(index, known.digest, known.token)
        number = same[0].number if same else self.takes.next_number(index)
        return name_take(index, number, known.digest, known.token)

    def _say_making(self, state: ChunkState) -> None:
        known = self._finder.coming
        assert known is not None  # the chunk was looked for
        if known.unknown and not self.options.reuse_unsure and self.options.limit is None:
            self.note(
                f"{listed(known.unknown)} could not be fingerprinted: chunks made with that are taken up again in this "
                "run of ComfyUI alone, unless when_unsure is reuse"
            )
        self.write_manifest(self._name(state.made, known))


@contextlib.contextmanager
def open_run(
    folder: Path, name: str, fingerprint: Callable[[ChunkState], Fingerprint], options: Options | None = None
) -> Iterator[RunStore]:
    """Hold the run ``name`` below ``folder`` for one job: a context manager that gives its :class:`RunStore`.

    Raises:
        RunError: if the name is none, another job holds the run, or the folder cannot be written to.
    """
    run = folder / check_name(name)
    with locked(run):
        try:
            check_writable(run)
        except OSError as error:
            raise not_writable(run, error) from error
        store = RunStore(run, fingerprint, options or Options())
        if store.takes.old:
            store.note(f"{store.takes.old} chunk files of version 0.1.0 are not read: delete them")
        store.check()
        yield store
        store.write_manifest()


def no_fingerprint(state: ChunkState) -> Fingerprint:
    """For a store to look at, in which nothing is looked for."""
    raise TypeError("This run is open to look at, not to go on with.")


def _mebibytes(count: int) -> str:
    return f"{count / 2**20:.0f} MiB" if count < 10 * 2**30 else f"{count / 2**30:.1f} GiB"
