"""The frames that motion foretells for the head of a chunk, and whether they are worth following."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ..motion import FlowEstimator
from ..motion.prediction import predict_clip_motion, render
from .latents import TEMPORAL_STRIDE

LATENTS = 2
"""Latents that are foretold: beyond eight frames, motion says little about real video (``bench motion``)."""
RESTS = 0.05
"""Pixels per frame, of a 480-pixel frame, that a twentieth of the picture must move by for there to be motion."""
SMALLEST_SHARE = 0.05
"""Of the frame, that the confidence over the first four frames must come to on average."""


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
    prediction = predict_clip_motion(known, TEMPORAL_STRIDE * latents, step_gain=step_gain, estimator=estimator)
    frames, confidence = render(known[-1:], prediction)
    share = confidence[:TEMPORAL_STRIDE].mean().item()
    if share < SMALLEST_SHARE:
        raise NoForecast(f"the motion can be trusted in {100 * share:.0f} % of the frame only")
    speed = prediction.displacement[0].norm(dim=0).flatten()
    moving = speed.kthvalue(max(1, round(0.95 * len(speed)))).values.item()
    if moving < RESTS * min(known.shape[-2:]) / 480:
        raise NoForecast("nothing moves")
    return Forecast(frames.clamp(0, 1), confidence)
