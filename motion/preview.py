"""What was predicted, in one picture."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from .picture import draw_arrows, heat_map
from .trajectory import MotionPrediction
from .warp import exact

AHEAD = 4
"""Frames that the arrows look ahead."""
STRIP = 4
"""Predicted frames in the lower row."""


def show_prediction(anchor: Tensor, prediction: MotionPrediction, frames: Tensor, confidence: Tensor) -> Tensor:
    """Arrows over the last frame, what is trusted of the next ones, and a row of predicted frames.

    Args:
        anchor: ``(1, 3, H, W)`` RGB in [0, 1], the clip's last frame.
        prediction: on its grid.
        frames: ``(T, 3, H, W)``, as predicted.
        confidence: ``(T, 1, H, W)`` in [0, 1], on their grid.

    Returns:
        ``(1, 3, H + H', 2 W)``: the row is half as high where there are four frames to show.
    """
    height, width = anchor.shape[-2:]
    ahead = min(AHEAD, len(frames)) - 1
    arrows = draw_arrows(anchor, prediction.displacement[ahead : ahead + 1] * (prediction.confidence[ahead] > 0.5))
    upper = torch.cat((arrows, heat_map(confidence[ahead : ahead + 1])), dim=3)
    shown = torch.linspace(0, len(frames) - 1, min(STRIP, len(frames))).round().long()
    row = torch.cat(frames[shown].split(1), dim=3)
    small = F.interpolate(
        exact(row), (round(height * 2 / len(shown)), 2 * width), mode="bilinear", align_corners=False, antialias=True
    )
    return torch.cat((upper, small.to(upper)), dim=2).clamp(0, 1)
