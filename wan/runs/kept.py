"""One kept chunk: where it is, what it says, and how its frames are packed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from ..latents import SPATIAL_STRIDE, latent_length
from ..state import ChunkState
from .facts import Facts
from .files import ChunkFileError, read_chunk
from .names import RunError, shown


@dataclass
class Kept:
    """A chunk that is kept: on disk, or in memory where the disk would not take it."""

    facts: Facts
    content: str
    path: Path | None
    tensors: dict[str, Tensor] | None = None

    def read(self, *names: str) -> dict[str, Tensor]:
        """Some of its tensors.

        Raises:
            RunError: if another job has regenerated the chunk since.
        """
        if self.tensors is not None:
            return {name: tensor for name, tensor in self.tensors.items() if name in names}
        assert self.path is not None  # what is not in memory is on disk
        name = f"{shown(self.path.parent)}/{self.path.name}"
        try:
            found = read_chunk(self.path, names)
        except ChunkFileError as error:
            raise RunError(f"{name} {error}. Queue this video again.") from None
        if found is None or found[:2] != (self.facts, self.content):
            raise RunError(f"{name} was regenerated or removed by another job. Queue this video again.")
        return found[2]


def check_place(state: ChunkState, facts: Facts, tensors: dict[str, Tensor]) -> None:
    """Raise ChunkFileError unless a chunk is as large as planned: whoever wrote its file may know its fingerprint."""
    chunk, (height, width) = state.next_chunk, state.size
    cells = (latent_length(chunk.length), height // SPATIAL_STRIDE, width // SPATIAL_STRIDE)
    planned = (chunk.index, chunk.seam, state.plan.added(chunk), (height, width), cells)
    sizes = (tuple(tensors["added"].shape[2:]), tuple(tensors["latent"].shape[2:]))
    if (facts.index, facts.start, facts.frames, *sizes) != planned or facts.tail > chunk.overlap:
        raise ChunkFileError("does not fit the plan")


def pack(frames: Tensor) -> Tensor:
    """Frames in [0, 1] as 8 bit where that is exact, else in half precision."""
    levels = (frames * 255).round()
    exact = levels.amin() >= 0 and levels.amax() <= 255 and torch.equal(levels / 255, frames)
    return (levels.to(torch.uint8) if exact else frames.half()).contiguous().cpu()


def unpack(frames: Tensor) -> Tensor:
    """What was packed, in float32."""
    return frames.float() / 255 if frames.dtype == torch.uint8 else frames.float()
