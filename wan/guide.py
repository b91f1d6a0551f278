"""What one chunk is conditioned on: a request made of the video so far, and the guide made of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from .heed import HeedMeter
from .kept_end import KeptEnd
from .latents import CHANNELS, SPATIAL_STRIDE, TEMPORAL_STRIDE, check_size, latent_length
from .prompts import ChunkPrompt
from .records import ContinuityRecord
from .settings import GuideSettings


@dataclass(frozen=True)
class ChunkRequest:
    """Everything that a chunk is conditioned on, and its place in the video.

    Raises:
        ValueError: if sizes do not fit, no frame is left to make, or known frames are not finite.
    """

    index: int
    """Counts from 0, the first chunk of the video."""
    length: int
    """Pixel frames, 4n + 1."""
    known: Tensor
    """``(N, 3, H, W)`` in [0, 1] at the size of the video: the frames at its head, up to ``length - 1``; none where it
    starts from a prompt alone."""
    size: tuple[int, int]
    """Height and width of the video in pixels, multiples of 16."""
    continues: bool = False
    """Whether the known frames are the last of the chunk before; else a picture of its own."""
    settings: GuideSettings = field(default_factory=GuideSettings)
    """As they are for this chunk: some may follow the speed."""
    previous_latent: Tensor | None = None
    """``(1, 16, t, h, w)``: the chunk before as sampled."""
    exact_frames: int = 0
    """How many of the known frames, from the last one back, were decoded from it."""
    end: Tensor | None = None
    """``(1, 3, H, W)``: the frame that the chunk is to end with, where the model takes one."""
    kept_end: KeptEnd | None = None
    """What it is to end with, since a kept chunk goes on from there."""
    dropped: int = 0
    """Frames at the chunk's end that the video does not keep; ``end`` is held through them."""
    region: Tensor | None = None
    """``(1, 1, H, W)`` in [0, 1]: scales motion guidance; all of the frame by default."""
    follows_steps: bool = True
    """Whether the sampler follows ``end_percent``; else levels that need it fall back."""
    start: int = 0
    """The chunk's first pixel frame in the whole video."""
    time: float = 0.0
    """[0, 1): where in the whole video the chunk starts."""
    progress: tuple[float, float] = (0.0, 1.0)
    """Shares of the whole video that are made before the chunk and with it."""
    prompt: ChunkPrompt = field(default_factory=ChunkPrompt)
    speed: float | None = None
    """Of the known frames, if it was measured; see :func:`~wan.presets.measure_speed`."""
    scene: Tensor | None = None
    """``(1, 3, H, W)``: the picture that its scene began with, the video's or that of the last cut."""
    scene_original: Tensor | None = None
    """``(1, 3, H, W)``: the same as it was given, neither scaled nor cropped."""
    end_original: Tensor | None = None
    """``(1, 3, H, W)``: ``end``, likewise."""
    reference: Tensor | None = None
    """``(1, 3, H, W)``: a picture of what is to be seen, for families that take one."""

    def __post_init__(self) -> None:
        latent_length(self.length)
        for name, pixels in zip(("image_height", "image_width"), self.size, strict=True):
            check_size(name, pixels)
        count = len(self.known)
        if not int(self.continues) <= count < self.length:
            least = int(self.continues)
            raise ValueError(
                f"A chunk of {self.length} frames can start from {least} to {self.length - 1}, got {count}."
            )
        if self.known.shape[1:] != (3, *self.size):
            raise ValueError(
                f"Known frames must be (N, 3, {self.size[0]}, {self.size[1]}) like the video, got "
                f"{tuple(self.known.shape)}."
            )
        if not torch.isfinite(self.known).all():
            raise ValueError(
                f"The known frames of chunk {self.index + 1} hold NaN or infinite pixels. "
                "A VAE in half precision can overflow: run ComfyUI with --fp32-vae."
            )
        if self.end is not None and count + self.dropped >= self.length - 1:
            raise ValueError(
                f"end_image: of {self.length} frames {count} are known and {self.dropped} dropped, which leaves "
                "none to lead to it. Lengthen the video by a few frames."
            )
        if self.kept_end is not None:
            free = latent_length(self.length) - latent_length(-(-(count - 1) // TEMPORAL_STRIDE) * TEMPORAL_STRIDE + 1)
            if free <= self.kept_end.latents.shape[2] or len(self.kept_end.frames) > self.length - count:
                raise ValueError(
                    f"keep_later: of {self.length} frames the first {count} and the last {len(self.kept_end.frames)} "
                    f"are known, which leaves none to make again in chunk {self.index + 1}. Let the later chunks be "
                    "made again too, or use longer chunks."
                )
        if self.previous_latent is not None and self.previous_latent.shape[1] != CHANNELS:
            raise ValueError(f"previous_latent must have {CHANNELS} channels, got {tuple(self.previous_latent.shape)}.")

    @property
    def last_frame(self) -> Tensor:
        """``(1, 3, H, W)``: the last known frame, from which the chunk goes on."""
        return self.known[-1:]

    @property
    def reused_latents(self) -> Tensor | None:
        """``(1, 16, n, h, w)``: latents of the chunk before that stand for the last n latents of the known frames.

        Overlaps of 4k + 1 frames line the phases up: latent j >= 1 of a chunk codes the very frames that latent
        ``N - 1 - k + j`` of the chunk before does. Latent 0 codes a single frame, which has no latent there.

        Raises:
            ValueError: if the chunk before has too few latents, or of another size.
        """
        if self.previous_latent is None:
            return None
        count = min(latent_length(len(self.known)) - 1, self.exact_frames // TEMPORAL_STRIDE)
        if count == 0:
            return None
        previous, cells = self.previous_latent, tuple(side // SPATIAL_STRIDE for side in self.size)
        if previous.shape[2] <= count or tuple(previous.shape[3:]) != cells:
            raise ValueError(
                f"previous_latent: expected more than {count} latents of {cells} cells to reuse, got "
                f"{tuple(previous.shape)}."
            )
        return previous[:, :, -count:]


@dataclass(frozen=True)
class ChunkGuide:
    """Everything that conditions one chunk. Latents are in ComfyUI's LATENT space."""

    request: ChunkRequest
    record: ContinuityRecord
    """The level of continuity, and why."""
    conditioning: Mapping[str, Any]
    """By the host's keys; of Wan I2V ``concat_latent_image``, ``(1, 16, T, h, w)``, the known frames followed by gray,
    encoded, and ``concat_mask``, ``(1, 4, T, h, w)``, 0 where a frame is known, 1 where it is to be generated."""
    samples: Tensor
    """``(1, 16, lead + T, h, w)``: the start latent; real latents where held or predicted, zeros where free."""
    noise_mask: Tensor | None = None
    """``(1, 1, T, h, w)``: 0 where ``samples`` is held through sampling, 1 where it is free; None holds nothing."""
    end_percent: Tensor | None = None
    """``(1, 1, T, h, w)`` in [0, 1]: the share of the steps for which ``samples`` is held where the mask is 1."""
    shows_overlap: bool = True
    """Whether the chunk's first frames show what the video's last ones do."""
    lead: int = 0
    """Latents in front that are none of the chunk's: the sampler makes them, and they are dropped."""
    attempt: int = 0
    """How often the chunk was made before: each time with another seed."""
    heed: HeedMeter | None = None
    """Told by the sampler how far the model follows the known frames; None where guidance does not depend on it."""

    @property
    def level(self) -> str:
        return self.record.level

    @property
    def known_frames(self) -> int:
        """Pixel frames at the head of the chunk that are given."""
        return len(self.request.known)

    @property
    def overlap_is_exact(self) -> bool:
        """Whether the overlap will decode as the chunk before does, but for its decoder's start."""
        if self.noise_mask is None or self.request.reused_latents is None:
            return False
        return not self.noise_mask[:, :, self.lead :][:, :, : latent_length(self.known_frames)].any()
