"""Wan's position in time for chunks longer than it was trained on (RIFLEx, Zhao et al. 2025)."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from .latents import latent_length

TRAINED = 81
"""Frames of Wan2.1's training clips."""
SHARE = 0.9
"""Of a period, that a chunk may last."""


class SlowedRope(nn.Module):
    """A rotary embedding with one of its frequencies in time replaced, so that it does not repeat within a chunk."""

    def __init__(self, inner: nn.Module, component: int, frames: int):
        """See :func:`slow_rope`."""
        super().__init__()
        self.inner, self.component, self.axes_dim = inner, component, inner.axes_dim
        self.frequency = SHARE * 2 * math.pi / latent_length(frames)

    def forward(self, ids: Tensor) -> Tensor:
        """Positions ``(B, N, 3)`` of time, y and x to rotations ``(B, 1, N, D / 2, 2, 2)``."""
        rotations = self.inner(ids).clone()
        angle = ids[..., 0].float() * self.frequency
        cos, sin = angle.cos(), angle.sin()
        slow = torch.stack((cos, -sin, sin, cos), dim=-1).unflatten(-1, (2, 2))[:, None]
        rotations[..., self.component - 1, :, :] = slow.to(rotations)
        return rotations


def slow_rope(model, component: int, frames: int):
    """A clone of the host's ``model`` whose rotary embedding does not repeat within ``frames`` frames.

    The frequency of one component in time becomes 0.9 periods per chunk (equation 8 of the paper). Up to 81 frames
    the model is returned as it is.

    Args:
        component: of the time axis, counted from 1, the fastest.
        frames: of a chunk, 4n + 1.

    Raises:
        ValueError: if there is no such component, or ``frames`` is not 4n + 1.
    """
    latent_length(frames)
    embedder = model.get_model_object("diffusion_model.rope_embedder")
    count = embedder.axes_dim[0] // 2
    if not 1 <= component <= count:
        raise ValueError(f"component must be from 1 to {count}, as the model has in time, got {component}.")
    if frames <= TRAINED:
        return model
    patched = model.clone()
    patched.add_object_patch("diffusion_model.rope_embedder", SlowedRope(embedder, component, frames))
    return patched
