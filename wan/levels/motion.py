"""Known frames are held, and the first sampling steps follow the frames that their motion predicts."""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch
from einops import rearrange
from torch import Tensor

from ...motion import FlowError
from ...motion.estimation import check_clip
from ...motion.prediction import predict_clip_motion, render
from ...motion.rank import nearest_rank
from ...motion.transfer import to_device
from ...motion.warp import vector_length
from ..families.canvas import encode_frames
from ..guidance_schedule import end_percent_map
from ..latents import TEMPORAL_STRIDE, frame_length, latent_length
from ..protocols import ByFamily, Conditioned, Estimator, Hold, Vae
from ..records import ContinuityRecord, Reason
from .pinned import OVERLAP_PINNED

if TYPE_CHECKING:
    from ..guide import ChunkRequest
    from ..motion_tools import MotionTools

logger = logging.getLogger(__name__)

LATENTS = 2
"""Latents that are predicted: beyond eight frames, motion says little about real video (``bench motion``)."""
RESTS = 0.05
"""Pixels per frame, of a 480-pixel frame, that a twentieth of the picture must move by for there to be motion."""
SETTLED = 3
"""Latents after which a clip at rest repeats itself (``bench heed``)."""
SMALLEST_SHARE = 0.05
"""Of the frame, that the confidence over the first four frames must come to on average."""


class NoPrediction(Exception):
    """Motion has nothing to say about the next chunk."""

    def __init__(self, reason: Reason, trusted: float | None = None):
        super().__init__(reason.name)
        self.reason, self.trusted = reason, trusted


@dataclass(frozen=True)
class ChunkPrediction:
    """What a chunk should begin with, where that can be known; in the host's memory."""

    frames: Tensor
    """``(4 T, 3, H, W)`` in [0, 1]."""
    confidence: Tensor
    """``(4 T, 1, H, W)`` in [0, 1]."""


@torch.no_grad()
def predict_chunk(
    known: Tensor, latents: int, step_gain: float, estimator: Estimator = "auto", *, shrink: bool = False
) -> ChunkPrediction:
    """Predict the frames behind the known ones, for as many latents.

    Args:
        known: ``(N, 3, H, W)`` in [0, 1], two or more: the frames at the chunk's head, on the device where they are to
            be looked at.
        shrink: whether unsteady motion goes less far rather than is trusted less: right for one picture, but chunk
            after chunk it slows a video down.

    Raises:
        NoPrediction: if nothing moves or nothing can be trusted.
        FlowError: if the estimator fails.
    """
    prediction = predict_clip_motion(
        known,
        TEMPORAL_STRIDE * latents,
        step_gain=step_gain,
        estimator=estimator,
        period=TEMPORAL_STRIDE,
        shrink=shrink,
        checked=True,
    )
    frames, confidence = render(known[-1:], prediction)
    speed = vector_length(prediction.displacement[:1]).flatten()
    moving = nearest_rank(speed, 0.95)
    found = frames.clamp(0, 1), confidence, confidence[:TEMPORAL_STRIDE].mean(), moving
    frames, confidence, *figures = to_device(torch.device("cpu"), *found)
    share, speed_of_few = (figure.item() for figure in figures)
    if not (math.isfinite(share) and math.isfinite(speed_of_few)):
        raise FlowError("The flow estimator returned displacements that are not finite.")
    if share < SMALLEST_SHARE:
        raise NoPrediction(Reason.UNTRUSTED, share)
    if speed_of_few < RESTS * min(known.shape[-2:]) / 480:
        raise NoPrediction(Reason.STILL)
    return ChunkPrediction(frames, confidence)


@torch.no_grad()
def follow_prediction(request: ChunkRequest, pinned: Hold, prediction: ChunkPrediction, vae: Vae) -> Hold:
    """Have a chunk whose known frames are held follow a prediction where that is certain."""
    settings, region = request.settings, request.region
    end_percent = end_percent_map(prediction.confidence, settings.motion_weight, settings.mask_sigma, region)
    share = (end_percent > 0).float().mean().item()
    if share == 0:
        empty = region is not None and not region.any()
        return _unguided(pinned, Reason.NO_REGION if empty else Reason.NOWHERE)
    # The encoder is causal: what follows the known frames does not change their latents.
    clip = torch.cat((request.known, prediction.frames.to(request.known)))
    known = latent_length(len(request.known))
    predicted = vae.encode(rearrange(clip, "t c h w -> t h w c"))[:, :, known:]
    free = slice(known, known + predicted.shape[2])
    samples, whole = pinned.samples.clone(), torch.zeros_like(pinned.samples[:, :1])
    samples[:, :, free] = predicted.to(samples)
    whole[:, :, free] = end_percent.to(whole)
    record = replace(pinned.record, level=MOTION.name, guided=share, predicted=len(prediction.frames))
    rest = clip_at_rest(request.known[:1], known, vae)[:, :, -1:].to(samples)
    return replace(pinned, record=record, samples=samples, end_percent=whole, rest=rest)


def clip_at_rest(frame: Tensor, latents: int, vae: Vae) -> Tensor:
    """A clip in which nothing moves, ``(1, 16, latents, h, w)``, of which only the first few latents differ.

    Args:
        frame: ``(1, 3, H, W)`` in [0, 1].
    """
    few = min(latents, SETTLED)
    still = rearrange(frame, "1 c h w -> 1 h w c").expand(frame_length(few), -1, -1, -1)
    coded = encode_frames(vae, still)
    return torch.cat((coded, coded[:, :, -1:].expand(-1, -1, latents - few, -1, -1)), dim=2)


def _unguided(pinned: Hold, reason: Reason, trusted: float | None = None, error: str = "") -> Hold:
    return replace(pinned, record=ContinuityRecord(OVERLAP_PINNED.name, reason, trusted, error=error))


class Motion(ByFamily):
    """See :class:`~wan.protocols.Level`."""

    name = "motion"
    summary = "and the first steps follow what their motion predicts"
    holds = True
    by_step = True
    fallback = OVERLAP_PINNED.name

    def hold(
        self, request: ChunkRequest, conditioned: Conditioned, reason: Reason, vae: Vae, motion: MotionTools
    ) -> Hold:
        pinned = OVERLAP_PINNED.hold(request, conditioned, reason, vae, motion)
        if request.settings.motion_weight == 0:
            return _unguided(pinned, Reason.NO_WEIGHT)
        latents = min(LATENTS, pinned.samples.shape[2] - latent_length(len(request.known)))
        check_clip("previous_frames", request.known)  # in the host's memory, where nothing waits for a card

        def predict(estimator: Estimator, known: Tensor) -> ChunkPrediction | NoPrediction | FlowError:
            try:
                return predict_chunk(known, latents, request.settings.step_gain, estimator)
            except (NoPrediction, FlowError) as error:  # given out: memory may have run out before
                return error

        prediction, on_cpu = motion.run(predict, request.known)
        if isinstance(prediction, NoPrediction):
            hold = _unguided(pinned, prediction.reason, prediction.trusted)
        elif isinstance(prediction, FlowError):
            logger.warning("Motion analysis failed for chunk %d: %s", request.index + 1, prediction)
            hold = _unguided(pinned, Reason.FLOW_FAILED, error=str(prediction))
        else:
            hold = follow_prediction(request, pinned, prediction, vae)
        return replace(hold, record=replace(hold.record, out_of_memory=on_cpu))


MOTION = Motion()
