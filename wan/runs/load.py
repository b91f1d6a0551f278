"""The video of a run as it was left, to look at."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import torch
from torch import Tensor

from .facts import Facts
from .files import ChunkFileError
from .fingerprint import digest_end
from .kept import read_take
from .manifest import read_manifest
from .names import check_name
from .store import RunStore, no_fingerprint
from .takes import Take


def load_run(folder: Path, name: str) -> RunStore:
    """What is kept of a run's video, as far as its chunks are whole and go on from each other.

    Its manifest says which takes those are. Where it is gone or damaged, the newest that fit make the video.

    Raises:
        RunError: if the name is none.
    """
    store = RunStore(folder / check_name(name), no_fingerprint)
    manifest = read_manifest(store.folder)
    if manifest is None:
        _take_newest(store)
        return store
    for take in manifest.takes:
        if not _take(store, [take], told=True):
            return store
    if manifest.making is not None:  # it may have been finished just before a crash
        _take(store, [manifest.making], told=False)
    return store


def _take_newest(store: RunStore) -> None:
    """Put the newest takes together that go on from each other."""
    if any(True for _ in store.takes):
        store.note("run.json is missing or damaged: the newest chunks that go on from each other are shown")
    while takes := store.takes.of(len(store.kept)):
        if not _take(store, reversed(takes), told=True):
            return
    if any(take.index > len(store.kept) for take in store.takes):
        store.note(f"chunk {len(store.kept) + 1} is missing: what follows is left out")


def _take(store: RunStore, takes: Iterable[Take], *, told: bool) -> bool:
    """Put the first of some takes behind the chunks so far that is whole and goes on from them.

    Args:
        told: whether to say why there is none.
    """
    why = ""
    for take in takes:
        try:
            found = read_take(store.takes, take)
            if found is None:
                raise ChunkFileError("is missing")
            _check_order(store, found[0].facts, found[1])
        except ChunkFileError as error:
            why = why or f"{take.name} {error}: it and what follows are left out"
            continue
        store.kept.append(found[0])
        return True
    if told:
        store.note(why)
    return False


def _check_order(store: RunStore, facts: Facts, tensors: dict[str, Tensor]) -> None:
    """Raise ChunkFileError unless a chunk goes on from those that are kept."""
    if facts.index != len(store.kept):
        raise ChunkFileError("does not follow the chunk before it")
    # What a video goes on from is not kept with it.
    first = store.kept[0].facts if store.kept else facts
    sourced = first.read_frames > 0
    if facts.start != store.frames or (facts.tail > store.frames and not sourced):
        raise ChunkFileError(f"does not go on behind frame {store.frames}")
    if not store.kept:
        return
    if tensors["added"].shape[2:] != store.kept[-1].read("added")["added"].shape[2:]:
        raise ChunkFileError("is of another size than the chunks before it")
    if sourced and facts.read_frames > store.frames:
        return
    if facts.reads and facts.reads != _digest_end(store, facts.read_frames, facts.read_latents):
        raise ChunkFileError("was made behind another chunk")


def _digest_end(store: RunStore, frames: int, latents: int) -> str:
    """The digest of how the video so far ends; see :func:`~wan.runs.fingerprint.digest_end`."""
    first, have = len(store.kept), 0
    while first > 0 and have < frames:
        first -= 1
        have += store.kept[first].facts.frames
    tail = torch.cat(list(store.footage(first)))[-frames:]
    return digest_end(tail, store.kept[-1].read("latent")["latent"], latents)
