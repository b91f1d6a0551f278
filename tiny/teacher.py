"""A linear autoencoder of 8x8 patches, exact enough to teach the tiny Wan VAE its latents.

Plain training of so narrow a causal VAE stays at 13-14 dB for hundreds of steps; shown the
principal components of single frames (latent 0) and of groups of four (every later latent), it
passes 24 dB in minutes. Both bases are turned so that a static picture has nearly the same latent
in either, as it has in the VAE, whose spatial weights serve both.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from .scenes import draw_scenes

CHANNELS, PATCH, GROUP = 16, 8, 4


@dataclass(frozen=True)
class Teacher:
    """Bases of the two kinds of latent; latents are in the model's space, about unit variance."""

    frame_mean: Tensor
    frame_basis: Tensor
    """``(192, 16)``: from a patch of one frame to latent channels; its pseudo-inverse leads back."""
    group_mean: Tensor
    group_basis: Tensor
    """``(768, 16)``: from a patch of four frames to latent channels."""

    def encode(self, frames: Tensor) -> Tensor:
        """Frames ``(B, 4n + 1, 3, H, W)`` in [0, 1] to latents ``(B, 16, n + 1, H / 8, W / 8)``."""
        video = frames * 2 - 1
        first = (_patches(video[:, :1]) - self.frame_mean) @ self.frame_basis  # (B, 1, h, w, 16)
        later = (_patches(video[:, 1:], GROUP) - self.group_mean) @ self.group_basis
        return torch.cat((first, later), dim=1).movedim(-1, 1)

    def decode(self, latent: Tensor) -> Tensor:
        """Latents ``(B, 16, n + 1, h, w)`` to frames ``(B, 4n + 1, 3, 8h, 8w)``, not clamped."""
        cells = latent.movedim(1, -1)
        first = cells[:, :1] @ torch.linalg.pinv(self.frame_basis) + self.frame_mean
        later = cells[:, 1:] @ torch.linalg.pinv(self.group_basis) + self.group_mean
        return (torch.cat((_unpatch(first), _unpatch(later, GROUP)), dim=1) + 1) / 2


def fit_teacher(seed: int = 5, clips: int = 768) -> Teacher:
    """Fit both bases on freshly drawn scenes.

    Channels are scaled by the square root of their deviation: whitening would make the model spend
    its effort on the weakest components, one common scale would leave them under its noise.
    """
    generator = torch.Generator().manual_seed(seed)
    frames = torch.cat([draw_scenes(64, 5, generator).frames for _ in range(clips // 64)]) * 2 - 1
    single, group = _patches(frames[:, :1]).flatten(0, -2), _patches(frames[:, 1:], GROUP).flatten(0, -2)
    frame_mean, frame_vectors, _ = _principal(single)
    group_mean, group_vectors, deviation = _principal(group)

    static = _patches(frames[:, :1].expand(-1, GROUP, -1, -1, -1), GROUP).flatten(0, -2)
    as_group = (static - group_mean) @ group_vectors / GROUP**0.5
    as_frame = (single - frame_mean) @ frame_vectors
    u, _, vh = torch.linalg.svd(as_frame.T @ as_group)  # orthogonal Procrustes (Schoenemann 1966)
    scale = deviation.rsqrt() / deviation.mean().sqrt()
    return Teacher(frame_mean, frame_vectors @ (u @ vh) * (scale * GROUP**0.5), group_mean, group_vectors * scale)


def _principal(patches: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    mean = patches.mean(0)
    centered = patches - mean
    variance, vectors = torch.linalg.eigh(centered.T @ centered / len(centered))
    return mean, vectors.flip(1)[:, :CHANNELS], variance.flip(0)[:CHANNELS].sqrt()


def _patches(video: Tensor, group: int = 1) -> Tensor:
    """``(B, g n, 3, H, W)`` to ``(B, n, H / 8, W / 8, g * 3 * 64)``."""
    b, t, c, height, width = video.shape
    cells = video.reshape(b, t // group, group, c, height // PATCH, PATCH, width // PATCH, PATCH)
    return cells.permute(0, 1, 4, 6, 2, 3, 5, 7).flatten(4)


def _unpatch(cells: Tensor, group: int = 1) -> Tensor:
    b, n, height, width, _ = cells.shape
    video = cells.unflatten(-1, (group, 3, PATCH, PATCH)).permute(0, 1, 4, 5, 2, 6, 3, 7)
    return video.reshape(b, n * group, 3, height * PATCH, width * PATCH)
