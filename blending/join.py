"""Two clips that share frames become one: where the cut lies, how place and picture pass over."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from ..motion import FlowEstimator
from ..motion.warp import backward_warp, exact
from ..motion.watch import Watch, each, ignore, part, watched
from .align import Residual, carry_on, find_residual
from .gaussian import feather_sigma, gaussian_ramp
from .mask import feather_mask
from .pictures import check_levels, check_pictures

FALL = 12
"""Frames behind the overlap over which a difference of place fades."""
FEATHER = 0.1
"""Of ``mask_sigma``: around what cannot be aligned."""
ROOM = 0.75
"""Of the way from the nominal cut to the overlap's end or start, for the cut to be moved by."""
LATER = 0.15
"""Disagreement, as a share and per frame, that is worth holding the first clip for one more frame."""
SMALL = 64
"""Pixels along the shorter side of the pictures by which the clips' agreement is judged."""


@dataclass(frozen=True)
class JoinReport:
    """What was done at a seam."""

    cut: int
    """The first frame of the joined clip that is more of the second clip than of the first."""
    blended: int
    """Frames that hold something of both."""
    residual: float
    """Pixels by which the two versions of the overlap were apart, on average; 0 where they were not compared."""
    trusted: float
    """Share of the picture where they could be aligned; the rest is cut."""
    behind: int = 0
    """Frames behind the overlap that are moved too."""

    def __str__(self) -> str:
        if not self.blended:
            return f"cut at frame {self.cut}"
        text = f"{self.blended} frames blended around frame {self.cut}"
        if self.residual:
            text += f", {self.residual:.2f} px apart, {100 * self.trusted:.0f} % aligned"
        return text


@dataclass(frozen=True)
class Joined:
    """A clip made of two."""

    frames: Tensor
    """``(A + B - overlap, C, H, W)``."""
    report: JoinReport


@torch.no_grad()
def join_clips(
    first: Tensor,
    second: Tensor,
    overlap: int,
    *,
    blend_strength: float = 0.8,
    mask_sigma: float = 0.35,
    cut: bool = False,
    estimator: str | FlowEstimator = "auto",
    device: torch.device | None = None,
    checked: bool = False,
    watch: Watch = ignore,
) -> Joined:
    """Join two clips whose last and first ``overlap`` frames show the same moments.

    The picture passes over within a few frames of the overlap, around the frame where the clips agree best; the place
    of things passes over more slowly, most of it within twelve frames behind the overlap. Frame k is
    ``(1 - w) W(A, g b) + w W(B, (1 - g) f)`` with the flows f from A to B and b back, where w is the weight of the
    picture and g that of the place. Where the clips do not show the same thing nothing is mixed: there the cut is
    hard. Frames that are alike in both pass bit for bit.

    Args:
        first: ``(A, C, H, W)``, RGB, or RGB and alpha.
        second: ``(B, C, H, W)``, its first ``overlap`` frames at the time of the last of ``first``.
        overlap: frames that both show; 0 puts one clip behind the other.
        blend_strength: [0, 1], for how long the first clip is held: 0 cuts to the second where the overlap begins, 1
            where it ends, and in between lies a ramp around that share of the overlap.
        mask_sigma: [0, 1], softens the border between what is mixed and what is cut.
        cut: an intended cut: the first clip whole, then the second's new frames, and nothing mixed.
        estimator: of flow; see :func:`~motion.estimate_flow`.
        device: where to align and blend what is near the overlap; by default where ``first`` is, as the result.
        checked: whether the clips are known to be finite; to look again waits for their device.
        watch: told how far it is, between the groups of pairs that an estimator takes at once and behind them.

    Raises:
        ValueError: if the clips differ in size, the overlap is longer than one of them, or a number is out of range.
    """
    _check(first, second, overlap, blend_strength, mask_sigma)
    before = len(first) - overlap
    second = second.to(first)
    if overlap == 0 or cut or blend_strength == 1:
        return Joined(torch.cat((first, second[overlap:])), JoinReport(len(first), 0, 0.0, 1.0))
    if blend_strength == 0:
        return Joined(torch.cat((first[:before], second)), JoinReport(before, 0, 0.0, 1.0))
    fall = min(FALL, len(second) - overlap)
    if not checked:
        check_levels("first", first[before:])
        check_levels("second", second[: overlap + fall])
    home, device = first.device, device or first.device
    a, near = first[before:].to(device), second[: overlap + fall].to(device)
    b = near[:overlap]
    center, half = _choose_cut(a, b, blend_strength)
    weight = gaussian_ramp(overlap, center=center, sigma=half / 2)
    report = JoinReport(before + int((weight < 0.5).sum()), 0, 0.0, 1.0)
    if torch.equal(a, b):
        return Joined(torch.cat((first, second[overlap:])), report)
    share = gaussian_ramp(overlap + fall, center=overlap + fall / 4, sigma=max(fall, 2) / 3)
    start = max(0, overlap - FALL)
    estimator = watched(estimator, part(watch, 0, 0.8), overlap - start + fall)
    residual = find_residual(exact(a[start:, :3]), exact(b[start:, :3]), estimator=estimator)
    frames = _overlap(a, b, weight, share, start, residual, mask_sigma, part(watch, 0.4, 0.6))
    if fall and residual.matters:
        frames += _behind(near[overlap - 1 :], share[overlap:], residual, estimator, part(watch, 0.8, 1))
    else:
        frames.append(near[overlap:])
    blended = int(((weight > 0.01) & (weight < 0.99)).sum())
    behind = fall if residual.matters else 0
    report = JoinReport(report.cut, blended, residual.length, residual.trust.mean().item(), behind)
    return Joined(torch.cat((first[:before], torch.cat(frames).to(home), second[overlap + fall :])), report)


def _overlap(
    a: Tensor,
    b: Tensor,
    weight: Tensor,
    share: Tensor,
    start: int,
    residual: Residual,
    mask_sigma: float,
    watch: Watch,
) -> list[Tensor]:
    """The overlap's frames; ``residual`` is of those from ``start`` on."""
    frames = []
    trust = residual.trust if residual.matters else residual.in_place
    trust = feather_mask(trust, FEATHER * mask_sigma, inwards=True)
    pairs = list(zip(exact(a).split(1), exact(b).split(1), strict=True))
    for index, (old, new) in enumerate(each(pairs, watch)):
        w, g = weight[index].item(), share[index].item()
        at = index - start
        hard = float(w >= 0.5)
        mixed = torch.full_like(old[:, :1], w)
        if at >= 0:
            mixed = torch.lerp(torch.full_like(mixed, hard), mixed, trust[at : at + 1].to(mixed))
            if residual.matters:
                if w < 1:
                    old = _shift(old, g * residual.backward[at : at + 1])
                if w > 0:
                    new = _shift(new, (1 - g) * residual.forward[at : at + 1])
        frames.append(torch.lerp(old, new, mixed).to(a.dtype))
    return frames


def _behind(
    later: Tensor, share: Tensor, residual: Residual, estimator: str | FlowEstimator, watch: Watch
) -> list[Tensor]:
    """The frames behind the overlap, on their way from the first clip's places to the second's."""
    carried, trust = carry_on(residual, exact(later[:, :3]), estimator=estimator)
    frames = list(zip(later[1:], share, carried, trust, strict=True))
    return [
        _shift(exact(frame[None]), (1 - g.item()) * flow[None] * known).to(later.dtype)
        for frame, g, flow, known in each(frames, watch)
    ]


def _shift(frame: Tensor, displacement: Tensor) -> Tensor:
    """A frame sampled elsewhere; bit for bit where nothing moves, and within the range that it had."""
    moved = backward_warp(frame, displacement.to(frame), mode="bicubic")
    return torch.minimum(torch.maximum(moved, frame.amin()), frame.amax())


def _choose_cut(a: Tensor, b: Tensor, strength: float) -> tuple[float, float]:
    """Center and half width of the ramp, in frames: near ``strength`` of the overlap, where the clips agree best."""
    overlap = len(a)
    room = min(strength, 1 - strength) * overlap * ROOM
    middle = strength * overlap
    size = [max(1, round(side * min(1, SMALL / min(a.shape[-2:])))) for side in a.shape[-2:]]
    small = [F.interpolate(exact(clip[:, :3]), size, mode="area") for clip in (a, b)]
    apart = (small[0] - small[1]).abs().mean(dim=(1, 2, 3)).tolist()
    steps = [middle - room + room * step / 4 for step in range(9)]
    latest = steps[-1]

    def cost(place: float) -> float:
        return apart[min(overlap - 1, int(place))] * (1 + LATER * (latest - place))

    center = min(reversed(steps), key=cost)
    return center, min(center, overlap - center)


def _check(first: Tensor, second: Tensor, overlap: int, blend_strength: float, mask_sigma: float) -> None:
    for name, clip in (("first", first), ("second", second)):
        check_pictures(name, clip)
    if first.shape[1:] != second.shape[1:]:
        raise ValueError(
            f"Clips of one size can be joined; first has {tuple(first.shape[1:])} and second {tuple(second.shape[1:])}."
        )
    if not 0 <= overlap <= min(len(first), len(second)):
        raise ValueError(
            f"overlap must be from 0 to the shorter clip's length; first has {len(first)} frames and second "
            f"{len(second)}, got {overlap}."
        )
    if not 0 <= blend_strength <= 1:
        raise ValueError(f"blend_strength must be in [0, 1], got {blend_strength}.")
    feather_sigma(mask_sigma, *first.shape[-2:])
