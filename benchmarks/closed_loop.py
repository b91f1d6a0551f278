"""Chunk after chunk by an exact denoiser, each from where the one before ended, on no grid of velocities.

A clip is a sprite that keeps one velocity, or takes another at some frame behind the known ones; a prompt tells what is
likely. This continuous family stands as a few hundred drawn clips, most of them near the known motion, weighted by how
likely they are over how often they are drawn: what is sampled is off by chance alone, and its path is fitted to it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ..wan.latents import latent_length
from .ideal_denoiser import SIZE
from .paths import PathCoder

DIRECTION, SPEED = 0.35, 0.4
"""Deviations of a clip's direction, in radians, and of the logarithm of its speed, around what the prompt tells."""
CHANGES = 1e-6
"""Share of clips in which the velocity changes: so few that no model turns by chance, in few steps either, and enough
to turn where a prompt tells another way."""
NEAR = 0.06
"""Deviation, over the told speed, of the clips that are drawn around the known motion."""
CLOSE, FAR, SECOND = 32, 24, 6
"""First velocities that are drawn near the known one, and of either kind of others; each goes on, or turns so often."""


@dataclass(frozen=True)
class Path:
    """Paths of N sprites through one chunk; all tensors begin with N."""

    start: Tensor
    """``(N, 2)`` pixels: the place in the first frame."""
    velocity: Tensor
    """``(N, 2)`` pixels per frame, up to the frame :attr:`turn`."""
    later: Tensor
    """``(N, 2)``: behind it."""
    turn: Tensor
    """``(N,)`` frames."""

    def centers(self, length: int) -> Tensor:
        """``(N, length, 2)`` pixels."""
        time, turn = torch.arange(length).view(1, -1, 1), self.turn.view(-1, 1, 1)
        first, second = torch.minimum(time, turn), (time - turn).clamp(min=0)
        return self.start[:, None] + self.velocity[:, None] * first + self.later[:, None] * second


@dataclass(frozen=True)
class Chunk:
    """Sizes of a chunk in frames."""

    length: int
    known: int

    @property
    def new(self) -> int:
        return self.length - self.known


def draw_told(told: Tensor, count: int, generator: torch.Generator) -> Tensor:
    """Velocities ``(count, 2)`` that a model takes a told one (2,) to mean."""
    turn, faster = (torch.randn(2, count, generator=generator) * torch.tensor([[DIRECTION], [SPEED]])).unbind(0)
    along = torch.stack((told, torch.stack((-told[1], told[0]))))  # the told way, and across
    return faster.exp()[:, None] * (torch.stack((turn.cos(), turn.sin()), dim=1) @ along)


def told_density(velocity: Tensor, told: Tensor) -> Tensor:
    """How likely :func:`draw_told` draws each ``velocity`` (N, 2), per square pixel per frame."""
    along, across = velocity @ told, told[0] * velocity[:, 1] - told[1] * velocity[:, 0]
    turn, square = torch.atan2(across, along), velocity.square().sum(dim=1).clamp(min=1e-12)
    faster = (square / told.square().sum()).log() / 2
    likely = (-(turn / DIRECTION).square() / 2 - (faster / SPEED).square() / 2).exp()
    return likely / (2 * math.pi * DIRECTION * SPEED * square)


def draw_bank(
    start: Tensor, velocity: Tensor, told: Tensor, chunk: Chunk, generator: torch.Generator
) -> tuple[Path, Tensor]:
    """Clips that a model may make which is told a velocity, drawn mostly near the known ``velocity`` (2,).

    Returns:
        The paths of N clips, all from ``start`` (2,), and the logarithm of how likely each is, ``(N,)``.
    """
    scale, still = told.norm(), torch.zeros(2)

    def normal(count: int, mean: Tensor, deviation: float) -> Tensor:
        return mean + deviation * scale * torch.randn(count, 2, generator=generator)

    def density(drawn: Tensor, mean: Tensor, deviation: float) -> Tensor:
        off = (drawn - mean).square().sum(dim=-1) / (deviation * scale) ** 2
        return (-off / 2).exp() / (2 * math.pi * (deviation * scale) ** 2)

    first = torch.cat((normal(CLOSE, velocity, NEAR), normal(FAR, still, 1.0), draw_told(told, FAR, generator)))
    likely_told, likely_known = told_density(first, told), density(first, still, 1.0)
    drawn = CLOSE * density(first, velocity, NEAR) + FAR * (likely_known + likely_told)
    steady, bent = (1 - CHANGES) * likely_told / drawn, CHANGES * likely_known / drawn
    pairs = len(first) * SECOND
    turn = torch.randint(chunk.known - 1, max(chunk.known - 1, chunk.new) + 1, (pairs,), generator=generator)
    paths = Path(
        start.expand(len(first) + pairs, 2),
        torch.cat((first, first.repeat_interleave(SECOND, dim=0))),
        torch.cat((first, draw_told(told, pairs, generator))),
        torch.cat((torch.full((len(first),), chunk.length), turn)),
    )
    likely = torch.cat((steady, (bent / SECOND).repeat_interleave(SECOND)))
    return paths, likely.clamp(min=1e-37).log()


def start_of(velocity: Tensor, told: Tensor, chunk: Chunk) -> Tensor:
    """Where a sprite starts that is in the middle of the frame half-way through what is new, ``(2,)`` pixels."""
    return SIZE / 2 - told * chunk.new / 2 - velocity * (chunk.known - 1)


def fit_path(coder: PathCoder, latent: Tensor, paths: Path, bank: Tensor, chunk: Chunk) -> Path:
    """The path that a sampled chunk shows behind the known frames, by least squares from the nearest of the bank's.

    What is fitted is the velocity behind the last turn, and the place there, so that a jump behind the known frames is
    found too.

    Args:
        latent: ``(1, 16, T, h, w)``, the model's space.
    """
    free = slice(latent_length(chunk.known), None)
    nearest = (bank - latent)[:, :, free].flatten(1).square().sum(dim=1).argmin()
    found = Path(*(value[nearest, None] for value in vars(paths).values()))
    # A clip of one velocity has no turn: its place behind the known frames is fitted by that of a first velocity.
    steady = found.turn >= chunk.length
    found = replace(found, turn=torch.where(steady, chunk.known - 1, found.turn))

    def residual(path: Path) -> Tensor:
        return (coder.code(path.centers(chunk.length)) - latent)[:, :, free].flatten(1)

    least = residual(found)
    for step in (0.02, 0.01, 0.01):
        moves = step * torch.eye(4)
        changed = Path(
            found.start.expand(4, -1), found.velocity + moves[:, :2], found.later + moves[:, 2:], found.turn.expand(4)
        )
        slopes = (residual(changed) - least) / step
        better = torch.linalg.lstsq(slopes.T, -least.T).solution.T.clamp(-0.1, 0.1)
        moved = replace(found, velocity=found.velocity + better[:, :2], later=found.later + better[:, 2:])
        wrong = residual(moved)
        if wrong.square().sum() >= least.square().sum():
            break
        found, least = moved, wrong
    return found
