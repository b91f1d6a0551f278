"""The end of a chunk that leads to frames which are there already, of a chunk that stays or of a given clip: held, and
put back to the bit."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from .latents import TEMPORAL_STRIDE
from .protocols import Hold


@dataclass(frozen=True)
class KeptEnd:
    """The end that a chunk is to have."""

    frames: Tensor
    """``(4 t, 3, H, W)`` in [0, 1]: the frames of :attr:`latents`."""
    latents: Tensor
    """``(1, 16, t, h, w)``: its last latents, held through sampling. They stand for the very same frames in any chunk
    of its length."""
    kept: int
    """Frames, from the last one back, that stay to the bit. Those before them pass over: a causal decoder remembers
    what came before."""
    exact_frames: int
    """The last of them that are as their latents decode."""

    def __post_init__(self) -> None:
        if len(self.frames) != TEMPORAL_STRIDE * self.latents.shape[2] or not 0 < self.kept <= len(self.frames):
            raise ValueError(
                f"Expected four frames for each of {self.latents.shape[2]} latents, and some of them to keep, got "
                f"{len(self.frames)} and {self.kept}."
            )


def latents_to_keep(frames: int) -> int:
    """How many latents to hold for ``frames`` frames to stay, and at least one to pass over in."""
    return frames // TEMPORAL_STRIDE + 1


def hold_end(hold: Hold, end: KeptEnd) -> Hold:
    """Hold the end of a chunk too, whatever its level holds."""
    samples = hold.samples.clone()
    mask = torch.ones_like(samples[:, :1]) if hold.noise_mask is None else hold.noise_mask.clone()
    held = slice(samples.shape[2] - end.latents.shape[2], None)
    samples[:, :, held] = end.latents.to(samples)
    mask[:, :, held] = 0.0
    percent = hold.end_percent
    if percent is not None:
        percent = percent.clone()
        percent[:, :, held] = 0.0
    return replace(hold, samples=samples, noise_mask=mask, end_percent=percent)


def restore_frames(added: Tensor, end: KeptEnd) -> Tensor:
    """The frames that a chunk added, passing over to the end that stays.

    Args:
        added: ``(n, 3, H, W)``, at least as many as stay.
    """
    count = min(len(added), len(end.frames))
    fade, first = count - end.kept, len(added) - count
    share = ((torch.arange(fade, dtype=added.dtype) + 1) / (fade + 1)).view(-1, 1, 1, 1).to(added)
    old = end.frames[len(end.frames) - count :].to(added)
    return torch.cat((added[:first], torch.lerp(added[first : first + fade], old[:fade], share), old[fade:]))


def restore_latents(latent: Tensor, end: KeptEnd) -> Tensor:
    """A sampled chunk with the latents that stay as they were: a sampler scales what it holds back and forth."""
    latent = latent.clone()
    latent[:, :, latent.shape[2] - end.latents.shape[2] :] = end.latents.to(latent)
    return latent
