"""What passes from each frame of a clip to the next: the raw figures that a seam is judged by."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields

import torch
import torch.nn.functional as F
from torch import Tensor

from ..motion import FlowEstimator
from ..motion.estimation import estimate_displacements
from ..motion.occlusion import inconsistency_mask
from ..motion.pyramid import gaussian_blur, to_gray
from ..motion.warp import backward_warp

SIDE = 240
"""Pixels along the shorter side of what is looked at: the floors and the null table belong to it."""
GROUP = 16
"""Frame pairs that are looked at in one go."""


@dataclass(frozen=True)
class PairSeries:
    """Figures of P frame pairs in order, each ``(P,)``. Lengths are pixels of a 240-pixel frame."""

    difference: Tensor
    """Mean absolute difference, in 8-bit levels."""
    warped: Tensor
    """Mean square of what the flow leaves unexplained where it is consistent, in squared 8-bit levels."""
    acceleration: Tensor
    """Median change of velocity at the same point, at the worse of the pair's two frames."""
    speed: Tensor
    """90th percentile of the flow's length."""
    color: Tensor
    """``(P, 3)``: median shift of LAB along the flow."""
    sharpness: Tensor
    """Change of the logarithm of the Laplacian's variance."""

    def __len__(self) -> int:
        return len(self.difference)

    def part(self, start: int, stop: int) -> PairSeries:
        return PairSeries(*(getattr(self, field.name)[start:stop] for field in fields(self)))


@torch.no_grad()
def measure_pairs(frames: Tensor, *, estimator: str | FlowEstimator = "auto") -> PairSeries:
    """Measure each frame pair of ``(T, 3 or 4, H, W)`` RGB, T - 1 of them, some at a time.

    Raises:
        ValueError: for fewer than two frames, frames that are no pictures, or pixels that are not finite.
    """
    parts = list(_groups(frames, estimator))
    names = [field.name for field in fields(PairSeries)]
    return PairSeries(*(torch.cat([getattr(part, name) for part in parts]) for name in names))


def _groups(frames: Tensor, estimator: str | FlowEstimator) -> Iterator[PairSeries]:
    if len(frames) < 2:
        raise ValueError(f"frames: a frame pair takes two frames, got {len(frames)}.")
    pairs = len(frames) - 1
    for start in range(0, pairs, GROUP):
        stop = min(start + GROUP, pairs)
        first, last = max(0, start - 1), min(stop + 1, pairs)  # an acceleration needs the pair on either side
        yield _measure(shrink(frames[first : last + 1]), estimator).part(start - first, stop - first)


def shrink(frames: Tensor, side: int = SIDE) -> Tensor:
    """``(T, 3, h, w)`` float32 in [0, 1], its shorter side no more than ``side``."""
    picture = frames[:, :3].float()
    if not torch.isfinite(picture).all():
        raise ValueError("frames: hold NaN or infinite pixels. Check what made them.")
    scale = side / min(picture.shape[-2:])
    if scale < 1:
        size = [max(1, round(edge * scale)) for edge in picture.shape[-2:]]
        picture = F.interpolate(picture, size, mode="area")
    return picture.clamp(0, 1)


def _measure(clip: Tensor, estimator: str | FlowEstimator) -> PairSeries:
    from kornia.color import rgb_to_lab

    forward, backward = (flow.float() for flow in estimate_displacements(clip[:-1], clip[1:], estimator=estimator))
    unit = SIDE / min(clip.shape[-2:])
    known = ~inconsistency_mask(forward, backward)
    share = known.float().mean(dim=(1, 2, 3)).clamp(min=1e-3)
    left = (backward_warp(clip[1:], forward) - clip[:-1]) * 255
    warped = (left.square() * known).mean(dim=(1, 2, 3)) / share
    change = (forward[1:] + backward[:-1]).norm(dim=1).flatten(1).median(dim=1).values * unit  # (P - 1,)
    at = F.pad(change, (1, 1))
    lab = rgb_to_lab(gaussian_blur(clip, 2.0))
    shift = (backward_warp(lab[1:], forward) - lab[:-1]).flatten(2).median(dim=2).values
    gray = to_gray(clip) * 255
    laplacian = gray[..., 2:, 1:-1] + gray[..., :-2, 1:-1] + gray[..., 1:-1, 2:] + gray[..., 1:-1, :-2]
    laplacian = laplacian - 4 * gray[..., 1:-1, 1:-1]
    detail = (laplacian.flatten(1).var(dim=1) + 1).log()
    length = forward.norm(dim=1).flatten(1)
    return PairSeries(
        (clip[1:] - clip[:-1]).abs().mean(dim=(1, 2, 3)) * 255,
        warped,
        torch.maximum(at[:-1], at[1:]),
        length.kthvalue(max(1, round(0.9 * length.shape[1])), dim=1).values * unit,
        shift,
        detail.diff(),
    )
