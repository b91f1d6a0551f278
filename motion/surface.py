"""A flow made to end where surfaces do: smoothing carries it beyond, onto what is then hidden."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from .flow import resize_flow
from .pyramid import gaussian_blur
from .rank import nearest_rank
from .warp import vector_length

DISTANCES, ROUNDS = (2, 4, 8), 3
"""Pixels of the halved picture that each round looks around, in fours."""
COLOR = 0.05
"""Distance of RGB colors in [0, 1] up to which two pixels are of one surface."""
SLOW = 1.0
"""Pixels: by how much more a motion must differ from most of the frame's to be believed 1 / e as much."""
SUSPECT = 0.01
"""Weight of a flow that is not trusted at all."""
FLAT, NOISE, MARGIN = (0.5 / 255) ** 2, 2.0, 2
"""Squared slope of an even surface, multiples of the noise that are added, and pixels of the halved picture by which
it is grown."""
STEADY = 0.25
"""Quantile of the difference between the frames that is taken for their noise."""
FULL_RESOLUTION = 256 * 256
"""Pixels: larger pictures are looked at by half their size."""


def follow_surfaces(picture: Tensor, moved: Tensor, displacement: Tensor, trust: Tensor, right: Tensor) -> Tensor:
    """Give pixels whose flow cannot be right the flow of their surface: what is of their color, not far away.

    Three rounds of a joint bilateral filter (Kopf et al. 2007) with sparse taps. Where the picture is textured, what
    is trusted counts. On even surfaces nothing shows the motion, and what covers them drags their flow along,
    consistently: there the slowest flow counts, against most of the frame's (Weiss et al. 2002).

    Args:
        picture: ``(N, 3, H, W)`` RGB in [0, 1].
        moved: ``(N, 3, H, W)``, the other frame, warped onto it along the flow.
        displacement: ``(N, 2, H, W)`` pixels.
        trust: ``(N, 1, H, W)`` in [0, 1].
        right: ``(N, 1, H, W)`` bool: what is kept, unless it is even.

    Returns:
        ``(N, 2, H, W)`` pixels.
    """
    height, width = picture.shape[-2:]
    if height * width <= FULL_RESOLUTION:
        size, step = (height, width), 2
        small, other = gaussian_blur(picture, 0.8), gaussian_blur(moved, 0.8)
    else:
        size, step = ((height + 1) // 2, (width + 1) // 2), 1
        small, other = (F.interpolate(frame, size, mode="area") for frame in (picture, moved))
    even = _even(small, other, MARGIN * step)
    flow, weight = resize_flow(displacement, size), F.interpolate(trust, size, mode="area").clamp(min=SUSPECT)
    usual = displacement.flatten(2).median(dim=2).values[..., None, None] * (step / 2)
    taps, reach = _taps(step), DISTANCES[-1] * step
    padded = F.pad(small, (reach,) * 4, mode="replicate")
    apart = ((_tap(padded, reach, *tap) - small).square().sum(dim=1, keepdim=True) for tap in taps)
    affinities = [torch.exp(distance / (-2 * COLOR**2)) for distance in apart]
    textured = plain = flow
    for _ in range(ROUNDS):
        slow = torch.exp(-vector_length(plain - usual) / (SLOW * step / 2)) + 1e-6
        total = torch.cat((textured * weight, weight, plain * slow, slow), dim=1)
        padded = F.pad(total, (reach,) * 4, mode="replicate")
        for alike, tap in zip(affinities, taps, strict=True):
            total.addcmul_(_tap(padded, reach, *tap), alike)
        textured, plain = total[:, :2] / total[:, 2:3], total[:, 3:5] / total[:, 5:]
    found = resize_flow(torch.where(even, plain, textured), (height, width))
    even = F.interpolate(even.to(picture), (height, width), mode="nearest") > 0
    return torch.where(right & ~even, displacement, found)


def _taps(step: int) -> list[tuple[int, int]]:
    """Where a round looks: around in fours, straight and oblique by turns."""
    straight, oblique = ((1, 0), (-1, 0), (0, 1), (0, -1)), ((1, 1), (1, -1), (-1, 1), (-1, -1))
    taps = []
    for index, distance in enumerate(DISTANCES):
        far = distance * step if index % 2 == 0 else round(distance * step * 0.5**0.5)
        taps += [(x * far, y * far) for x, y in (oblique if index % 2 else straight)]
    return taps


def _tap(padded: Tensor, reach: int, x: int, y: int) -> Tensor:
    """A picture padded by ``reach``, moved by (x, y) pixels and cut to its size."""
    height, width = (side - 2 * reach for side in padded.shape[-2:])
    return padded[..., reach + y : reach + y + height, reach + x : reach + x + width]


def _even(picture: Tensor, other: Tensor, margin: int) -> Tensor:
    """``(N, 1, h, w)`` bool: where there is nothing but noise, grown over the rim that blurs into what is beside."""
    steady = _slopes(picture - other).flatten(1)
    noise = nearest_rank(steady, STEADY).view(-1, 1, 1, 1) / 2
    least = -F.max_pool2d(-_slopes(picture), 2 * margin + 1, 1, margin)
    return least < FLAT + NOISE * noise


def _slopes(picture: Tensor) -> Tensor:
    """Squared slope of the brightness around each pixel, ``(N, 1, h, w)``, from no farther than it must."""
    gray = F.pad(picture.mean(dim=1, keepdim=True), (1, 1, 1, 1), mode="replicate")
    across, along = gray[..., 1:-1, 2:] - gray[..., 1:-1, :-2], gray[..., 2:, 1:-1] - gray[..., :-2, 1:-1]
    squared = F.pad((across.square() + along.square()) / 4, (1, 1, 1, 1), mode="replicate")
    return F.avg_pool2d(squared, 3, 1)
