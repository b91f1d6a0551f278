"""A run on disk: each finished chunk is kept as it is finished, and taken up again by an equal run.

A chunk file says itself what it was made from (``fingerprint``), what came before it (``previous``) and what it holds
(``content``). Nothing else is trusted: ``run.json`` is for people, and written from the files.
"""

from __future__ import annotations

import contextlib
import json
import logging
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch
from torch import Tensor

from ..append import replace_tail
from ..state import ChunkState
from . import fingerprint as made_from
from .digest import digest
from .facts import Facts
from .files import ChunkFileError, check_writable, read_facts, read_whole, write_chunk, write_text
from .kept import Kept, check_place, pack, unpack
from .lock import locked
from .names import check_name, not_writable, reason, shown

logger = logging.getLogger(__name__)

NAME = "chunk_{:04d}.safetensors"
KEPT = re.compile(r"chunk_([0-9]{4,9})\.safetensors")


@dataclass
class RunStore:
    """The kept chunks of one run; see :func:`open_run`."""

    folder: Path
    fingerprint: Callable[[ChunkState], dict]
    """What the next chunk of a state is made from, as far as this run decides it."""
    kept: list[Kept] = field(default_factory=list)
    reused: int = 0
    notes: list[str] = field(default_factory=list)
    """What went wrong, for the report."""
    _warned: bool = field(init=False, default=False)

    def recall(self, state: ChunkState) -> ChunkState | None:
        """The state behind its next chunk, if an equal one is kept whole; None if it is to be made."""
        path = self.folder / NAME.format(state.made + 1)
        try:
            found = read_facts(path)
            if found is None or not self._is_ours(path, found[0]):
                return None
            facts, content = found
            if "overlap_frames" in state.settings.adaptive and state.made:
                state = replace(state, plan=state.plan.replan(state.made, facts.planned_overlap))
            if facts.previous != self._last or facts.fingerprint != self._digest(state):
                logger.info("Chunk %d was made from something else before: it is regenerated", state.made + 1)
                return None
            tensors = read_whole(path, facts, content)
            check_place(state, facts, tensors)
        except ChunkFileError as error:
            self._note(f"{path.name} {error} and is regenerated")
            return None
        self.kept.append(Kept(facts, content, path))
        self.reused += 1
        logger.info("Chunk %d is taken from %s", state.made + 1, path.name)
        return self._behind(state, tensors, facts)

    def keep(self, before: ChunkState, made: ChunkState) -> ChunkState:
        """Keep the chunk by which two states differ; returns the later one as it is kept.

        Frames are rounded to half precision, or to 8 bit where they are 8-bit values, before the next chunk sees them:
        what is kept is what that continued. Where the disk does not take the chunk it stays in memory.
        """
        before = replace(before, plan=made.plan)  # which follows the speed, where it is to
        added, overlap = made.pieces[-1], before.next_chunk.overlap
        assert made.latent is not None  # that of the chunk
        tensors = {"added": pack(added), "latent": made.latent.contiguous().cpu()}
        tail = made.tail(len(added) + overlap)[:overlap]
        if overlap and not torch.equal(tail, before.tail(overlap)):
            tensors["tail"] = pack(tail)
        facts = Facts(
            self._digest(before),
            self._last,
            before.next_chunk.seam,
            len(tail) if "tail" in tensors else 0,
            before.plan.overlap_frames,
            made.exact_frames,
            made.records[-1],
            made_from.RESULTS,
        ).as_read()
        path, content = self.folder / NAME.format(facts.index + 1), None
        if not (self.kept and self.kept[-1].path is None):  # behind a gap nothing can be taken up again
            try:
                content = write_chunk(path, facts, tensors)
            except OSError as error:
                why = reason(error)
                self._note(f"chunk {facts.index + 1} could not be kept ({why}): it and all after it stay in memory")
        self.kept.append(Kept(facts, content or "", path if content else None, None if content else tensors))
        with contextlib.suppress(OSError):  # it is for people; the chunks do without it
            self.write_manifest()
        return self._behind(before, tensors, facts)

    def shown(self) -> RunStore:
        """The same chunks to look at, without what their fingerprint holds on to: models and prompts."""
        return RunStore(self.folder, lambda state: {}, self.kept)

    def footage(self) -> Iterator[Tensor]:
        """The frames so far, ``(n, 3, H, W)`` float32 at a time; each frame once, as the last chunk left it."""
        held, longest = None, max((kept.facts.tail for kept in self.kept), default=0)
        for kept in self.kept:
            tensors = kept.read("added", "tail")
            if held is not None and "tail" in tensors:
                held = torch.cat((held[: -kept.facts.tail], unpack(tensors["tail"])))
            added = unpack(tensors["added"])
            held = added if held is None else torch.cat((held, added))
            if len(held) > longest:
                yield held[: len(held) - longest]
                held = held[len(held) - longest :]
        if held is not None and len(held):
            yield held

    @property
    def frames(self) -> int:
        return sum(kept.facts.frames for kept in self.kept)

    def write_manifest(self) -> None:
        """Write ``run.json``: what is kept, for people."""
        chunks = [
            {
                "chunk": kept.facts.index + 1,
                "file": kept.path.name if kept.path else None,
                "frames": [kept.facts.start, kept.facts.start + kept.facts.frames - 1],
                "fingerprint": kept.facts.fingerprint,
                "content": kept.content,
                "report": kept.facts.record.describe(),
            }
            for kept in self.kept
        ]
        text = {"run": self.folder.name, "version": made_from.VERSION, "results": made_from.RESULTS}
        text |= {"frames": self.frames, "chunks": chunks, "made_from": self._made_from}
        write_text(self.folder / "run.json", json.dumps(text, indent=1, ensure_ascii=False) + "\n")

    def _is_ours(self, path: Path, facts: Facts) -> bool:
        """Whether a file was made by a version that makes the same; that it was not is said once."""
        if facts.results == made_from.RESULTS:
            return True
        if not self._warned:
            self._note(
                f"{path.name} and what follows were made by another version of Wan Motion Chunks, whose results differ "
                f"(number {facts.results}, here {made_from.RESULTS}), and are regenerated"
            )
            self._warned = True
        return False

    def _note(self, note: str) -> None:
        logger.warning("%s: %s", shown(self.folder), note)
        self.notes.append(note)

    @property
    def _last(self) -> str:
        return self.kept[-1].content if self.kept else ""

    def _digest(self, state: ChunkState) -> str:
        self._made_from = self.fingerprint(state)
        return digest(self._made_from, self._last)

    def _behind(self, before: ChunkState, tensors: dict[str, Tensor], facts: Facts) -> ChunkState:
        """The state behind a chunk, from what is kept of it; frames that nothing needs any more are dropped."""
        pieces = before.pieces
        if "tail" in tensors:
            pieces = replace_tail(pieces, unpack(tensors["tail"]))
        pieces = (*pieces, unpack(tensors["added"]))
        state = replace(
            before,
            pieces=pieces,
            latent=tensors["latent"],
            guide=None,
            exact_frames=facts.exact_frames,
            records=(*before.records, facts.record),
        )
        return state.noted(warnings=facts.record.warnings).without_stored()


@contextlib.contextmanager
def open_run(folder: Path, name: str, fingerprint: Callable[[ChunkState], dict], *, overwrite: bool = False):
    """Hold the run ``name`` below ``folder`` for one job: a context manager that gives its :class:`RunStore`.

    Args:
        overwrite: forget what was kept before.

    Raises:
        RunError: if the name is none, another job holds the run, or the folder cannot be written to.
    """
    run = folder / check_name(name)
    with locked(run):
        try:
            check_writable(run)
            for path in _kept_files(run) if overwrite else ():
                path.unlink()
        except OSError as error:
            raise not_writable(run, error) from error
        yield RunStore(run, fingerprint)


def load_run(folder: Path, name: str) -> RunStore:
    """What is kept of a run, as far as its chunks are whole and follow each other; to look at, not to go on with.

    Raises:
        RunError: if the name is none.
    """
    store, size = RunStore(folder / check_name(name), lambda state: {}), None
    while True:
        path = store.folder / NAME.format(len(store.kept) + 1)
        try:
            found = read_facts(path)
            if found is None:
                break
            facts, content = found
            _check_order(store, facts)
            tensors = read_whole(path, facts, content)
            size = size or tensors["added"].shape[2:]
            if tensors["added"].shape[2:] != size:
                raise ChunkFileError("is of another size than the chunks before it")
        except ChunkFileError as error:
            store._note(f"{path.name} {error}: it and what follows are left out")
            return store
        store.kept.append(Kept(facts, content, path))
    if any(int(later.stem.removeprefix("chunk_")) > len(store.kept) for later in _kept_files(store.folder)):
        store._note(f"{path.name} is missing: what follows is left out")
    return store


def list_chunks(run: Path) -> list[tuple[str, int, int, int]]:
    """Which chunk files a run has, as far as can be seen without reading them; changes whenever one does."""
    found = []
    for path in sorted(_kept_files(run)):
        with contextlib.suppress(FileNotFoundError):  # it is being replaced, or is a link to nothing
            status = path.stat()
            found.append((path.name, status.st_size, status.st_mtime_ns, status.st_ino))
    return found


def _kept_files(run: Path) -> list[Path]:
    """The chunk files of a run's folder, in no order."""
    return [path for path in run.iterdir() if KEPT.fullmatch(path.name)] if run.is_dir() else []


def _check_order(store: RunStore, facts: Facts) -> None:
    """Raise ChunkFileError unless a chunk follows those that are kept."""
    if (facts.index, facts.previous) != (len(store.kept), store._last):
        raise ChunkFileError("does not follow the chunk before it")
    if facts.start != store.frames or facts.tail > store.frames:
        raise ChunkFileError(f"does not go on behind frame {store.frames}")
