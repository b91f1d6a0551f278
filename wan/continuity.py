"""The levels of continuity: how a chunk is tied to the one before it, and what it falls to where that cannot be."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Literal

from torch import Tensor

from ..motion import FlowEstimator
from .guide import ChunkGuide, GuideSettings, Level, Vae, guide_chunk
from .latents import CHANNELS, TEMPORAL_STRIDE, covering_length, latent_length
from .motion_guide import guide_motion

logger = logging.getLogger(__name__)


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
    carry: int | None = None,
) -> ChunkGuide:
    """Guide a chunk by the last frames of the one before it.

    The overlap comes from decoded frames: latents cut out of the previous chunk cannot be decoded or
    joined by themselves, because the causal VAE reads the first of them as a single frame.

    Args:
        previous_latent: ``(1, 16, t, h, w)``, the previous chunk as sampled.
        previous_frames: ``(F, 3, H, W)`` in [0, 1], at least the overlap, as they stand in the video.
        overlap_frames: pixel frames that both chunks share; the next 4k + 1 is taken. ``last_frame``
            knows one frame whatever this says.
        blend_strength: [0, 1]. Belongs to the joining of frames; no level here reads it.
        motion_weight: [0, 1], for how long cells follow what motion foretells; see
            :func:`~wan.guidance_schedule.release_map`. 0 is the level ``overlap_pinned``, bit for bit.
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
        carry: how many of ``previous_frames``, from the last one back, were decoded from ``previous_latent``: their
            latents are taken over, but for the overlap's first. All by default; 0 encodes all of them again, which
            loses a little each time.

    Raises:
        ValueError: if sizes do not fit, a number is out of range, or frames are not finite.
    """
    settings = GuideSettings(level, blend_strength, motion_weight, mask_sigma, step_gain)
    return continue_chunk(
        previous_frames,
        settings,
        vae,
        chunk_index,
        chunk_frames,
        overlap_frames,
        (image_height, image_width),
        previous_latent=previous_latent,
        carry=len(previous_frames) if carry is None else carry,
        estimator=estimator,
        region=region,
    )


def continue_chunk(
    previous_frames: Tensor,
    settings: GuideSettings,
    vae: Vae,
    chunk_index: int,
    chunk_frames: int,
    overlap_frames: int,
    size: tuple[int, int],
    *,
    previous_latent: Tensor | None = None,
    carry: int = 0,
    estimator: str | FlowEstimator = "auto",
    region: Tensor | None = None,
    unguided: str | None = None,
    end: Tensor | None = None,
    dropped: int = 0,
) -> ChunkGuide:
    """:func:`guide_next_chunk` with its knobs in one piece.

    Args:
        size: height and width in pixels.
        unguided: why the sampler cannot follow motion, if it cannot: ``motion`` then is ``overlap_pinned``.
        end: see :func:`~wan.guide.guide_chunk`, as ``dropped``.
    """
    if overlap_frames < 1:
        raise ValueError(f"overlap_frames must be at least 1, got {overlap_frames}.")
    overlap = covering_length(overlap_frames)
    level, reason = _choose_level(settings.level, overlap, unguided)
    if level == "last_frame":
        overlap = 1
    if len(previous_frames) < overlap:
        raise ValueError(
            f"An overlap of {overlap} frames needs as many previous frames, got {len(previous_frames)}. "
            "Lower overlap_frames."
        )
    if previous_latent is not None and previous_latent.shape[1] != CHANNELS:
        raise ValueError(f"previous_latent must have {CHANNELS} channels, got {tuple(previous_latent.shape)}.")
    logger.info("Applying motion-guided chunk transition for chunk %d (level %s)", chunk_index + 1, level)
    known = previous_frames[-overlap:]
    pinned = "overlap_pinned" if level == "motion" else level
    guide = guide_chunk(known, chunk_frames, vae, *size, chunk_index, pinned, reason, end=end, dropped=dropped)
    if previous_latent is not None:
        guide = carry_latents(guide, previous_latent, carry)
    if level == "motion":
        guide = guide_motion(guide, known, settings, vae, estimator, region)
    logger.info("Motion-guided preparation complete for chunk %d", chunk_index + 1)
    logger.info("Guided Input Latent Shape: %s", guide.samples.shape)
    return guide


def carry_latents(guide: ChunkGuide, previous: Tensor, frames: int) -> ChunkGuide:
    """The guide with the latents of the known frames taken over from the chunk before, but for the first.

    Overlaps of 4k + 1 frames line the phases up: latent j >= 1 of a chunk codes the very frames that latent
    ``N - 1 - k + j`` of the chunk before does. Latent 0 codes a single frame, which has no latent there.

    Args:
        guide: of a chunk whose known frames are the last of the chunk before.
        previous: ``(1, 16, N, h, w)``, the chunk before as sampled.
        frames: how many of the known frames, from the last one back, were decoded from it.
    """
    stop = latent_length(guide.known_frames)
    count = min(stop - 1, frames // TEMPORAL_STRIDE)
    if count == 0:
        return guide
    if previous.shape[2] <= count or previous.shape[3:] != guide.samples.shape[3:]:
        raise ValueError(
            f"previous_latent: expected more than {count} latents of {tuple(guide.samples.shape[3:])} cells to carry "
            f"over, got {tuple(previous.shape)}."
        )
    carried = previous[:, :, -count:].to(guide.samples)
    image, samples = guide.concat_latent_image.clone(), guide.samples.clone()
    image[:, :, stop - count : stop] = carried
    if guide.noise_mask is not None:
        samples[:, :, stop - count : stop] = carried
    return replace(guide, concat_latent_image=image, samples=samples, carried=count)


def _choose_level(
    level: Level | Literal["auto"], overlap_frames: int, unguided: str | None = None
) -> tuple[Level, str]:
    """The level to use and why: one frame carries no motion, whatever was asked."""
    if overlap_frames == 1 and level != "last_frame":
        return "last_frame", "an overlap of one frame carries no motion"
    if unguided and level in ("auto", "motion"):
        return "overlap_pinned", unguided
    if level == "auto":
        return "motion", "the highest level"
    return level, "as set"
