"""The video so far and what the next chunk needs: what goes from node to node."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from ..blending.seam import SeamReport
from .chunks import Chunk, ChunkPlan
from .guide import ChunkGuide, GuideSettings
from .prompts import Entry

TAKES = 64
"""Noises that belong to one variation: more than a chunk may be tried again."""


@dataclass(frozen=True)
class ChunkState:
    """The video so far and what the next chunk needs."""

    plan: ChunkPlan
    start: Tensor
    """``(N, 3, H, W)`` in [0, 1]: the frames that the video starts from, at its size."""
    settings: GuideSettings = field(default_factory=GuideSettings)
    region: Tensor | None = None
    """``(1, 1, H, W)`` in [0, 1]: scales motion guidance."""
    pieces: tuple[Tensor, ...] = ()
    """Per finished chunk the frames that it added, ``(n, 3, H, W)``."""
    released: int = 0
    """Finished chunks before ``pieces`` whose frames are kept elsewhere."""
    latent: Tensor | None = None
    """``(1, 16, T, h, w)``: the last chunk as sampled."""
    guide: ChunkGuide | None = None
    """Of the chunk that is being sampled; None between chunks."""
    intact: int = 0
    """The video's last frames that are as ``latent`` decodes, so that it may be handed on for them."""
    seam: SeamReport | None = None
    """Of the last chunk; None after the first and after a cut."""
    end: Tensor | None = None
    """``(1, 3, H, W)``: the picture that the video is to end with."""
    start_original: Tensor | None = None
    """``(1, 3, H, W)``: the first frame of ``start`` before it was scaled and cropped to the video."""
    end_original: Tensor | None = None
    """``(1, 3, H, W)``: ``end``, likewise."""
    effective: GuideSettings | None = None
    """``settings`` as they are for the guided chunk, by its speed."""
    speed: float | None = None
    """Of the frames handed to the guided chunk, if it was measured; see :func:`~wan.presets.measure_speed`."""
    vary_from: int | None = None
    """The first chunk, by index, that is made from other noise than its seed says."""
    variation: int = 0
    """Which other noise; 0 is none."""
    doubts: tuple[str, ...] = ()
    """What may not be meant so: the report begins with it."""
    notes: tuple[str, ...] = ()
    """What the report says before the chunks: settings, seeds, LoRAs."""
    excess: tuple[float | None, ...] = ()
    """Per finished chunk how far its seam stands out, 1 being as far as one in a hundred places of real video does;
    None where there is no seam."""
    lines: tuple[str, ...] = ()
    """The report, a line per finished chunk."""

    def __post_init__(self) -> None:
        overlap = self.plan.overlap_frames
        if self.settings.level == "last_frame" and overlap != 1 and len(self.plan.chunks) > 1:
            raise ValueError(f"Level last_frame overlaps by one frame, but the plan by {overlap}. Plan with 1.")

    @property
    def chunk(self) -> Chunk | None:
        """The chunk to make next, None when the video is finished."""
        return self.plan.chunks[self.made] if self.made < len(self.plan.chunks) else None

    @property
    def made(self) -> int:
        """How many chunks are finished."""
        return self.released + len(self.pieces)

    @property
    def video(self) -> Tensor:
        """``(F, 3, H, W)``: all frames so far, but for those that were released."""
        return torch.cat(self.pieces)

    def attempt_at(self, index: int) -> int:
        """The attempt that a chunk's noise begins with."""
        return TAKES * self.variation if self.vary_from is not None and index >= self.vary_from else 0

    def tail(self, count: int) -> Tensor:
        """The last ``count`` frames, which may lie in several pieces."""
        pieces, have = [], 0
        for piece in reversed(self.pieces):
            pieces.insert(0, piece)
            have += len(piece)
            if have >= count:
                break
        return torch.cat(pieces)[-count:]

    def end_of(self, chunk: Chunk) -> Tensor | None:
        """The picture that ``chunk`` is to end with, if there is one."""
        if not self.plan.closes(chunk):
            return None
        own = self.plan.entries[chunk.entry].end_image if self.plan.entries else None
        return self.end if own is None and chunk.stop >= self.plan.total_frames else own

    def origin_of(self, chunk: Chunk) -> Tensor:
        """The picture ``(1, 3, H, W)`` that the scene of ``chunk`` began with."""
        scene = self._scene(chunk)
        return self.start[:1] if scene is None else scene.start_image[:1]

    def original_of(self, chunk: Chunk) -> Tensor:
        """:meth:`origin_of` as it was given, neither scaled nor cropped, as far as that is known."""
        scene = self._scene(chunk)
        original = self.start_original if scene is None else scene.start_original
        return self.origin_of(chunk) if original is None else original

    def original_end_of(self, chunk: Chunk) -> Tensor | None:
        """:meth:`end_of` as it was given, neither scaled nor cropped, as far as that is known."""
        end = self.end_of(chunk)
        if end is None:
            return None
        original = self.end_original if end is self.end else self.plan.entries[chunk.entry].end_original
        return end if original is None else original

    def _scene(self, chunk: Chunk) -> Entry | None:
        """The entry whose cut began the scene of ``chunk``; None for the scene that the video starts with."""
        first = self.plan.scene(chunk)
        return self.plan.entries[first.entry] if self.plan.cuts(first) else None

    def noted(self, notes: Iterable[str] = (), doubts: Iterable[str] = ()) -> ChunkState:
        """With notes and doubts, but for those that it has."""
        notes, doubts = (*self.notes, *notes), (*self.doubts, *doubts)
        return replace(self, notes=tuple(dict.fromkeys(notes)), doubts=tuple(dict.fromkeys(doubts)))

    def timeline(self) -> dict:
        """The plan and its seams in plain numbers, for a picture of them."""
        chunks = [
            {
                "start": chunk.start,
                "stop": min(chunk.stop, self.plan.total_frames),
                "seam": chunk.seam,
                "entry": chunk.entry + 1 if len(self.plan.entries) > 1 else None,
                "excess": self.excess[chunk.index] if chunk.index < len(self.excess) else None,
                "words": self.lines[chunk.index] if chunk.index < len(self.lines) else "",
            }
            for chunk in self.plan.chunks
        ]
        return {"total": self.plan.total_frames, "fps": self.plan.fps, "chunks": chunks}

    def report(self) -> str:
        """The doubts, the plan, the notes, then a line per finished chunk."""
        doubts = (f"WARNING: {doubt}" for doubt in self.doubts)
        return "\n".join((*doubts, self.plan.describe(), *self.notes, *self.lines))
