"""What the next chunk is told about the one before it: conditioning picture, masks and start latent."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import Literal, Protocol

import torch
from torch import Tensor

from ..motion import FlowEstimator
from .forecast import LATENTS, Forecast, NoForecast, forecast_chunk
from .latents import (
    CHANNELS,
    SPATIAL_STRIDE,
    check_size,
    covering_length,
    known_rows,
    latent_length,
)
from .release import release_map

logger = logging.getLogger(__name__)

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
    """``(1, 1, T, h, w)``: 0 where ``samples`` is held through sampling, 1 where it is free, between them where it
    is held for the first steps; see :mod:`wan.release`. None holds nothing."""
    concat_latent_image: Tensor
    """``(1, 16, T, h, w)``: the known frames followed by gray, encoded."""
    concat_mask: Tensor
    """``(1, 4, T, h, w)``: 0 where a frame is known, 1 where it is to be generated."""


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

    def __post_init__(self) -> None:
        if self.level not in ("auto", *LEVELS):
            raise ValueError(f"level must be one of {', '.join(('auto', *LEVELS))}, got {self.level!r}.")
        for name in ("blend_strength", "motion_weight", "mask_sigma", "step_gain"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} must be in [0, 1], got {getattr(self, name)}.")


def guide_next_chunk(
    previous_latent: Tensor | None,
    previous_frames: Tensor,
    overlap_frames: int,
    blend_strength: float,
    motion_weight: float,
    mask_sigma: float,
    step_gain: float,
    vae: Vae,
    chunk_index: int,
    chunk_frames: int,
    image_height: int,
    image_width: int,
    reference_image: Tensor | None = None,
    *,
    level: Level | Literal["auto"] = "auto",
    estimator: str | FlowEstimator = "auto",
    region: Tensor | None = None,
) -> ChunkGuide:
    """Guide a chunk by the last frames of the one before it.

    The overlap comes from decoded frames: latents cut out of the previous chunk cannot be decoded or
    joined by themselves, because the causal VAE reads the first of them as a single frame.

    Args:
        previous_latent: ``(1, 16, t, h, w)``, the previous chunk as sampled. Only its shape is checked.
        previous_frames: ``(F, 3, H, W)`` in [0, 1], at least the overlap, as they stand in the video.
        overlap_frames: pixel frames that both chunks share; the next 4k + 1 is taken. ``last_frame``
            knows one frame whatever this says.
        blend_strength: [0, 1]. Belongs to the joining of frames; no level here reads it.
        motion_weight: [0, 1], for how long cells follow what motion foretells; see
            :func:`~wan.release.release_map`. 0 is the level ``overlap_pinned``, bit for bit.
        mask_sigma: [0, 1], feathers the confidence by which they do.
        step_gain: [0, 1], the share of the velocity that is left 16 frames ahead.
        vae: encodes the canvas; the host's VAE contract.
        chunk_index: counts from 0, the first chunk of the video.
        chunk_frames: pixel frames of this chunk, 4n + 1.
        image_height: pixels, a multiple of 16.
        image_width: pixels, a multiple of 16.
        reference_image: ``(1, 3, H, W)``. Belongs to the holding of colour; no level here reads it.
        level: how the chunks are tied; ``auto`` takes the highest that its checks allow. ``motion`` falls to
            ``overlap_pinned`` where motion cannot be told or trusted, and the guide says why.
        estimator: of flow; see :func:`~motion.estimate_flow`.
        region: ``(1, 1, H, W)`` in [0, 1], scales motion guidance; all of the frame by default.

    Raises:
        ValueError: if sizes do not fit, a number is out of range, or frames are not finite.
    """
    settings = GuideSettings(level, blend_strength, motion_weight, mask_sigma, step_gain)
    if overlap_frames < 1:
        raise ValueError(f"overlap_frames must be at least 1, got {overlap_frames}.")
    overlap = covering_length(overlap_frames)
    chosen, reason = _choose_level(settings.level, overlap)
    if chosen == "last_frame":
        overlap = 1
    if len(previous_frames) < overlap:
        raise ValueError(
            f"An overlap of {overlap} frames needs as many previous frames, got {len(previous_frames)}. "
            "Lower overlap_frames."
        )
    if previous_latent is not None and previous_latent.shape[1] != CHANNELS:
        raise ValueError(f"previous_latent must have {CHANNELS} channels, got {tuple(previous_latent.shape)}.")
    logger.info("Applying motion-guided chunk transition for chunk %d (level %s)", chunk_index + 1, chosen)
    known = previous_frames[-overlap:]
    pinned = "overlap_pinned" if chosen == "motion" else chosen
    guide = guide_chunk(known, chunk_frames, vae, image_height, image_width, chunk_index, pinned, reason)
    if chosen == "motion":
        guide = guide_motion(guide, known, settings, vae, estimator, region)
    logger.info("Motion-guided preparation complete for chunk %d", chunk_index + 1)
    logger.info("Guided Input Latent Shape: %s", guide.samples.shape)
    return guide


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
) -> ChunkGuide:
    """Condition a chunk on the frames at its head: the known frames on a gray canvas, encoded, and its masks.

    Args:
        known: ``(N, 3, H, W)`` in [0, 1] at the size of the video, 1 to ``chunk_frames - 1`` frames.
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
    mask = known_rows(len(known), chunk_frames, h, w).to(image)
    return ChunkGuide(chunk_index, level, reason, len(known), samples, noise_mask, image, mask)


@torch.no_grad()
def guide_motion(
    guide: ChunkGuide,
    known: Tensor,
    settings: GuideSettings,
    vae: Vae,
    estimator: str | FlowEstimator = "auto",
    region: Tensor | None = None,
) -> ChunkGuide:
    """Add to a pinned guide what motion foretells, or the reason why it foretells nothing.

    Args:
        guide: of level ``overlap_pinned``.
        known: ``(N, 3, H, W)``, the frames at the chunk's head, 4k + 1.
    """
    if settings.motion_weight == 0:
        return replace(guide, reason="motion_weight is 0")
    latents = min(LATENTS, guide.samples.shape[2] - latent_length(len(known)))
    try:
        forecast = forecast_chunk(known, latents, settings.step_gain, estimator)
    except NoForecast as reason:
        return replace(guide, reason=str(reason))
    except (ArithmeticError, LookupError, RuntimeError, TypeError, ValueError) as error:
        # What an estimator may raise; not every Exception, since the host's interrupt is one.
        logger.warning("Motion analysis failed for chunk %d: %s", guide.chunk_index + 1, error)
        return replace(guide, reason=f"motion analysis failed: {error}")
    return follow_forecast(guide, known, forecast, settings, vae, region)


@torch.no_grad()
def follow_forecast(
    guide: ChunkGuide,
    known: Tensor,
    forecast: Forecast,
    settings: GuideSettings,
    vae: Vae,
    region: Tensor | None = None,
) -> ChunkGuide:
    """Have the chunk of a pinned guide follow a forecast where that is certain; see :func:`guide_motion`."""
    release = release_map(forecast.confidence, settings.motion_weight, settings.mask_sigma, region)
    share = (release > 0).float().mean().item()
    if share == 0:
        return replace(guide, reason="no part of the frame has a motion that can be trusted")
    # The encoder is causal: what follows the known frames does not change their latents.
    clip = torch.cat((known, forecast.frames.to(known)))
    pinned = latent_length(len(known))
    foretold = vae.encode(clip.movedim(1, -1))[:, :, pinned:]
    free = slice(pinned, pinned + foretold.shape[2])
    samples, noise_mask = guide.samples.clone(), guide.noise_mask.clone()
    samples[:, :, free] = foretold.to(samples)
    noise_mask[:, :, free] = 1 - release.to(noise_mask)
    reason = f"{guide.reason}, guides {100 * share:.0f} % of {len(forecast.frames)} frames"
    return replace(guide, level="motion", reason=reason, samples=samples, noise_mask=noise_mask)


def _choose_level(level: Level | Literal["auto"], overlap_frames: int) -> tuple[Level, str]:
    """The level to use and why: one frame carries no motion, whatever was asked."""
    if overlap_frames == 1 and level != "last_frame":
        return "last_frame", "an overlap of one frame carries no motion"
    if level == "auto":
        return "motion", "the highest level"
    return level, "as set"
