"""What passes from each frame of a clip to the next: the raw figures that a seam is judged by."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor

from ..motion import FlowEstimator
from ..motion.estimation import estimate_displacements
from ..motion.occlusion import inconsistency_mask
from ..motion.pyramid import gaussian_blur, to_gray
from ..motion.rank import nearest_rank
from ..motion.transfer import to_device
from ..motion.warp import backward_warp, vector_length
from ..motion.watch import Watch, ignore, part, watched
from .pictures import check_levels

SIDE = 240
"""Pixels along the shorter side of what is looked at: the floors and the null table belong to it."""
GROUP = 20
"""Frame pairs that are looked at in one go: no fewer than a seam is told from."""
ROWS, BLOCK = 12, 4
"""Cells along the shorter side, and cells along the side of a block. A median over a cell's pixels is a tenth as noisy
as the flow, and something that covers a tenth of the picture fills cells of its own."""


@dataclass(frozen=True)
class PairSeries:
    """Figures of P frame pairs in order, each ``(P,)``; lengths are pixels of a 240-pixel frame unless it says so."""

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
    landing_error: Tensor
    """``(P, rows, columns)`` cells: how far things land from the middle of where the pairs before and behind lead;
    at a clip's first and last pair, from where the one neighbor does. Pixels of the frames that are looked at, whose
    shorter side is 240 or less: a flow's own error does not grow with the picture."""
    known: Tensor
    """``(P, rows, columns)`` bool: cells whose flow is consistent in most pixels."""
    velocity: Tensor
    """``(P, 2, rows / 4, columns / 4)`` blocks of cells: the median of their flow, in the same pixels."""

    def __len__(self) -> int:
        return len(self.difference)

    def part(self, start: int, stop: int) -> PairSeries:
        return PairSeries(*(getattr(self, field.name)[start:stop] for field in fields(self)))

    def at_home(self) -> PairSeries:
        """In the host's memory, where single figures can be read."""
        return PairSeries(*to_device(torch.device("cpu"), *(getattr(self, field.name) for field in fields(self))))


@torch.no_grad()
def measure_pairs(
    frames: Tensor,
    *,
    estimator: str | FlowEstimator = "auto",
    like: tuple[Tensor, PairSeries] | None = None,
    checked: bool = False,
    device: torch.device | None = None,
    watch: Watch = ignore,
) -> PairSeries:
    """Measure each frame pair of ``(T, 3 or 4, H, W)`` RGB, T - 1 of them, some at a time.

    Args:
        like: as many frames that were measured before, and their series: what is the same in both is not measured
            again.
        checked: whether the frames are known to be pictures; to look again waits for their device.
        device: where to look at them, some at a time; by default where they are.
        watch: told how far it is, between the groups of pairs that an estimator takes at once.

    Returns:
        The series, in the host's memory.

    Raises:
        ValueError: for fewer than two frames, frames that are no pictures, or pixels that are not finite.
    """
    if len(frames) < 2:
        raise ValueError(f"frames: a frame pair takes two frames, got {len(frames)}.")
    pairs, parts, done = len(frames) - 1, [], 0
    for start, stop in [(0, pairs)] if like is None else _changed(frames, like[0]):
        if like is not None:
            parts.append(like[1].part(done, start))
        for begin in range(start, stop, GROUP):
            end = min(begin + GROUP, stop)
            first, last = max(0, begin - 1), min(end + 1, pairs)  # an acceleration needs the pair on either side
            small = shrink(frames[first : last + 1].to(device or frames.device), checked=checked)
            told = watched(estimator, part(watch, begin / pairs, end / pairs), last - first)
            parts.append(_measure(small, told).part(begin - first, end - first).at_home())
        done = stop
    if like is not None:
        parts.append(like[1].part(done, pairs))
    names = [field.name for field in fields(PairSeries)]
    return PairSeries(*(torch.cat([getattr(part, name) for part in parts]) for name in names))


def _changed(frames: Tensor, before: Tensor) -> Iterator[tuple[int, int]]:
    """Runs of frame pairs, first and behind the last, whose figures may differ from those of ``before``."""
    differs = (frames != before).flatten(1).any(dim=1).tolist()
    # A pair's figures read the pair on either side of it.
    found = [any(differs[max(0, pair - 1) : pair + 3]) for pair in range(len(differs) - 1)]
    start = None
    for pair, changed in enumerate((*found, False)):
        if changed and start is None:
            start = pair
        if not changed and start is not None:
            yield start, pair
            start = None


def shrink(frames: Tensor, side: int = SIDE, *, checked: bool = False) -> Tensor:
    """``(T, 3, h, w)`` float32 in [0, 1], its shorter side no more than ``side``.

    Raises:
        ValueError: for frames that are not RGB in floating point, not finite, or not in [0, 1] for the most part.
    """
    if not checked:
        check_levels("frames", frames)
    picture = frames[:, :3].float()
    scale = side / min(picture.shape[-2:])
    if scale < 1:
        size = [max(1, round(edge * scale)) for edge in picture.shape[-2:]]
        picture = F.interpolate(picture, size, mode="area")
    return picture.clamp(0, 1)


def _measure(clip: Tensor, estimator: str | FlowEstimator) -> PairSeries:
    from kornia.color import rgb_to_lab

    forward, backward = (
        flow.float() for flow in estimate_displacements(clip[:-1], clip[1:], estimator=estimator, checked=True)
    )
    unit = SIDE / min(clip.shape[-2:])
    known = ~inconsistency_mask(forward, backward)
    share = known.float().mean(dim=(1, 2, 3)).clamp(min=1e-3)
    left = (backward_warp(clip[1:], forward) - clip[:-1]) * 255
    warped = (left.square() * known).mean(dim=(1, 2, 3)) / share
    change = forward[1:] + backward[:-1]  # (P - 1, ...), at the frames between two pairs
    at = F.pad(vector_length(change).flatten(1).median(dim=1).values * unit, (1, 1))
    flow = _cells(forward).median(dim=-1).values
    lab = rgb_to_lab(gaussian_blur(clip, 2.0))
    shift = (backward_warp(lab[1:], forward) - lab[:-1]).flatten(2).median(dim=2).values
    gray = to_gray(clip) * 255
    if min(gray.shape[-2:]) < 3:
        gray = F.pad(gray, (2, 2, 2, 2), mode="replicate")
    laplacian = gray[..., 2:, 1:-1] + gray[..., :-2, 1:-1] + gray[..., 1:-1, 2:] + gray[..., 1:-1, :-2]
    laplacian = laplacian - 4 * gray[..., 1:-1, 1:-1]
    detail = (laplacian.flatten(1).var(dim=1) + 1).log()
    length = vector_length(forward).flatten(1)
    return PairSeries(
        (clip[1:] - clip[:-1]).abs().mean(dim=(1, 2, 3)) * 255,
        warped,
        torch.maximum(at[:-1], at[1:]),
        nearest_rank(length, 0.9) * unit,
        shift,
        detail.diff(),
        _astray(forward, change),
        _cells(known.float()).mean(dim=-1)[:, 0] > 0.5,
        _blocks(flow),
    )


def _astray(forward: Tensor, change: Tensor) -> Tensor:
    """``(P, rows, columns)``: length of each cell's median of velocity less the mean of those before and behind.

    At the same material point. The first and the last pair have one neighbor; there it is how much velocity differs
    from its own, or from where it and the next lead, whichever is less.

    Args:
        forward: ``(P, 2, H, W)``, the flow of each pair.
        change: ``(P - 1, 2, H, W)``, what the next pair's velocity is more than this one's, on the frame between.
    """
    if not len(change):
        return torch.zeros_like(_cells(forward[:, 0:1])[:, 0, ..., 0])
    before, behind = change, backward_warp(change, forward[:-1])  # of pairs 1 to P - 1, and 0 to P - 2
    off = torch.cat((behind[:1], (before[:-1] - behind[1:]) / 2, before[-1:]))
    found = _cells(off).median(dim=-1).values.square().sum(dim=1).sqrt()
    if len(change) > 1:
        bent = torch.cat((behind[:1] - behind[1:2], before[-1:] - before[-2:-1]))
        bent = _cells(bent).median(dim=-1).values.square().sum(dim=1).sqrt()
        found[0], found[-1] = torch.minimum(found[0], bent[0]), torch.minimum(found[-1], bent[1])
    return found


def _cells(field: Tensor) -> Tensor:
    """``(N, C, rows, columns, pixels)``: the pixels of square cells, around the middle of ``(N, C, H, W)``."""
    height, width = field.shape[-2:]
    side = max(1, min(height, width) // ROWS)
    rows, columns = height // side, width // side
    top, left = (height - rows * side) // 2, (width - columns * side) // 2
    inner = field[..., top : top + rows * side, left : left + columns * side]
    return rearrange(inner, "n c (rows y) (columns x) -> n c rows columns (y x)", y=side, x=side)


def _blocks(cells: Tensor) -> Tensor:
    """``(N, C, rows / 4, columns / 4)``: medians over blocks of the cells ``(N, C, rows, columns)``."""
    rows, columns = (max(1, round(count / BLOCK)) for count in cells.shape[-2:])
    lines = [
        torch.stack(
            [block.flatten(2).median(dim=2).values for block in line.tensor_split(columns, dim=-1)],
            dim=-1,
        )
        for line in cells.tensor_split(rows, dim=-2)
    ]
    return torch.stack(lines, dim=-2)
