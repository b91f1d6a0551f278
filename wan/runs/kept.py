"""One kept chunk: where it is, what it says, and how its frames are packed."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..kept_end import KeptEnd, latents_to_keep
from ..latents import SPATIAL_STRIDE, TEMPORAL_STRIDE, latent_length
from ..state import ChunkState
from .facts import Facts
from .files import ChunkFileError, read_chunk, read_facts, read_whole
from .names import RunError, shown
from .takes import Take, Takes, name_take


@dataclass
class Kept:
    """A chunk that is kept: on disk, in memory where the disk would not take it, or with its frames in both."""

    facts: Facts
    content: str
    path: Path | None
    tensors: dict[str, Tensor] | None = None
    taken: bool = False
    """Whether it was there before the job that holds it, and not made by that."""
    seen: bool = False
    """Whether a film and a still of it are beside it."""

    @functools.cached_property
    def entry(self) -> str:
        """Its line of ``run.json``, which is written anew with every chunk."""
        words: dict[str, Any] = {
            "chunk": self.facts.index + 1,
            "file": self.path.name if self.path else None,
            "take": self.facts.take,
            "frames": [self.facts.start, self.facts.start + self.facts.frames - 1],
            "fingerprint": self.facts.fingerprint,
            "content": self.content,
            "report": self.facts.record.describe(),
        }
        return json.dumps(words, ensure_ascii=False)

    def read(self, *names: str) -> dict[str, Tensor]:
        """Some of its tensors.

        Raises:
            RunError: if its file was removed or replaced since.
        """
        if self.tensors is not None and (self.path is None or "latent" not in names):
            return {name: tensor for name, tensor in self.tensors.items() if name in names}
        assert self.path is not None  # what is not in memory is on disk
        name = f"{shown(self.path.parent)}/{self.path.name}"
        try:
            found = read_chunk(self.path, names)
        except ChunkFileError as error:
            raise RunError(f"{name} {error}. Queue the workflow again: the chunk is made again.") from None
        if found is None or found[:2] != (self.facts, self.content):
            raise RunError(f"{name} was removed or replaced. Queue the workflow again: the chunk is made again.")
        return found[2]


def read_take(takes: Takes, take: Take) -> tuple[Kept, dict[str, Tensor]] | None:
    """A take with its tensors, if it is what its name says, to the bit; None if there is no file.

    Raises:
        ChunkFileError: if it is not.
    """
    path = takes.path(take)
    found = read_facts(path)
    if found is None:
        return None
    facts, content = found
    if name_take(facts.index, facts.take, facts.fingerprint, facts.token) != take:
        raise ChunkFileError("is not what its name says")
    return Kept(facts, content, path), read_whole(path, facts, content)


def read_footage(chunks: Sequence[Kept], *, free: bool = False) -> Iterator[Tensor]:
    """The frames of chunks behind one another, ``(n, 3, H, W)`` float32 at a time; each frame once, as the last chunk
    left it.

    Args:
        free: whether to let go of what is in memory once it is given out.
    """
    held, longest = None, max((kept.facts.tail for kept in chunks), default=0)
    for kept in chunks:
        tensors = kept.read("added", "tail")
        if free:
            kept.tensors = None
        if held is not None and "tail" in tensors:
            tail = unpack(tensors["tail"])[-len(held) :]
            held = torch.cat((held[: -len(tail)], tail))
        added = unpack(tensors["added"])
        held = added if held is None else torch.cat((held, added))
        if len(held) > longest:
            yield held[: len(held) - longest]
            held = held[len(held) - longest :]
    if held is not None and len(held):
        yield held


def check_place(state: ChunkState, facts: Facts, tensors: dict[str, Tensor]) -> None:
    """Raise ChunkFileError unless a chunk is as large as planned: whoever wrote its file may know its fingerprint."""
    chunk, (height, width) = state.next_chunk, state.size
    cells = (latent_length(chunk.length), height // SPATIAL_STRIDE, width // SPATIAL_STRIDE)
    planned = (chunk.index, chunk.seam, state.plan.added(chunk), (height, width), cells)
    sizes = (tuple(tensors["added"].shape[2:]), tuple(tensors["latent"].shape[2:]))
    if (facts.index, facts.start, facts.frames, *sizes) != planned or facts.tail > chunk.overlap:
        raise ChunkFileError("does not fit the plan")


def state_behind(before: ChunkState, tensors: dict[str, Tensor], facts: Facts) -> ChunkState:
    """The state behind a chunk, from what is kept of it; frames that nothing needs any more are dropped."""
    plan = before.plan
    if "overlap_frames" in before.settings.adaptive and before.made and facts.planned_overlap != plan.overlap_frames:
        plan = plan.replan(before.made, facts.planned_overlap)
    chunk, record = plan.chunks[before.made], facts.record
    # Prompts may be numbered in another way by now.
    record = replace(record, prompt=before.prompt_of(chunk, record.speed) if plan.varied else None)
    if "tail" in tensors:
        before = before.with_tail(unpack(tensors["tail"]))
    state = replace(
        before.with_piece(unpack(tensors["added"]), facts.exact_frames),
        plan=plan,
        latent=tensors["latent"],
        guide=None,
        kept_end=None,
        records=(*before.records, record),
    )
    return state.noted(warnings=record.warnings).without_stored()


def take_end(behind: ChunkState, frames: int) -> KeptEnd:
    """The end of a video's last chunk, for a chunk that is made again in its place.

    Args:
        frames: that the chunk behind it reads.

    Raises:
        RunError: if the chunk is too short to keep so much of it.
    """
    assert behind.latent is not None  # that of the chunk
    count, added = latents_to_keep(frames), behind.records[-1].added
    if TEMPORAL_STRIDE * count >= added:
        raise RunError(
            f"keep_later: the chunk behind it goes on from the last {frames} frames of chunk {behind.made}, which adds "
            f"{added}: nothing is left to make again. Let the later chunks be made again too, or use longer chunks."
        )
    return KeptEnd(
        behind.tail(TEMPORAL_STRIDE * count), behind.latent[:, :, -count:], frames, min(frames, behind.exact_frames)
    )


def pack(frames: Tensor, dtype: torch.dtype = torch.float16) -> Tensor:
    """Frames in [0, 1] as 8 bit where that is exact, else in ``dtype``."""
    levels = (frames * 255).round()
    exact = levels.amin() >= 0 and levels.amax() <= 255 and torch.equal(levels / 255, frames)
    return (levels.to(torch.uint8) if exact else frames.to(dtype)).contiguous().cpu()


def unpack(frames: Tensor) -> Tensor:
    """What was packed, in float32."""
    return frames.float() / 255 if frames.dtype == torch.uint8 else frames.float()
