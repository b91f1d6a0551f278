"""Whether things go on behind a seam as they went before it: to where they were going, and as fast."""

from __future__ import annotations

import torch
from einops import rearrange
from torch import Tensor

from .series import PairSeries

NOISE, JITTER = 0.05, 0.03
"""Pixels: what a cell's and a block's median flow is off where nothing is wrong."""
REST = 0.005
"""Pixels: where blocks move less on average they have no direction."""
CELLS, BLOCKS = 0.95, 0.75
"""Quantiles over the picture: a subject that covers a tenth of it tells, a few cells at its edges do not."""
SPAN, NEAR = 4, 2
"""Doubled pairs on either side of a seam that say how steady the motion is, and those that say how fast."""


def position_jump(series: PairSeries, pair: int, others: list[int]) -> float:
    """How far things land from where they were going, over the farthest that they do in the other pairs.

    Of each cell for itself, so that what shakes is held against its own shaking; the 95th percentile over the cells. A
    picture that jumps, dropped frames and a held one show as what they are: as a place that things should not be at.
    The largest of the neighbors makes this a rank: whatever the distribution, one of fifteen pairs is the largest.

    Args:
        pair: index of the pair across the seam.
        others: indices of the pairs that it is held against.
    """
    own, usual = series.landing_error[pair], series.landing_error[others].amax(dim=0)
    ratio = (own + NOISE) / (usual + NOISE)
    known = series.known[pair]
    return (ratio[known] if known.any() else ratio.flatten()).quantile(CELLS).item()


def speed_change(series: PairSeries, pair: int, reach: int) -> float:
    """How much velocity differs before and behind a seam for good, over what unsteadiness makes of it.

    Velocity is that of two pairs together: frames that are doubled or left out in turn move evenly then. Of each block
    ``|b - a| / (s sqrt(1/n + 1/m) + t + 0.03)``: the mean velocities a of the n nearest before and b of the m nearest
    behind, s the deviation that their differences from one to the next tell (median over 1.25), t what the steeper of
    the two sides' trends leads to from a to b. The 75th percentile over the blocks.

    Args:
        pair: index of the pair across the seam; it belongs to neither side.
        reach: pairs on either side that are looked at.

    Returns:
        0 where fewer than four pairs are on either side: what lasts cannot be seen.
    """
    velocity = series.velocity
    before, behind = velocity[max(0, pair - reach) : pair].flip(0), velocity[pair + 1 : pair + 1 + reach]
    sides = [_doubled(side) for side in (before, behind)]
    if min(len(side) for side in sides) < 2:
        return 0.0
    near = [side[:NEAR].mean(dim=0) for side in sides]
    change = _length(near[1] - near[0])
    steps = torch.cat([_length(rearrange(side.diff(dim=0), "n xy h w -> xy n h w")) for side in sides])
    shaking = steps.median(dim=0).values / 1.25 * (1 / NEAR + 1 / NEAR) ** 0.5
    # From the middle of one near part to the middle of the other, in doubled pairs.
    trend = torch.maximum(*(_trend(side) for side in sides)) * (NEAR + 0.5)
    return (change / (shaking + trend + JITTER)).flatten().quantile(BLOCKS).item()


def expected_speed(series: PairSeries, pair: int) -> float:
    """The speed that the nearest pairs lead to: theirs, less where they move in other directions.

    Between two that move alike it is as fast as they are, and where a pan turns back it passes through rest. At a
    clip's first and last pair it is where the nearest two lead, and no faster than the nearest. In pixels of a
    240-pixel frame, as ``series.speed``.
    """
    pairs = len(series)
    velocity = rearrange(series.velocity, "n xy h w -> xy n h w")
    if 0 < pair < pairs - 1:
        beside = [pair - 1, pair + 1]
        led = velocity[:, beside].mean(dim=1)
    else:
        beside = [1 if pair == 0 else pairs - 2]
        far = min(2, pairs - 1) if pair == 0 else max(0, pairs - 3)
        led = 2 * velocity[:, beside[0]] - velocity[:, far] if far != pair else velocity[:, beside[0]]
    together, each = _length(led).mean(), _length(velocity[:, beside]).mean()
    share = ((together + REST) / (each + REST)).clamp(max=1)
    return (series.speed[beside].mean() * share).item()


def _doubled(side: Tensor) -> Tensor:
    """Mean velocities of two pairs at a time, from the seam outwards."""
    side = side[: len(side) // 2 * 2]
    return (side[::2] + side[1::2]) / 2


def _trend(side: Tensor) -> Tensor:
    """``(rows, columns)``: length of the change of velocity per step by the straight line through ``side``."""
    if len(side) < 3:
        return torch.zeros_like(side[0, 0])
    time = torch.arange(len(side), device=side.device, dtype=side.dtype)
    time = (time - time.mean()).view(-1, 1, 1, 1)
    return _length((time * side).sum(dim=0) / time.square().sum())


def _length(field: Tensor) -> Tensor:
    """Lengths of vectors ``(2, ...)``."""
    return (field[0].square() + field[1].square()).sqrt()
