"""The frames that motion foretells for the head of a chunk, and whether they are worth following."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ..motion import FlowEstimator
from ..motion.prediction import predict_clip_motion, render
from .guidance_schedule import release_map
from .guide import ChunkGuide, GuideSettings, Vae
from .latents import TEMPORAL_STRIDE, latent_length

logger = logging.getLogger(__name__)

LATENTS = 2
"""Latents that are foretold: beyond eight frames, motion says little about real video (``bench motion``)."""
RESTS = 0.05
"""Pixels per frame, of a 480-pixel frame, that a twentieth of the picture must move by for there to be motion."""
SMALLEST_SHARE = 0.05
"""Of the frame, that the confidence over the first four frames must come to on average."""


FAILURES = (ArithmeticError, LookupError, RuntimeError, TypeError, ValueError)
"""What an estimator of flow may raise; not every Exception, since the host's interrupt is one."""


class NoForecast(Exception):
    """Motion has nothing to say about the next chunk; the message says why."""


@dataclass(frozen=True)
class Forecast:
    """What a chunk should begin with, where that can be known."""

    frames: Tensor
    """``(4 T, 3, H, W)`` in [0, 1]."""
    confidence: Tensor
    """``(4 T, 1, H, W)`` in [0, 1]."""


@torch.no_grad()
def forecast_chunk(known: Tensor, latents: int, step_gain: float, estimator: str | FlowEstimator = "auto") -> Forecast:
    """Foretell the frames behind the known ones, for as many latents.

    Args:
        known: ``(N, 3, H, W)`` in [0, 1], the frames at the chunk's head.

    Raises:
        NoForecast: if nothing moves or nothing can be trusted.
        ValueError: if there is only one frame, or the estimator returns something else than finite flows.
    """
    prediction = predict_clip_motion(
        known, TEMPORAL_STRIDE * latents, step_gain=step_gain, estimator=estimator, period=TEMPORAL_STRIDE
    )
    frames, confidence = render(known[-1:], prediction)
    share = confidence[:TEMPORAL_STRIDE].mean().item()
    if share < SMALLEST_SHARE:
        raise NoForecast(f"the motion can be trusted in {100 * share:.0f} % of the frame only")
    speed = prediction.displacement[0].norm(dim=0).flatten()
    moving = speed.kthvalue(max(1, round(0.95 * len(speed)))).values.item()
    if moving < RESTS * min(known.shape[-2:]) / 480:
        raise NoForecast("nothing moves")
    return Forecast(frames.clamp(0, 1), confidence)


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
    except FAILURES as error:
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
        empty = region is not None and not region.any()
        told = "motion_region is 0 in all of the frame" if empty else "no part of the frame has a motion to be trusted"
        return replace(guide, reason=told)
    # The encoder is causal: what follows the known frames does not change their latents.
    clip = torch.cat((known, forecast.frames.to(known)))
    pinned = latent_length(len(known))
    foretold = vae.encode(clip.movedim(1, -1))[:, :, pinned:]
    free = slice(pinned, pinned + foretold.shape[2])
    samples, whole = guide.samples.clone(), torch.zeros_like(guide.noise_mask)
    samples[:, :, free] = foretold.to(samples)
    whole[:, :, free] = release.to(whole)
    reason = f"{guide.reason}, guides {100 * share:.0f} % of {len(forecast.frames)} frames"
    return replace(guide, level="motion", reason=reason, samples=samples, release=whole)
