"""Pushing pixels along a flow: what they cover, what they uncover, and the flow that leads back."""

from __future__ import annotations

from itertools import product

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor

from .flow import Flow
from .warp import exact, pixel_grid

LARGEST_WEIGHT = 60.0
"""Below the heaviest pixel, in powers of e; lighter ones weigh as much, so that float32 can still compare them."""


def forward_splat(source: Tensor, displacement: Tensor, weight: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Push ``source`` where ``displacement`` points, by softmax splatting (Niklaus and Liu 2020, equation 5).

    Args:
        source: ``(N, C, H, W)``.
        displacement: ``(N, 2, H, W)`` pixels, on the grid of ``source``.
        weight: ``(N, 1, H, W)``, on a logarithmic scale: where several pixels land, one that is larger by 5
            outweighs the others 150 times. All are alike by default, and the mean is taken.

    Returns:
        The image ``(N, C, H, W)``, 0 where nothing landed, and the coverage ``(N, 1, H, W)``: how many pixels
        landed, 0 in a hole, 1 where pixels only moved, more where they fold over each other.
    """
    if displacement.shape != (len(source), 2, *source.shape[2:]):
        raise ValueError(
            f"To splat {tuple(source.shape)} takes a displacement of {(len(source), 2, *source.shape[2:])}, "
            f"got {tuple(displacement.shape)}; resize_flow makes it fit."
        )
    weight = torch.zeros_like(displacement[:, :1]) if weight is None else weight
    # A card takes all frames at once; a processor has one after the other in its cache.
    size = 1 if source.device.type == "cpu" else max(len(source), 1)
    batches = zip(source.split(size), displacement.split(size), weight.split(size), strict=True)
    image, coverage = zip(*(_splat(*batch) for batch in batches), strict=True)
    return torch.cat(image), torch.cat(coverage)


def _splat(source: Tensor, displacement: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    n, channels, height, width = source.shape
    picture = exact(source)
    logarithm = exact(weight).to(picture)
    heaviest = logarithm.amax(dim=(1, 2, 3), keepdim=True)
    heavy = (logarithm - heaviest).clamp(min=-LARGEST_WEIGHT).exp()
    pushed = (*(picture * heavy).unbind(1), heavy[:, 0])
    x, y = (pixel_grid(height, width, picture) + exact(displacement).to(picture)).unbind(1)  # (N, H, W)
    known = torch.isfinite(x) & torch.isfinite(y)
    x, y = torch.where(known, x, -2.0), torch.where(known, y, -2.0)  # nowhere: an index must not be made of it
    frame = (torch.arange(n, device=source.device) * (height * width)).view(n, 1, 1)
    landed = picture.new_zeros(channels + 2, n * height * width)
    for (row, down), (column, along) in product(_around(y, height), _around(x, width)):
        share = along * down
        index = (frame + row * width + column).flatten()
        _add(landed, index, [*(part * share for part in pushed), share])
    landed = rearrange(landed, "c (n h w) -> n c h w", n=n, h=height)
    image, total, coverage = landed.split((channels, 1, 1), dim=1)
    image = torch.where(total > 0, image / total.clamp(min=torch.finfo(total.dtype).tiny), 0.0)
    return image.to(source.dtype), coverage.to(source.dtype)


def _around(place: Tensor, size: int) -> list[tuple[Tensor, Tensor]]:
    """The two pixels of an axis next to each place: their index, and their share, which is 0 outside the picture."""
    first = place.floor()
    inside = [(pixel, (pixel >= 0) & (pixel < size)) for pixel in (first, first + 1)]
    return [(pixel.clamp(0, size - 1).long(), (1 - (place - pixel).abs()) * within) for pixel, within in inside]


def _add(landed: Tensor, index: Tensor, pushed: list[Tensor]) -> None:
    """Add to each row at the places of an index, in the same order each time: sums of floats depend on it."""
    if landed.device.type == "cpu":
        for row, values in zip(landed, pushed, strict=True):  # all rows at once take three times as long
            row.index_add_(0, index, values.flatten())
    else:  # whose index_add_ takes any order; this one sorts
        values = torch.stack([part.flatten() for part in pushed], dim=1)
        landed.t().index_put_((index,), values, accumulate=True)


def fill_holes(field: Tensor, known: Tensor) -> Tensor:
    """Fill what is not known from what lies around it, by pull and push (Gortler et al. 1996, section 3.4).

    Args:
        field: ``(N, C, H, W)``.
        known: ``(N, 1, H, W)`` in [0, 1]: how far each value counts.

    Returns:
        ``(N, C, H, W)``: the field where known is 1; 0 where nothing at all is known.
    """
    height, width = field.shape[-2:]
    if height * width == 1:
        return torch.where(known > 0, field, 0.0)
    weighted = F.avg_pool2d(field * known, 2, ceil_mode=True, count_include_pad=False)
    weight = F.avg_pool2d(known, 2, ceil_mode=True, count_include_pad=False)
    coarse = weighted / weight.clamp(min=torch.finfo(weight.dtype).tiny)
    coarse = fill_holes(coarse, (weight * 4).clamp(max=1))
    around = F.interpolate(coarse, (height, width), mode="bilinear", align_corners=False)
    return torch.lerp(around, field, known)


def invert_flow(flow: Flow) -> Flow:
    """The flow that leads back, on the grid that ``flow`` leads to.

    Where several pixels land the most trusted wins; where none does, the neighborhood's motion stands in, with
    confidence 0.
    """
    vector, trusted = flow.displacement, flow.confidence
    back, coverage = forward_splat(torch.cat((-vector, trusted), dim=1), vector, 10 * trusted)
    known = coverage.clamp(max=1)
    return Flow(fill_holes(back[:, :2], known), back[:, 2:] * known)
