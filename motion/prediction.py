"""Frames that a clip has not shown yet, by carrying its motion forward."""

from __future__ import annotations

import torch
from torch import Tensor

from .estimation import check_clip, estimate_displacements
from .flow import Flow, FlowEstimator
from .occlusion import picture_confidence
from .rhythm import LONGEST, rhythm_share
from .splat import fill_holes
from .trajectory import HISTORY, MotionPrediction, land, predict_motion
from .warp import backward_warp


def predict_frames(
    frames: Tensor, count: int, *, step_gain: float = 0.5, estimator: str | FlowEstimator = "auto"
) -> tuple[Tensor, Tensor]:
    """Predict the frames that follow a clip.

    Args:
        frames: ``(T, 3, H, W)`` RGB in [0, 1], two or more; the last five are looked at.
        count: frames to predict.
        step_gain: [0, 1], the share of the velocity that is left 16 frames ahead.
        estimator: of flow; see :func:`~motion.estimate_flow`.

    Returns:
        The frames ``(count, 3, H, W)`` and their confidence ``(count, 1, H, W)`` in [0, 1], which is 0 where
        content comes into view that no frame has shown: there the last frame's surroundings stand in.

    Raises:
        ValueError: for fewer than two frames, frames that are no pictures, or numbers out of range.
    """
    return render(frames[-1:], predict_clip_motion(frames, count, step_gain=step_gain, estimator=estimator))


def predict_clip_motion(
    frames: Tensor,
    count: int,
    *,
    step_gain: float = 0.5,
    estimator: str | FlowEstimator = "auto",
    period: int = 1,
    shrink: bool = True,
) -> MotionPrediction:
    """Where the content of a clip's last frame is going; see :func:`predict_frames` for the arguments.

    Its confidence is that of the picture: high on even surfaces, where any motion shows the same.

    Args:
        period: frames of a group that was decoded at once, 4 for Wan's; as far as speeds follow
            their rhythm, velocities are taken over whole groups; see :func:`~motion.rhythm.rhythm_share`.
        shrink: whether unsteady motion goes less far, or is trusted less; see :func:`~motion.predict_motion`.
    """
    check_clip("frames", frames)
    recent = frames[-1 - (HISTORY if period == 1 else LONGEST * period) :]
    forward, backward = estimate_displacements(recent[:-1], recent[1:], estimator=estimator)
    shown = picture_confidence(recent[1:], recent[:-1], backward, forward)
    flow = Flow(backward, shown)
    last = predict_motion(None, count, step_gain=step_gain, backward=flow, shrink=shrink)
    if period != 1:
        over = predict_motion(None, count, step_gain=step_gain, backward=flow, period=period, shrink=shrink)
        share = rhythm_share(flow, period)
        last = MotionPrediction(
            torch.lerp(last.displacement, over.displacement, share), torch.lerp(last.confidence, over.confidence, share)
        )
    return MotionPrediction(last.displacement.to(frames), last.confidence.to(frames))


def render(anchor: Tensor, prediction: MotionPrediction) -> tuple[Tensor, Tensor]:
    """The anchor frame as the prediction moves it.

    The motion is splatted rather than the picture, and the picture then fetched along it: sampled once, it stays sharp.

    Args:
        anchor: ``(1, C, H, W)``.
        prediction: T frames ahead.

    Returns:
        ``(T, C, H, W)`` and its confidence ``(T, 1, H, W)``, on the predicted frames' own grid.
    """
    frames, confidences = [], []
    for displacement, confidence in zip(prediction.displacement.split(1), prediction.confidence.split(1), strict=True):
        arrived, trusted, coverage = land(displacement, confidence, confidence)
        known = coverage.clamp(max=1)
        frames.append(backward_warp(anchor, -fill_holes(arrived, known)))
        confidences.append(trusted * known)
    return torch.cat(frames), torch.cat(confidences)
