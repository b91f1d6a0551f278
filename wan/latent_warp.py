"""Latents carried along a motion: cheaper than encoding predicted frames, and not as sharp."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor

from ..motion import MotionPrediction, resize_flow
from ..motion.prediction import render
from .latents import TEMPORAL_STRIDE


def warp_latent(latent: Tensor, motion: MotionPrediction, count: int) -> tuple[Tensor, Tensor]:
    """Continue a clip's latents by moving the last of them.

    A latent stands for the middle of its four frames, so that the k-th one ahead has moved for 4 k frames. What
    bilinear sampling takes from a channel's contrast is given back. Where nothing is known the last latent stays: in
    ComfyUI's latent space zero is a color, not nothing.

    Args:
        latent: ``(1, 16, T, h, w)``, two latents or more: the first of a clip codes one frame.
        motion: from the clip's last frame, ``4 count`` frames ahead or more, in pixels of any grid.
        count: latents to make.

    Returns:
        The latents ``(1, 16, count, h, w)`` and their confidence ``(1, 1, count, h, w)`` in [0, 1].

    Raises:
        ValueError: if the clip has one latent, or the motion does not reach far enough.
    """
    if latent.ndim != 5 or len(latent) != 1 or latent.shape[2] < 2:
        raise ValueError(f"latent: expected one video of two latents or more, got {tuple(latent.shape)}.")
    predicted = len(motion.displacement)
    if predicted < TEMPORAL_STRIDE:
        raise ValueError(
            f"motion: it predicts {predicted} frames, and a latent takes {TEMPORAL_STRIDE}. "
            "Raise frames in Predict Motion."
        )
    if not 1 <= count <= predicted // TEMPORAL_STRIDE:
        raise ValueError(
            f"latents must be from 1 to {predicted // TEMPORAL_STRIDE}, a fourth of the {predicted} frames that the "
            f"motion predicts, got {count}."
        )
    last = latent[:, :, -1]
    height, width = last.shape[-2:]
    ahead = slice(TEMPORAL_STRIDE - 1, TEMPORAL_STRIDE * count, TEMPORAL_STRIDE)
    confidence = F.interpolate(motion.confidence[ahead], (height, width), mode="area").to(last)
    # Linear sampling keeps the mean of the squares, but not the squares of the means: what is between them is lost.
    both, known = render(
        torch.cat((last, last.square()), dim=1),
        MotionPrediction(resize_flow(motion.displacement[ahead], (height, width)).to(last), confidence),
    )
    moved, square = both.chunk(2, dim=1)  # (count, 16, h, w) each
    mean = _mean(moved, known)
    contrast = (_mean(square, known) - mean.square()).clamp(min=0)
    left = (_mean(moved.square(), known) - mean.square()).clamp(min=1e-6)
    restored = (moved - mean) * (contrast / left).sqrt() + mean
    moved = torch.lerp(last.expand_as(moved), restored, known)
    return rearrange(moved, "t c h w -> 1 c t h w"), rearrange(known, "t c h w -> 1 c t h w")


def _mean(latents: Tensor, weight: Tensor) -> Tensor:
    """Of each channel, ``(T, C, 1, 1)``, over what counts."""
    total = weight.sum(dim=(2, 3), keepdim=True).clamp(min=1e-6)
    return (latents * weight).sum(dim=(2, 3), keepdim=True) / total
