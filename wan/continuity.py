"""How a chunk is tied to the one before it: a level is chosen, and a guide made of its request."""

from __future__ import annotations

import logging
from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor

from .families import WAN_I2V
from .guide import ChunkGuide, ChunkRequest
from .heed import HeedMeter
from .kept_end import hold_end
from .latents import covering_length, latent_length
from .levels import AUTO, LAST_FRAME, LEVELS
from .motion_tools import MotionTools
from .protocols import Estimator, Family, Hold, Level, Vae
from .records import Reason
from .settings import GuideSettings

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
    continuity: str = AUTO,
    estimator: Estimator = "auto",
    region: Tensor | None = None,
    exact_frames: int | None = None,
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
        motion_weight: [0, 1], for how long cells follow predicted motion; see
            :func:`~wan.guidance_schedule.end_percent_map`. 0 is the level ``overlap_pinned``, bit for bit.
        mask_sigma: [0, 1], feathers the confidence by which they do.
        step_gain: [0, 1], the share of the velocity that is left 16 frames ahead.
        vae: encodes the canvas; the host's VAE.
        chunk_index: counts from 0, the first chunk of the video.
        chunk_frames: pixel frames of this chunk, 4n + 1.
        image_height: pixels, a multiple of 16.
        image_width: pixels, a multiple of 16.
        reference_image: ``(1, 3, H, W)``: the picture that the scene began with, for levels that are anchored to it; by
            default the first of the known frames.
        continuity: the level; ``auto`` takes the highest that its checks allow. ``motion`` falls to
            ``overlap_pinned`` where motion cannot be estimated or trusted, and the guide's record says why.
        estimator: of flow; see :func:`~motion.estimate_flow`.
        region: ``(1, 1, H, W)`` in [0, 1], scales motion guidance; all of the frame by default.
        exact_frames: how many of ``previous_frames``, from the last one back, were decoded from ``previous_latent``:
            their latents are reused, but for the overlap's first. All by default; 0 encodes all of them again, which
            loses a little each time.

    Raises:
        ValueError: if sizes do not fit, a number is out of range, or frames are not finite.
    """
    settings = GuideSettings(continuity, blend_strength, motion_weight, mask_sigma, step_gain)
    request = ChunkRequest(
        chunk_index,
        chunk_frames,
        take_overlap(previous_frames, overlap_frames, settings),
        (image_height, image_width),
        continues=True,
        settings=settings,
        previous_latent=previous_latent,
        exact_frames=len(previous_frames) if exact_frames is None else exact_frames,
        region=region,
        scene=reference_image,
    )
    return guide_chunk(request, vae, MotionTools(estimator))


def take_overlap(previous_frames: Tensor, overlap_frames: int, settings: GuideSettings) -> Tensor:
    """The frames that a chunk continues: the last of the chunk before, as many as its level takes.

    Raises:
        ValueError: if there are too few of them.
    """
    if overlap_frames < 1:
        raise ValueError(f"overlap_frames must be at least 1, got {overlap_frames}.")
    overlap = settings.fixed_overlap or covering_length(overlap_frames)
    if len(previous_frames) < overlap:
        raise ValueError(
            f"An overlap of {overlap} frames needs as many previous frames, got {len(previous_frames)}. "
            "Lower overlap_frames."
        )
    return previous_frames[-overlap:]


@torch.no_grad()
def guide_chunk(
    request: ChunkRequest, vae: Vae, motion: MotionTools | None = None, *, family: Family = WAN_I2V
) -> ChunkGuide:
    """Condition a chunk: its known frames as the model's family reads them, and what of it is held.

    Args:
        motion: for levels that predict it; by default the built-in estimator on the CPU.
    """
    level, reason = choose_level(request)
    if request.continues:
        logger.info("Applying motion-guided chunk transition for chunk %d (level %s)", request.index + 1, level.name)
    conditioned = level.condition(request, vae, family)
    hold = level.hold(request, conditioned, reason, vae, motion or MotionTools())
    if request.kept_end is not None:
        hold = hold_end(hold, request.kept_end)
    if conditioned.lead:
        hold = _free_before(hold, conditioned.lead)
    if request.continues:
        logger.info("Motion-guided preparation complete for chunk %d", request.index + 1)
        logger.info("Guided Input Latent Shape: %s", hold.samples.shape)
    return ChunkGuide(
        request,
        hold.record,
        conditioned.values,
        hold.samples,
        hold.noise_mask,
        hold.end_percent,
        shows_overlap=hold.shows_overlap,
        lead=conditioned.lead,
        heed=_meter(request, hold, conditioned.lead),
    )


def _meter(request: ChunkRequest, hold: Hold, lead: int) -> HeedMeter | None:
    """What tells how far the model follows the known frames, where the chunk is guided by step."""
    if hold.rest is None:
        return None
    index = lead + latent_length(len(request.known)) - 1
    known = hold.samples[:, :, index : index + 1]
    return HeedMeter(known, hold.rest, index, decides=request.settings.continuity == AUTO)


def _free_before(hold: Hold, lead: int) -> Hold:
    """The same with latents in front that are free."""

    def pad(part: Tensor | None, value: float) -> Tensor | None:
        return None if part is None else F.pad(part, (0, 0, 0, 0, lead, 0), value=value)

    samples = F.pad(hold.samples, (0, 0, 0, 0, lead, 0))
    return replace(hold, samples=samples, noise_mask=pad(hold.noise_mask, 1.0), end_percent=pad(hold.end_percent, 0.0))


def choose_level(request: ChunkRequest) -> tuple[Level, Reason]:
    """The level to use and why: one frame carries no motion, whatever was asked."""
    asked, level = request.settings.continuity, request.settings.level
    if not request.continues:
        return level if level.starts_scenes else LAST_FRAME, Reason.FIRST if request.index == 0 else Reason.CUT
    if len(request.known) == 1 and asked != LAST_FRAME.name:
        return LAST_FRAME, Reason.ONE_FRAME
    if level.by_step and not request.follows_steps:
        assert level.fallback is not None  # a level by step names one
        return LEVELS[level.fallback], Reason.NO_MODEL
    return level, Reason.HIGHEST if asked == AUTO else Reason.CHOSEN
