"""Whether the speeds of a clip rise and fall with a codec's groups of frames rather than with what is shown."""

from __future__ import annotations

import torch
from torch import Tensor

from .flow import Flow
from .warp import vector_length

LONGEST = 4
"""Periods that are looked at: the more, the surer; beyond these the motion may be another."""
SLOWEST = 0.02
"""Pixels per frame below which there is no speed to speak of."""
CHANCE = 5.0
"""How many times more than by chance the phases must differ: five in six windows of real clips stay below it, and what
the tiny VAE of this pack decoded lies at 100 in the middle."""


def pair_speed(flow: Flow) -> Tensor:
    """``(N,)`` pixels per frame: mean length of each flow, where it is trusted. What moves counts, however little of
    the picture it is."""
    length = vector_length(flow.displacement.float())
    weight = flow.confidence.float() * length
    return (weight * length).mean(dim=(1, 2, 3)) / weight.mean(dim=(1, 2, 3)).clamp(min=1e-9)


@torch.no_grad()
def rhythm_share(speed: Tensor, period: int) -> Tensor:
    """How far a clip's speeds follow a rhythm of ``period`` frames, in [0, 1].

    A causal video VAE decodes frames in groups, and what moves steadily may come out fast at a group's begin and slow
    at its end: the last velocity before a seam is then not the motion's. The logarithm of the frames' speeds is fitted
    by a line and a phase of the rhythm; the share is ``1 - 5 / F`` with the phases' variance F over what they would
    have by chance, given what neither explains.

    Args:
        speed: ``(K,)`` pixels per frame, of frame pairs in the order of time; the last one ends a period.

    Returns:
        A scalar tensor: 0 where there are less than two periods, or nothing moves.
    """
    count = min(len(speed) // period, LONGEST) * period
    if period == 1 or count < 2 * period:
        return speed.new_zeros(())
    speed = speed[-count:]
    share = (1 - CHANCE / _excess(speed.clamp(min=SLOWEST / 4).log(), period)).clamp(min=0)
    return torch.where(speed.mean() > SLOWEST, share, 0.0)


def _excess(level: Tensor, period: int) -> Tensor:
    """The variance of a rhythm's phases in ``level`` (K,) over what they would have by chance, besides a line."""
    time = torch.arange(len(level)).to(level)
    phases = torch.eye(period).to(level)[torch.arange(len(level)) % period]
    contrasts = phases[:, :-1] - phases[:, -1:]  # which sum to 0
    design = torch.cat((torch.ones_like(time)[:, None], (time - time.mean())[:, None], contrasts), dim=1)
    found = torch.linalg.pinv(design) @ level[:, None]
    rest = (level[:, None] - design @ found).square().sum() / (len(level) - design.shape[1])
    rhythm = torch.cat((found[2:, 0], -found[2:, 0].sum()[None]))
    return rhythm.square().mean() / (rest * (period - 1) / len(level)).clamp(min=1e-12)
