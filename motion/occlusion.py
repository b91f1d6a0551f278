"""Where a flow cannot be trusted: what it hides, where it leaves the frame, and where it contradicts itself."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from .pyramid import gaussian_blur, gradient, to_gray
from .warp import backward_warp, exact, lands_inside

RELATIVE, ABSOLUTE = 0.01, 0.5
"""Of Sundaram et al. 2010, equation 5: share of the squared lengths, and squared pixels."""

HIDDEN = 4 / 255
"""Difference of colour times the root of the forward-backward error, in pixels, above which a pixel is hidden."""

FACTOR, FLOORS, POWERS = 3.49, (0.02, 0.005, 0.1), (0.59, 0.25, 0.45)
"""Of the expected error: a factor, and what is added to each sign and the power it is raised to."""
TOLERANCE = 1.0
"""Error at which confidence has fallen to 1 / e, in pixels of a 480-pixel frame."""
LARGEST_ERROR, SLOPE_FLOOR = 64.0, 0.01
"""Pixels of a 480-pixel frame; brightness per pixel."""
EVEN = (0.01 / 255) ** 2
"""Squared slope of a surface that shows no motion: a hundredth of an 8-bit level per pixel."""


def forward_backward_error(forward: Tensor, backward: Tensor) -> Tensor:
    """How far a pixel lands from home that goes with one flow and returns with the other.

    Args:
        forward: ``(N, 2, H, W)`` pixels.
        backward: ``(N, 2, H, W)`` pixels, on the grid that ``forward`` leads to.

    Returns:
        ``(N, 1, H, W)`` pixels, on the grid of ``forward``; at the border's value where it leaves the frame.
    """
    return (forward + backward_warp(backward, forward)).norm(dim=1, keepdim=True)


def inconsistency_mask(forward: Tensor, backward: Tensor) -> Tensor:
    """Pixels whose two flows contradict each other (Sundaram et al. 2010, equation 5).

    A test of reliability: with estimated flow most of what it marks is wrong rather than hidden.

    Args:
        forward: ``(N, 2, H, W)`` pixels.
        backward: ``(N, 2, H, W)`` pixels, on the grid that ``forward`` leads to.

    Returns:
        ``(N, 1, H, W)`` bool, on the grid of ``forward``; true also where the flow leaves the frame.
    """
    forward, backward = _alike(forward, backward)
    returned = backward_warp(backward, forward)
    lengths = forward.square().sum(dim=1, keepdim=True) + returned.square().sum(dim=1, keepdim=True)
    error = (forward + returned).square().sum(dim=1, keepdim=True)
    return (error > RELATIVE * lengths + ABSOLUTE) | ~lands_inside(forward)


def occlusion_mask(a: Tensor, b: Tensor, forward: Tensor, backward: Tensor) -> Tensor:
    """Pixels of ``a`` that cannot be seen in ``b``: the flows contradict each other and so do the pictures.

    Neither is enough with estimated flow, which is wrong in more places than there is something hidden.

    Args:
        a: ``(N, 3, H, W)`` RGB in [0, 1], the frames the flow starts from.
        b: ``(N, 3, H, W)``, the frames it leads to.
        forward: ``(N, 2, H, W)`` pixels, from a to b.
        backward: ``(N, 2, H, W)`` pixels, from b to a.

    Returns:
        ``(N, 1, H, W)`` bool; true also where the flow leaves the frame.
    """
    a, b, forward, backward = _alike(a, b, forward, backward)
    left_over = _left_over(a, b, forward).abs().mean(dim=1, keepdim=True)
    error = forward_backward_error(forward, backward)
    return (gaussian_blur(left_over, 1.0) * error.sqrt() > HIDDEN) | ~lands_inside(forward)


def flow_confidence(a: Tensor, b: Tensor, forward: Tensor, backward: Tensor) -> Tensor:
    """How far to trust a flow, from what it leaves unexplained.

    The expected error in pixels is a product of powers of three signs of trouble, which ``bench confidence`` fits on
    pairs with known flow: the forward-backward error of the neighbourhood, the flow's gradient, and the displacement
    that would explain the brightness left over. Confidence is ``exp(-expected / tolerance)``.

    Args:
        a: ``(N, 3, H, W)`` RGB in [0, 1], the frames the flow starts from.
        b: ``(N, 3, H, W)``, the frames it leads to.
        forward: ``(N, 2, H, W)`` pixels, from a to b.
        backward: ``(N, 2, H, W)`` pixels, from b to a.

    Returns:
        ``(N, 1, H, W)`` in [0, 1]; 0 where the flow leaves the frame and where nothing could have shown motion.
    """
    a, b, forward, backward = _alike(a, b, forward, backward)
    # The smaller eigenvalue of the structure tensor: 0 on an even surface, and along stripes. As a measure of
    # error it is useless, but where it vanishes nobody can know the motion.
    gx, gy = gradient(to_gray(a))
    products = gaussian_blur(torch.cat((gx * gx, gy * gy, gx * gy), dim=1), max(2.0, 16 * _scale(forward)))
    xx, yy, xy = products.split(1, dim=1)
    texture = ((xx + yy) - ((xx - yy).square() + 4 * xy.square()).sqrt()).clamp(min=0) / 2
    return picture_confidence(a, b, forward, backward) * texture / (texture + EVEN)


def picture_confidence(a: Tensor, b: Tensor, forward: Tensor, backward: Tensor) -> Tensor:
    """How far a flow can be trusted to lead to the same picture: :func:`flow_confidence` on even surfaces too.

    There nobody can know the motion, but whatever it is shows the same.
    """
    a, b, forward, backward = _alike(a, b, forward, backward)
    expected = FACTOR * math.prod(
        (sign + floor) ** power
        for sign, floor, power in zip(error_signs(a, b, forward, backward), FLOORS, POWERS, strict=True)
    )
    return torch.exp(-expected / TOLERANCE) * lands_inside(forward)


def error_signs(a: Tensor, b: Tensor, forward: Tensor, backward: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """What a flow's error can be told by; see :func:`flow_confidence` for the arguments.

    Returns:
        ``(N, 1, H, W)`` each: the forward-backward error of the neighbourhood and the displacement that would
        explain the brightness left over, both in pixels of a 480-pixel frame, and between them the flow's gradient.
    """
    a, b, scale = to_gray(a), to_gray(b), _scale(forward)
    home = forward_backward_error(forward, backward) / scale
    home = gaussian_blur(home.clamp(max=LARGEST_ERROR), max(0.5, 6 * scale))
    near = max(0.5, 2 * scale)
    bend = gaussian_blur(flow_gradient(forward), near)
    gx, gy = gradient(a)
    steepness = gaussian_blur(gx * gx + gy * gy, near).sqrt()
    slip = gaussian_blur(_left_over(a, b, forward).abs(), near) / (steepness + SLOPE_FLOOR) / scale
    return home, bend, slip


def flow_gradient(displacement: Tensor) -> Tensor:
    """``(N, 1, H, W)``: length of the forward differences of a flow ``(N, 2, H, W)``, per pixel."""
    across = F.pad(displacement[..., 1:] - displacement[..., :-1], (0, 1))
    along = F.pad(displacement[..., 1:, :] - displacement[..., :-1, :], (0, 0, 0, 1))
    return (across.square() + along.square()).sum(dim=1, keepdim=True).sqrt()


def _left_over(a: Tensor, b: Tensor, forward: Tensor) -> Tensor:
    """Signed difference that the flow leaves between two pictures, less its neighbourhood's mean: light may change."""
    difference = backward_warp(b, forward) - a
    return difference - gaussian_blur(difference, max(1.0, 8 * _scale(forward)))


def _scale(displacement: Tensor) -> float:
    """Of all distances, so that a resized clip gets the same confidence."""
    return min(displacement.shape[-2:]) / 480


def _alike(*tensors: Tensor) -> tuple[Tensor, ...]:
    """In the last one's precision, float32 or better, and on its device."""
    like = exact(tensors[-1])
    return tuple(tensor.to(like) for tensor in tensors)
