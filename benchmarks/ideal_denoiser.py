"""A MODEL for the host's samplers that is exact: the posterior mean over a finite set of clips of one drawn scene.

A student of few steps is not exact. Here it is one that leaves a share of its input in what it gives out.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from ..motion import backward_warp
from ..motion.pyramid import gaussian_blur
from ..tiny.scenes import Appearance, draw_scenes, sprite_layer
from ..tiny.teacher import fit_teacher

LENGTH, KNOWN = 17, 9
SIZE = 64
SPEEDS = (0.4, 0.8, 1.2, 1.6, 2.0, 2.4)
DIRECTIONS = 24
SURE = 0.05
"""Deviation of the latents of known frames, as the conditioning is believed under H2."""


@dataclass(frozen=True)
class World:
    """One scene, with every way that it may go on."""

    appearance: Appearance
    ground: Tensor
    """``(1, 1, 3, H, W)`` in [0, 1]."""
    start: Tensor
    """``(2,)`` pixels: where the sprite is in the first frame."""
    velocity: Tensor
    """``(2,)`` pixels per frame: the true one, on no point of the grid of continuations."""

    def render(self, velocity: Tensor, start: Tensor | None = None) -> Tensor:
        """Clips ``(B, 17, 3, H, W)`` of the sprite moving at each ``velocity`` (B, 2)."""
        time = torch.arange(LENGTH).view(1, -1, 1)
        centers = (self.start if start is None else start) + velocity[:, None] * time  # (B, T, 2)
        one = Appearance(*(value.expand(len(velocity), *value.shape[1:]) for value in vars(self.appearance).values()))
        alpha, texture = sprite_layer(one, 0, centers, SIZE)
        return self.ground * (1 - alpha) + texture * alpha


@dataclass(frozen=True)
class Damage:
    """What a chunk may have done to the frames that it hands on."""

    gain: float = 1.0
    """Of all colors."""
    blur: float = 0.0
    """Pixels, the deviation of a Gaussian."""
    offset: float = 0.0
    """Pixels to the right, of the whole picture."""
    velocity: float = 0.0
    """Pixels per frame to the right, by which the sprite is wrong; in the last known frame it is in its place."""

    def render(self, world: World) -> Tensor:
        """The damaged known frames, ``(1, 9, 3, H, W)`` in [0, 1]."""
        wrong = torch.tensor([self.velocity, 0.0])
        clip = world.render((world.velocity + wrong)[None], world.start - (KNOWN - 1) * wrong)[0, :KNOWN]
        shift = torch.tensor([-self.offset, 0.0]).view(1, 2, 1, 1).expand(KNOWN, 2, SIZE, SIZE)
        clip = backward_warp(clip, shift) * self.gain
        return (gaussian_blur(clip, self.blur) if self.blur else clip).clamp(0, 1)[None]


def draw_world(generator: torch.Generator) -> World:
    """A sprite somewhere in the middle, with any direction and a speed from 0.3 to 2.3 pixels per frame."""
    appearance = draw_scenes(1, 1, generator, size=SIZE).appearance
    corners = torch.rand(2, 3, 1, 1, generator=generator)
    across = torch.linspace(0, 1, SIZE).view(1, 1, SIZE)
    ground = (corners[0] * across + corners[1] * (1 - across)).expand(3, SIZE, SIZE)[None, None]
    start = 24 + 16 * torch.rand(2, generator=generator)
    speed = 0.3 + 2 * torch.rand(1, generator=generator)
    angle = 2 * math.pi * torch.rand(1, generator=generator)
    return World(appearance, ground, start, torch.cat((angle.cos(), angle.sin())) * speed)


def continuations() -> Tensor:
    """``(145, 2)`` pixels per frame: rest, and 24 directions at six speeds."""
    angles = torch.arange(DIRECTIONS) * (2 * math.pi / DIRECTIONS)
    ways = torch.stack((angles.cos(), angles.sin()), dim=-1)
    return torch.cat((torch.zeros(1, 2), *(ways * speed for speed in SPEEDS)))


class TeacherVae:
    """The linear autoencoder that taught the tiny VAE, as the host's VAE behaves: exact phases, no drift.

    Each channel has unit variance in the model's space, as Wan's latents have: against weaker ones the noise would
    hide for most of the steps what the denoiser could know.
    """

    def __init__(self, latent_format):
        self.teacher, self.latent_format = fit_teacher(), latent_format
        scenes = draw_scenes(64, 5, torch.Generator().manual_seed(6))
        self.deviation = self.teacher.encode(scenes.frames).std(dim=(0, 2, 3, 4), keepdim=True)

    def code(self, clips: Tensor) -> Tensor:
        """Clips ``(B, T, 3, H, W)`` in [0, 1] to ``(B, 16, t, h, w)`` in the model's space."""
        return self.teacher.encode(clips) / self.deviation

    def encode(self, pixels: Tensor) -> Tensor:
        return self.latent_format.process_out(self.code(pixels.movedim(-1, 1)[None]))

    def decode(self, latent: Tensor) -> Tensor:
        frames = self.teacher.decode(self.latent_format.process_in(latent) * self.deviation)
        return frames.clamp(0, 1).movedim(2, -1)


def ideal_model(model, bank: Tensor, evidence: Tensor | None = None, kept: float = 0.0):
    """A clone of the host's ``model`` that denoises exactly, or nearly.

    Args:
        model: Wan2.1; its weights are not asked.
        bank: ``(N, 16, T, h, w)``, the model's space: what the sample may be, each as likely as the others.
        evidence: ``(N,)``, logarithm of how likely the known frames are for each, if the model heeds them (H2).
        kept: [0, 1], the share of its noisy input that is left in each output; 0 is exact.
    """
    patched = model.clone()
    prior = torch.zeros(len(bank)) if evidence is None else evidence
    flat = bank.flatten(1)

    def denoise(apply_model, arguments):
        sigma, noisy = arguments["timestep"][:1].clamp(min=1e-3), arguments["input"]
        wrong = torch.cdist(noisy.flatten(1), flat * (1 - sigma)).square()  # (B, N)
        mean = (torch.softmax(prior - wrong / (2 * sigma.square()), dim=1) @ flat).view_as(noisy)
        return mean.lerp(noisy, kept)

    patched.set_model_unet_function_wrapper(denoise)
    return patched


def known_evidence(bank: Tensor, truth: Tensor, latents: int) -> Tensor:
    """``(N,)``: log-likelihood of the known latents of ``truth`` (1, 16, T, h, w) for each clip of the bank."""
    wrong = (bank[:, :, :latents] - truth[:, :, :latents]).flatten(1).square().sum(dim=1)
    return -wrong / (2 * SURE**2)


def mixed(evidence: Tensor, share: float, likely: Tensor | None = None) -> Tensor:
    """The logarithm of how likely each clip is, if the model heeds the known frames in a ``share`` of its cases.

    Args:
        evidence: ``(N,)``, as :func:`known_evidence` has it.
        share: [0, 1]: 0 is H1, 1 is H2.
        likely: ``(N,)``, the same as the result before any frame is seen; by default all are equally likely.
    """
    likely = torch.zeros_like(evidence) if likely is None else likely
    blind, heeded = likely.log_softmax(dim=0), (likely + evidence).log_softmax(dim=0)
    if share in (0, 1):
        return heeded if share else blind
    return torch.logaddexp(heeded + math.log(share), blind + math.log(1 - share))
