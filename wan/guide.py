"""What the next chunk is told about the one before it: conditioning picture, masks and start latent."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, Protocol

import torch
from torch import Tensor

from .join import COLORS, ColorChoice
from .latents import CHANNELS, SPATIAL_STRIDE, check_size, end_rows, known_rows, latent_length
from .presets import KNOBS
from .prompts import Cue

Level = Literal["last_frame", "overlap", "overlap_pinned", "motion"]
LEVELS: tuple[Level, ...] = ("last_frame", "overlap", "overlap_pinned", "motion")
"""In rising demand on the model; ``auto`` takes the last that its checks allow."""

CANVAS = 0.5
"""Gray of the unknown frames: what Wan2.1 I2V saw in training. The noise itself is not scaled."""


class Vae(Protocol):
    """The host's VAE, or anything that keeps its contract."""

    def encode(self, pixels: Tensor) -> Tensor:
        """``(T, H, W, 3)`` in [0, 1] to ``(1, 16, t, h, w)``."""

    def decode(self, latent: Tensor) -> Tensor:
        """``(1, 16, t, h, w)`` to ``(1, T, H, W, 3)`` in [0, 1]."""


@dataclass(frozen=True)
class ChunkGuide:
    """Everything that conditions one chunk. Latents are in ComfyUI's LATENT space."""

    chunk_index: int
    level: Level
    """How the chunk is tied to the one before it; ``last_frame`` for a first chunk."""
    reason: str
    """Why this level."""
    known_frames: int
    """Pixel frames at the head of the chunk that are given."""
    samples: Tensor
    """``(1, 16, T, h, w)``: the start latent; real latents where pinned or foretold, zeros where free."""
    noise_mask: Tensor | None
    """``(1, 1, T, h, w)``: 0 where ``samples`` is held through sampling, 1 where it is free; None holds nothing."""
    concat_latent_image: Tensor
    """``(1, 16, T, h, w)``: the known frames followed by gray, encoded."""
    concat_mask: Tensor
    """``(1, 4, T, h, w)``: 0 where a frame is known, 1 where it is to be generated."""
    release: Tensor | None = None
    """``(1, 1, T, h, w)`` in [0, 1]: the share of the steps for which ``samples`` is held where the mask is 1."""
    start: int = 0
    """The chunk's first pixel frame in the whole video."""
    time: float = 0.0
    """[0, 1): where in the whole video the chunk starts."""
    cue: Cue = field(default_factory=Cue)
    """What the chunk is told of the prompts."""
    done: tuple[float, float] = (0.0, 1.0)
    """Shares of the whole video that are made before the chunk and with it."""
    handed: Tensor | None = None
    """``(1, 3, H, W)``: the last known frame, from which the chunk goes on."""
    end: Tensor | None = None
    """``(1, 3, H, W)``: where the chunk is to arrive."""
    origin: Tensor | None = None
    """``(1, 3, H, W)``: the picture that its scene began with, the video's or that of the last cut, as it was given,
    neither scaled nor cropped."""
    end_original: Tensor | None = None
    """``(1, 3, H, W)``: ``end``, likewise."""
    carried: int = 0
    """Known latents that were taken over from the chunk before."""
    attempt: int = 0
    """How often the chunk was made before: each time from another noise."""


@dataclass(frozen=True)
class GuideSettings:
    """How chunks are guided: the seed's knobs with its defaults.

    Raises:
        ValueError: if the level is unknown or a number is not in [0, 1].
    """

    level: Level | Literal["auto"] = "auto"
    blend_strength: float = 0.8
    motion_weight: float = 0.3
    mask_sigma: float = 0.35
    step_gain: float = 0.5
    carry_latents: bool = True
    """Hand the overlap's latents on as they are rather than encode its frames again."""
    color: ColorChoice = "affine"
    """How a chunk's colours are matched to those of the chunk before."""
    anchor: float = 0.0
    """[0, 1]: how far colours are led back to the start image; so far from the fifth chunk on, less before."""
    retries: int = 0
    """Times that a chunk is made again, with another noise, while its seam stands out."""
    adaptive: frozenset[str] = frozenset()
    """Names of :data:`~wan.presets.KNOBS` that follow the measured speed from chunk to chunk."""
    lora_at_rest: float = 1.0
    lora_in_motion: float = 1.0
    """How strong LoRAs are by speed; see :func:`~wan.presets.lora_factor`. 1 and 1 leave them as they are."""

    def __post_init__(self) -> None:
        if self.level not in ("auto", *LEVELS):
            raise ValueError(f"level must be one of {', '.join(('auto', *LEVELS))}, got {self.level!r}.")
        if self.color not in COLORS:
            raise ValueError(f"color must be one of {', '.join(COLORS)}, got {self.color!r}.")
        if self.retries < 0:
            raise ValueError(f"retries must be 0 or more, got {self.retries}.")
        if not self.adaptive <= set(KNOBS):
            raise ValueError(f"adaptive must be of {', '.join(KNOBS)}, got {', '.join(sorted(self.adaptive))}.")
        for name in ("lora_at_rest", "lora_in_motion"):
            if not -10 <= getattr(self, name) <= 10:
                raise ValueError(f"{name} must be in [-10, 10], got {getattr(self, name)}.")
        for name in ("blend_strength", "motion_weight", "mask_sigma", "step_gain", "anchor"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} must be in [0, 1], got {getattr(self, name)}.")

    @property
    def moves_loras(self) -> bool:
        """Whether LoRAs follow the measured speed."""
        return (self.lora_at_rest, self.lora_in_motion) != (1, 1)

    def describe(self) -> str:
        """Every number in words, those that follow the speed apart."""
        numbers = ", ".join(
            f"{name} {'by speed' if name in self.adaptive else format(getattr(self, name), 'g')}"
            for name in ("motion_weight", "mask_sigma", "step_gain", "blend_strength")
        )
        words = f"continuity {self.level}, {numbers}, color_match {self.color}"
        if self.anchor:
            words += f", color_anchor {self.anchor:g}"
        if self.retries:
            words += f", seam_retries {self.retries}"
        if self.moves_loras:
            words += f", LoRAs {self.lora_at_rest:g} at rest to {self.lora_in_motion:g} in motion"
        return words


@torch.no_grad()
def guide_chunk(
    known: Tensor,
    chunk_frames: int,
    vae: Vae,
    image_height: int,
    image_width: int,
    chunk_index: int = 0,
    level: Level = "last_frame",
    reason: str = "first chunk",
    *,
    end: Tensor | None = None,
    dropped: int = 0,
) -> ChunkGuide:
    """Condition a chunk on the frames at its head: the known frames on a gray canvas, encoded, and its masks.

    Args:
        known: ``(N, 3, H, W)`` in [0, 1] at the size of the video, 1 to ``chunk_frames - 1`` frames.
        end: ``(1, 3, H, W)``, the frame that the chunk is to end with, where the model can be told one.
        dropped: frames at the chunk's end that the video does not keep; the end frame is held through them.
    """
    latents = latent_length(chunk_frames)
    for name, size in (("image_height", image_height), ("image_width", image_width)):
        check_size(name, size)
    h, w = image_height // SPATIAL_STRIDE, image_width // SPATIAL_STRIDE
    if not 1 <= len(known) < chunk_frames:
        raise ValueError(f"A chunk of {chunk_frames} frames can start from 1 to {chunk_frames - 1}, got {len(known)}.")
    if known.shape[1:] != (3, image_height, image_width):
        raise ValueError(
            f"Known frames must be (N, 3, {image_height}, {image_width}) like the video, got {tuple(known.shape)}."
        )
    if not torch.isfinite(known).all():
        raise ValueError(
            f"The frames handed to chunk {chunk_index + 1} hold NaN or infinite pixels. "
            "A VAE in half precision can overflow: run ComfyUI with --fp32-vae."
        )
    canvas = known.new_full((chunk_frames, image_height, image_width, 3), CANVAS)
    canvas[: len(known)] = known.movedim(1, -1)
    mask = known_rows(len(known), chunk_frames, h, w)
    if end is not None:
        if len(known) + dropped >= chunk_frames - 1:
            raise ValueError(
                f"end_image: of {chunk_frames} frames {len(known)} are known and {dropped} dropped, which leaves "
                "none to lead to it. Lengthen the video by a few frames."
            )
        canvas[chunk_frames - 1 - dropped :] = end.movedim(1, -1).to(canvas)
        mask = torch.minimum(mask, end_rows(1 + dropped, chunk_frames, h, w))
    image = vae.encode(canvas)  # (1, 16, T, h, w)
    if tuple(image.shape) != (1, CHANNELS, latents, h, w):
        raise ValueError(
            f"vae: {chunk_frames} frames of {image_width} x {image_height} should encode to "
            f"(1, {CHANNELS}, {latents}, {h}, {w}), got {tuple(image.shape)}. Load the Wan2.1 VAE."
        )
    samples, noise_mask = torch.zeros_like(image), None
    if level == "overlap_pinned":
        pinned = latent_length(len(known))
        samples[:, :, :pinned] = image[:, :, :pinned]
        noise_mask = torch.ones_like(image[:, :1])
        noise_mask[:, :, :pinned] = 0.0
    return ChunkGuide(
        chunk_index,
        level,
        reason,
        len(known),
        samples,
        noise_mask,
        image,
        mask.to(image),
        handed=known[-1:].clone(),
        end=end,
    )
