"""Encoded clips for training, drawn and encoded beside it by a thread of their own."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from .scenes import draw_scenes
from .text import TOKENS, embed_text

TURN, AT_ONCE = 0.15, 0.7
"""Share of sprites that change their course in a clip, and of clips in which they do so right after the known frames:
there the caption can tell it and the picture cannot; later on nobody can foresee it."""
SAY_MOTION = 0.8
SILENT = 0.1
"""Share of clips whose caption is dropped, for classifier-free guidance."""

Encoder = Callable[[Tensor], Tensor]
"""Frames ``(B, T, 3, H, W)`` in [0, 1] to latents ``(B, 16, t, h, w)`` in the model's space."""
Clips = tuple[Tensor, Tensor, Tensor]
"""Latents ``(B, 16, t, h, w)``, mask and picture ``(B, 20, t, h, w)``, and text ``(B, TOKENS, WIDTH)``."""


@dataclass(frozen=True)
class Recipe:
    """What clips are drawn."""

    lengths: dict[int, float]
    """Frames of a clip, and how often."""
    known: dict[int, float]
    """Known frames at the head of a clip, and how often, where the clip is longer."""


class ClipPool:
    """Clips of each length, kept where the model is.

    Each length starts with ``first`` clips, grows to ``size``, and from then on its oldest make room. ``simple`` is
    the share of new clips with one sprite on a still background. No more clips are drawn than one for ``reuse`` uses:
    a card would have nothing else to do.
    """

    def __init__(
        self,
        encode: Encoder,
        recipe: Recipe,
        generator: torch.Generator,
        *,
        device: torch.device,
        simple: float = 0.0,
        first: int = 32,
        size: int = 2048,
        fresh: int = 8,
        reuse: float = 16.0,
    ):
        self.encode, self.recipe, self.device = encode, recipe, device
        self.simple, self.size, self.fresh, self.reuse = simple, size, fresh, reuse
        self.generator = generator  # of the thread that draws, as long as it runs
        self.kept: dict[int, Clips] = {}
        self.drawn = dict.fromkeys(recipe.lengths, 0)
        self.filled = {length: torch.zeros((), device=device) for length in recipe.lengths}
        self.used = 0.0
        self.stream = torch.cuda.Stream(device) if device.type == "cuda" else None
        for length in recipe.lengths:
            for _ in range(max(1, first // fresh)):
                self._keep(length, self._draw(length))
        self.worker = ThreadPoolExecutor(max_workers=1)
        self.coming: Future | None = None

    def sample(self, length: int, count: int) -> Clips:
        """``count`` clips of one length, in float32. A CUDA graph can hold it: nothing it reads ever moves."""
        chosen = (torch.rand(count, device=self.device) * self.filled[length]).long()
        latents, pictures, text = (part[chosen].float() for part in self.kept[length])
        return latents, pictures, text

    def refresh(self, used: int) -> None:
        """Take in the clips that are ready, and have more drawn if ``used`` clips since the last call call for it."""
        self.used += used
        if self.coming is not None and self.coming.done():
            self._keep(*self.coming.result())
            self.coming = None
        if self.coming is None and self.used >= self.reuse * self.fresh:
            self.used = 0.0
            length = int(self._choose(self.recipe.lengths, 1))
            self.coming = self.worker.submit(lambda: (length, self._draw(length)))

    def _keep(self, length: int, clips: Clips) -> None:
        if length not in self.kept:
            latents, pictures, text = (part.new_zeros(self.size, *part.shape[1:]) for part in clips)
            self.kept[length] = latents, pictures, text
        count = len(clips[0])
        places = (torch.arange(count, device=self.device) + self.drawn[length]) % self.size
        for buffer, part in zip(self.kept[length], clips, strict=True):
            buffer[places] = part
            if self.stream is not None:
                part.record_stream(torch.cuda.current_stream())
        self.drawn[length] += count
        self.filled[length].fill_(min(self.drawn[length], self.size))

    def _choose(self, shares: dict[int, float], count: int) -> Tensor:
        weights = torch.tensor(list(shares.values()))
        return torch.tensor(list(shares))[torch.multinomial(weights, count, replacement=True, generator=self.generator)]

    @torch.no_grad()
    def _draw(self, length: int) -> Clips:
        count, device, generator = self.fresh, self.device, self.generator
        simple = torch.rand((), generator=generator) < self.simple
        draw = partial(draw_scenes, two_sprites=0.0, pan=0.0) if simple else draw_scenes
        known = self._choose({frames: share for frames, share in self.recipe.known.items() if frames < length}, count)
        turn_at = torch.where(torch.rand(count, generator=generator) < AT_ONCE, known - 1, -1)
        with contextlib.nullcontext() if self.stream is None else torch.cuda.stream(self.stream):
            scenes = draw(
                count,
                length,
                generator,
                turn=TURN,
                say_motion=SAY_MOTION,
                told=known - 1,
                turn_at=turn_at,
                device=device,
            )
            silent = torch.rand(count, generator=generator) < SILENT
            texts = ["" if quiet else caption for caption, quiet in zip(scenes.captions, silent, strict=True)]
            text = torch.stack([embed_text(words)[:TOKENS].half() for words in texts]).to(device)
            known = known.view(-1, 1, 1, 1, 1).to(device)
            unknown = torch.arange(length, device=device).view(1, -1, 1, 1, 1) >= known
            canvas = scenes.frames.masked_fill(unknown, 0.5)
            latent, image = self.encode(torch.cat((scenes.frames, canvas))).chunk(2)
            # The model's mask is 1 where a frame is known; of 4k + 1 known frames the first k + 1 latents.
            rows = torch.arange(latent.shape[2], device=device).view(1, 1, -1, 1, 1)
            mask = (rows <= (known - 1) // 4).to(image).expand(count, 4, -1, *latent.shape[3:])
            clips = latent.half(), torch.cat((mask, image), dim=1).half(), text
        if self.stream is not None:
            self.stream.synchronize()
        return clips


def share_of_simple(progress: float) -> float:
    """Share of simple scenes by progress in [0, 1]: only they at first, none from 40 % on.

    In the full mix from the start, thousands of steps teach a model this small to copy the last frame; in
    simple scenes, hundreds teach it to move.
    """
    return 1 - min(1.0, max(0.0, (progress - 0.1) / 0.3))
