"""Wan's position in time for chunks longer than it was trained on (RIFLEx, Zhao et al. 2025)."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from ..latents import frame_length, latent_length

TRAINED = 81
"""Frames of Wan2.1's training clips."""
SHARE = 0.9
"""Of a period, that a chunk may last where its frequency is changed."""
EMBEDDER = "diffusion_model.rope_embedder"


class SlowedRope(nn.Module):
    """A rotary embedding with one of its frequencies in time replaced, so that it does not repeat within a chunk."""

    def __init__(self, inner: nn.Module, component: int, frequency: float, frames: int):
        """See :func:`slow_rope`; ``frequency`` is in radians per latent, ``frames`` the chunk that it is meant for."""
        super().__init__()
        self.inner, self.component, self.frequency, self.frames = inner, component, frequency, frames
        self.axes_dim, self.theta = inner.axes_dim, inner.theta

    def forward(self, ids: Tensor) -> Tensor:
        """Positions ``(B, N, 3)`` of time, y and x to rotations ``(B, 1, N, D / 2, 2, 2)``."""
        rotations = self.inner(ids).clone()
        angle = ids[..., 0].float() * self.frequency
        cos, sin = angle.cos(), angle.sin()
        slow = torch.stack((cos, -sin, sin, cos), dim=-1).unflatten(-1, (2, 2))[:, None]
        rotations[..., self.component - 1, :, :] = slow.to(rotations)
        return rotations


def time_frequencies(model) -> tuple[float, ...]:
    """Radians per latent of each component in time of the host's ``model``, the fastest first."""
    embedder = model.get_model_object(EMBEDDER)
    count = embedder.axes_dim[0] // 2
    return tuple(embedder.theta ** (-index / count) for index in range(count))


def intrinsic_component(frequencies: tuple[float, ...], trained: int = latent_length(TRAINED)) -> int:
    """The component, counted from 1, that repeats first in chunks longer than the ``trained`` latents.

    That is the fastest one that no training clip saw repeat. Equation 7 of the paper takes the period nearest to where
    a model's videos are seen to repeat; for both models that it names this is the same component.
    """
    return next((k for k, own in enumerate(frequencies, 1) if 2 * math.pi / own > trained), len(frequencies))


def shortest_slowed(frequency: float) -> int:
    """The shortest chunk, in frames, that :func:`slow_rope` changes a component of this frequency for."""
    return max(frame_length(math.floor(2 * math.pi / frequency) + 1), frame_length(latent_length(TRAINED) + 1))


def slowed_frames(model) -> int | None:
    """The chunk length, in frames, that a frequency of the host's ``model`` was slowed for; None where none was."""
    return getattr(model.get_model_object(EMBEDDER), "frames", None)


def slow_rope(model, component: int, frames: int):
    """A clone of the host's ``model``, one component of whose rotary embedding does not repeat within a chunk.

    The component's frequency becomes 0.9 periods per chunk (equation 8 of the paper), where it is more than one by
    itself: never above its own. Where it is not, and up to 81 frames, the model is returned as it is;
    :func:`shortest_slowed` says what is long enough.

    Args:
        component: of the time axis, counted from 1, the fastest.
        frames: of a chunk, 4n + 1.

    Raises:
        ValueError: if there is no such component, or ``frames`` is not 4n + 1.
    """
    latents, frequencies = latent_length(frames), time_frequencies(model)
    if not 1 <= component <= len(frequencies):
        raise ValueError(f"component must be from 1 to {len(frequencies)}, as the model has in time, got {component}.")
    if frames < shortest_slowed(frequencies[component - 1]):
        return model
    patched = model.clone()
    slowed = SlowedRope(model.get_model_object(EMBEDDER), component, SHARE * 2 * math.pi / latents, frames)
    patched.add_object_patch(EMBEDDER, slowed)
    return patched
