"""Frames that a clip has not shown yet, by carrying its motion forward."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from .estimation import check_clip, estimate_back
from .flow import FlowEstimator
from .rhythm import LONGEST, pair_speed, rhythm_share
from .splat import fill_holes
from .trajectory import HISTORY, PERIODS, MotionPrediction, land, predict_motion
from .warp import backward_warp, exact


def predict_frames(
    frames: Tensor, count: int, *, step_gain: float = 1.0, estimator: str | FlowEstimator = "auto"
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
    step_gain: float = 1.0,
    estimator: str | FlowEstimator = "auto",
    period: int = 1,
    checked: bool = False,
    shrink: bool = True,
) -> MotionPrediction:
    """Where the content of a clip's last frame is going; see :func:`predict_frames` for the arguments.

    Its confidence is that of the picture: high on even surfaces, where any motion shows the same.

    Args:
        period: frames of a group that was decoded at once, 4 for Wan's; as far as speeds follow
            their rhythm, velocities are taken over whole groups; see :func:`~motion.rhythm.rhythm_share`.
        shrink: whether unsteady motion goes less far, or is trusted less; see :func:`~motion.predict_motion`.
        checked: whether the frames are known to be pictures; to look again waits for their device.
    """
    if not checked:
        check_clip("frames", frames)
    # A card takes longer to begin with a second group of pairs than with all of them at full size.
    apart = frames.device.type == "cpu"
    reach = HISTORY if period == 1 else (PERIODS if apart else LONGEST) * period
    flow = estimate_back(frames[-1 - reach :], estimator=estimator)
    share = torch.ones(())
    if period != 1:
        speed = pair_speed(flow)
        older = frames[-1 - LONGEST * period : max(0, len(frames) - PERIODS * period)]
        if apart and len(older) > 1:  # only how fast they are is asked of them
            half = F.interpolate(exact(older), scale_factor=0.5, mode="bilinear", antialias=True)
            speed = torch.cat((2 * pair_speed(estimate_back(half, estimator=estimator)), speed))
        share = rhythm_share(speed, period)
    found = predict_motion(None, count, step_gain=step_gain, backward=flow, period=period, rhythm=share, shrink=shrink)
    return MotionPrediction(found.displacement.to(frames), found.confidence.to(frames))


def render(anchor: Tensor, prediction: MotionPrediction) -> tuple[Tensor, Tensor]:
    """The anchor frame as the prediction moves it.

    The motion is splatted rather than the picture, and the picture then fetched along it: sampled once, it stays sharp.

    Args:
        anchor: ``(1, C, H, W)``.
        prediction: T frames ahead.

    Returns:
        ``(T, C, H, W)`` and its confidence ``(T, 1, H, W)``, on the predicted frames' own grid.
    """
    displacement, confidence = prediction.displacement, prediction.confidence
    arrived, trusted, coverage = land(displacement, confidence, confidence)
    known = coverage.clamp(max=1)
    frames = backward_warp(anchor.expand(len(displacement), -1, -1, -1), -fill_holes(arrived, known))
    return frames, trusted * known
