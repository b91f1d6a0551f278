"""The built-in estimator: Lucas-Kanade from coarse to fine, each level refined variationally."""

from __future__ import annotations

import torch
from torch import Tensor

from .flow import resize_flow
from .pyramid import gaussian_blur, gradient, pyramid, to_gray
from .search import search_displacement
from .variational import refine
from .warp import backward_warp, exact, lands_inside

WINDOW, LIGHT = 2.0, 6.0
"""Standard deviations of the Gaussian window, and of the neighborhood whose light may change, pixels."""
ITERATIONS = 2
"""More of them improve nothing that the next refinement would not, and stray further where they stray."""
DAMPING = 1e-4
LARGEST_RESIDUAL, LARGEST_COST = 0.1, 0.25
"""Of a brightness in [0, 1]: what a pixel may pull, and what it may cost, that shows something else."""
LARGEST_STEP = 1.0
"""Pixels per iteration."""
WARPS = (2, 2, 3, 4)
"""Linearisations of the refinement at full, half, quarter and every coarser resolution."""
FULL_RESOLUTION, LARGEST = 256 * 256, 640 * 1024
"""Pixels: up to the first, frames are solved at full size; larger ones halved until they are below the second."""


def estimate_lucas_kanade(first: Tensor, second: Tensor) -> Tensor:
    """Dense flow without learned weights, on any device.

    The coarsest level of a pyramid is searched for whole-pixel motion. Every level then starts from the coarser
    one's flow, takes two Lucas-Kanade steps and keeps them where they explain the picture better, and is refined
    variationally. Frames of more than 256 x 256 pixels are solved at half size (at a quarter beyond 2.6
    megapixels) and the flow is enlarged.

    Args:
        first: ``(N, 3, H, W)`` RGB in [0, 1].
        second: ``(N, 3, H, W)``.

    Returns:
        ``(N, 2, H, W)`` pixels, from first to second, float32 or better.
    """
    finest = _finest(first.shape[-2] * first.shape[-1])
    templates, pictures = (pyramid(to_gray(exact(frames)), finest=finest) for frames in (first, second))
    flow = search_displacement(templates[-1], pictures[-1])
    for level in range(len(templates) - 1, -1, -1):
        template, picture = templates[level], pictures[level]
        height, width = template.shape[-2:]
        flow = resize_flow(flow, (height, width))
        if level + finest > 0:  # at full size only the refinement is left to do
            flow = lucas_kanade(template, picture, flow)
        flow = refine(template, picture, flow, warps=WARPS[min(level + finest, len(WARPS) - 1)])
    height, width = first.shape[-2:]
    return resize_flow(flow, (height, width))


def lucas_kanade(template: Tensor, picture: Tensor, displacement: Tensor) -> Tensor:
    """Improve a flow by inverse-compositional Lucas-Kanade (Baker and Matthews 2004) in a Gaussian window.

    Args:
        template: ``(N, 1, H, W)`` in [0, 1].
        picture: ``(N, 1, H, W)``, what the template is searched in.
        displacement: ``(N, 2, H, W)`` pixels, from template to picture.

    Returns:
        ``(N, 2, H, W)`` pixels: the given flow wherever it explains the picture better.
    """
    gx, gy = gradient(template)
    slopes = torch.cat((gx, gy), dim=1)
    # One blur for the whole structure tensor, which does not change between iterations.
    xx, yy, xy = gaussian_blur(torch.cat((gx * gx, gy * gy, gx * gy), dim=1), WINDOW).split(1, dim=1)
    xx, yy = xx + DAMPING, yy + DAMPING
    determinant = xx * yy - xy * xy
    residual, cost = _residual(template, picture, displacement)
    improved, before = displacement, cost
    for _ in range(ITERATIONS):
        bx, by = gaussian_blur(slopes * residual, WINDOW).split(1, dim=1)
        step = torch.cat((xy * by - yy * bx, xy * bx - xx * by), dim=1) / determinant
        improved = improved + step.clamp(-LARGEST_STEP, LARGEST_STEP)
        residual, cost = _residual(template, picture, improved)
    before, after = gaussian_blur(torch.cat((before, cost), dim=1), WINDOW).split(1, dim=1)
    return torch.where(after < before, improved, displacement)


def _residual(template: Tensor, picture: Tensor, displacement: Tensor) -> tuple[Tensor, Tensor]:
    """What the flow leaves unexplained, bounded, and its cost, ``(N, 1, H, W)``; out of the frame 0 and the most."""
    residual = backward_warp(picture, displacement) - template
    residual = residual - gaussian_blur(residual, LIGHT)  # a change of light is no motion
    inside = lands_inside(displacement)
    cost = residual.abs().clamp(max=LARGEST_COST).masked_fill(~inside, LARGEST_COST)
    return residual.clamp(-LARGEST_RESIDUAL, LARGEST_RESIDUAL) * inside, cost


def _finest(pixels: int) -> int:
    """Halvings before the finest level that is solved."""
    halvings = 0 if pixels <= FULL_RESOLUTION else 1
    while pixels / 4**halvings > LARGEST:
        halvings += 1
    return halvings
