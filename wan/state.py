"""The video so far and what the next chunk needs: what goes from node to node."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from ..blending.seam import SeamReport
from .chunks import Chunk, ChunkPlan
from .guide import ChunkGuide
from .kept_end import KeptEnd
from .presets import FAST, FRAMES, lora_factor
from .prompts import ChunkPrompt, Keyframe
from .records import ChunkRecord
from .report import Making, write_report
from .settings import GuideSettings

ATTEMPTS = 64
"""Seeds that belong to one variation: more than a chunk may be regenerated."""


@dataclass(frozen=True)
class ChunkState:
    """The video so far and what the next chunk needs."""

    plan: ChunkPlan
    start: Tensor
    """``(N, 3, H, W)`` in [0, 1]: the frames that the video starts from, at its size; none where it starts from a
    prompt alone."""
    settings: GuideSettings = field(default_factory=GuideSettings)
    region: Tensor | None = None
    """``(1, 1, H, W)`` in [0, 1]: scales motion guidance."""
    pieces: tuple[Tensor, ...] = ()
    """Per finished chunk the frames that it added, ``(n, 3, H, W)``."""
    stored: int = 0
    """Finished chunks before ``pieces`` whose frames are kept elsewhere."""
    latent: Tensor | None = None
    """``(1, 16, T, h, w)``: the last chunk as sampled."""
    guide: ChunkGuide | None = None
    """Of the chunk that is being sampled; None between chunks."""
    exact_frames: int = 0
    """The video's last frames that are as ``latent`` decodes, so that it may be reused for them."""
    end: Tensor | None = None
    """``(1, 3, H, W)``: the picture that the video is to end with."""
    start_original: Tensor | None = None
    """``(1, 3, H, W)``: the first frame of ``start`` before it was scaled and cropped to the video."""
    end_original: Tensor | None = None
    """``(1, 3, H, W)``: ``end``, likewise."""
    vary_from: int | None = None
    """The first chunk, by index, that is made with another seed than its own."""
    variation: int = 0
    """Which other seed; 0 is its own."""
    keep_later: bool = False
    """Whether the chunks behind ``vary_from`` stay as they were."""
    source: tuple[Tensor, ...] = ()
    """``(n, 3, H, W)``: a given video that this one goes on from. Joins may change the last of its parts."""
    reference: Tensor | None = None
    """``(1, 3, H, W)``: a picture of what is to be seen, for models that take one."""
    kept_end: KeptEnd | None = None
    """What the next chunk is to end with, since a kept one goes on from there."""
    warnings: tuple[str, ...] = ()
    """What may not be meant so: the report begins with it."""
    notes: tuple[str, ...] = ()
    """What the report says before the chunks: settings, seeds, LoRAs."""
    records: tuple[ChunkRecord, ...] = ()
    """Of each finished chunk."""

    def __post_init__(self) -> None:
        overlap = self.plan.overlap_frames
        fixed = self.settings.fixed_overlap
        if fixed not in (None, overlap) and (len(self.plan.chunks) > 1 or self.plan.source_frames):
            raise ValueError(
                f"Level {self.settings.continuity} overlaps by {fixed}, but the plan by {overlap}. Plan with {fixed}."
            )

    @property
    def chunk(self) -> Chunk | None:
        """The chunk to make next, None when the video is finished."""
        return self.plan.chunks[self.made] if self.made < len(self.plan.chunks) else None

    @property
    def next_chunk(self) -> Chunk:
        """:attr:`chunk`, for what only a chunk in the making is asked.

        Raises:
            ValueError: if the video is finished.
        """
        if self.chunk is None:
            raise ValueError(
                f"All {len(self.plan.chunks)} chunks of this video are made. Raise its length, or run the loop less "
                "often."
            )
        return self.chunk

    @property
    def current_guide(self) -> ChunkGuide:
        """:attr:`guide`, for what only a chunk in the making is asked.

        Raises:
            ValueError: if no chunk is being made.
        """
        if self.guide is None:
            raise ValueError("No chunk is being made. Put Guide Next Chunk before the sampler and connect its state.")
        return self.guide

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the video in pixels."""
        height, width = self.start.shape[-2:]
        return height, width

    @property
    def made(self) -> int:
        """How many chunks are finished."""
        return self.stored + len(self.pieces)

    @property
    def video(self) -> Tensor:
        """``(F, 3, H, W)``: all frames so far, those of a given video included, but for those that are kept
        elsewhere."""
        return torch.cat((*self.source, *self.pieces))

    @property
    def _shown(self) -> tuple[Tensor, ...]:
        """The parts of the video, as far back as they are here."""
        return self.pieces if self.stored else (*self.source, *self.pieces)

    @property
    def overlap_follows(self) -> bool:
        """Whether the next chunk's overlap follows the speed: a first chunk's never does, whatever it goes on from."""
        return "overlap_frames" in self.settings.adaptive and self.made > 0 and self.next_chunk.overlap > 0

    def attempt_at(self, index: int) -> int:
        """The attempt that a chunk's noise begins with."""
        if self.vary_from is None:
            return 0
        varied = index == self.vary_from if self.keep_later else index >= self.vary_from
        return ATTEMPTS * self.variation if varied else 0

    def tail(self, count: int) -> Tensor:
        """The last ``count`` frames, which may lie in several pieces."""
        pieces, have = [], 0
        for piece in reversed(self._shown):
            pieces.insert(0, piece[-(count - have) :])  # sliced before they are copied: what is not needed is not held
            have += len(pieces[0])
            if have >= count:
                break
        return torch.cat(pieces)

    def last_piece(self, most: int) -> Tensor:
        """The last frames of the chunk before, or of the given video, at most so many."""
        return self._shown[-1][-most:]

    def with_tail(self, tail: Tensor) -> ChunkState:
        """With the video's last frames replaced; parts that stay are not copied."""
        pieces = list(self._shown)
        for index in range(len(pieces) - 1, -1, -1):
            if not len(tail):
                break
            own = tail[-len(pieces[index]) :]
            tail = tail[: len(tail) - len(own)]
            if not torch.equal(own, pieces[index][-len(own) :]):
                pieces[index] = torch.cat((pieces[index][: -len(own)], own))
        first = len(pieces) - len(self.pieces)
        return replace(self, source=tuple(pieces[:first]) or self.source, pieces=tuple(pieces[first:]))

    def with_piece(self, added: Tensor, exact_frames: int) -> ChunkState:
        """With the frames of one more chunk."""
        return replace(self, pieces=(*self.pieces, added), exact_frames=exact_frames)

    def without_stored(self) -> ChunkState:
        """Without the pieces, kept elsewhere, whose frames neither the next chunk nor a measure needs."""
        longest = FAST.overlap_frames + 1 if "overlap_frames" in self.settings.adaptive else 0
        needed = max(self.plan.overlap_frames, longest) + max(2 * SeamReport.REACH, FRAMES)
        spare = 0
        while sum(len(piece) for piece in self.pieces[spare + 1 :]) >= needed:
            spare += 1
        return replace(self, pieces=self.pieces[spare:], stored=self.stored + spare)

    def end_of(self, chunk: Chunk) -> Tensor | None:
        """The picture that ``chunk`` is to end with, if there is one."""
        if not self.plan.closes(chunk):
            return None
        own = self.plan.keyframes[chunk.keyframe].end_image if self.plan.keyframes else None
        return self.end if own is None and chunk.stop >= self.plan.total_frames else own

    def end_original_of(self, chunk: Chunk) -> Tensor | None:
        """:meth:`end_of` as it was given, neither scaled nor cropped, as far as that is known."""
        end = self.end_of(chunk)
        if end is None:
            return None
        original = self.end_original if end is self.end else self.plan.keyframes[chunk.keyframe].end_original
        return end if original is None else original

    def prompt_of(self, chunk: Chunk, speed: float | None = None) -> ChunkPrompt:
        """What ``chunk`` is told, its LoRAs as strong as they are at a speed, if that is measured."""
        prompt, settings = self.plan.chunk_prompt(chunk), self.settings
        if speed is None:
            return prompt
        return prompt.scaled(lora_factor(speed, settings.lora_at_rest, settings.lora_in_motion))

    def scene_image(self, chunk: Chunk) -> Tensor | None:
        """The picture ``(1, 3, H, W)`` that the scene of ``chunk`` began with; None where it began with a prompt."""
        scene = self._scene(chunk)
        image = self.start if scene is None or scene.start_image is None else scene.start_image
        return image[:1] if len(image) else None

    def scene_original(self, chunk: Chunk) -> Tensor | None:
        """:meth:`scene_image` as it was given, neither scaled nor cropped, as far as that is known."""
        scene = self._scene(chunk)
        original = self.start_original if scene is None else scene.start_original
        return self.scene_image(chunk) if original is None else original

    def _scene(self, chunk: Chunk) -> Keyframe | None:
        """The keyframe whose cut began the scene of ``chunk``; None for the scene that the video starts with."""
        first = self.plan.scene(chunk)
        return self.plan.keyframes[first.keyframe] if self.plan.cuts(first) else None

    def noted(self, notes: Iterable[str] = (), warnings: Iterable[str] = ()) -> ChunkState:
        """With notes and warnings, but for those that it has."""
        notes, warnings = (*self.notes, *notes), (*self.warnings, *warnings)
        return replace(self, notes=tuple(dict.fromkeys(notes)), warnings=tuple(dict.fromkeys(warnings)))

    def report(self, making: Making | None = None, more: Sequence[str] = ()) -> str:
        """See :func:`~wan.report.write_report`."""
        return write_report(self, making, more)
