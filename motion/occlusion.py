"""Where a flow cannot be trusted: what it hides, where it leaves the frame, and where it contradicts itself."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from .evidence import motion_evidence
from .pyramid import gaussian_blur, gradient, to_gray
from .splat import forward_splat
from .surface import follow_surfaces
from .warp import backward_warp, exact, lands_inside, vector_length

RELATIVE, ABSOLUTE = 0.01, 0.5
"""Of Sundaram et al. 2010, equation 5: share of the squared lengths, and squared pixels."""

RIGHT, SAME, TOGETHER = 0.5, 4 / 255, 0.25
"""A flow is kept where it is trusted more than this, or where it leads to a color that differs less and back to within
this many pixels."""
HIDDEN_FLOORS, HIDDEN_POWERS, HIDDEN = (1 / 255, 0.03, 0.1), (0.97, 0.23, -0.98), 0.027
"""Of the signs that something is hidden: what is added to each, the power it is raised to, and the product above which
a pixel is."""
CONTRADICTION = 0.2
"""Pixels by which flows must differ, or share of a pixel that nothing must reach, for anything to be hidden at all."""
SHARPNESS = 60.0
"""Weight, on the splat's logarithmic scale, of a difference of color."""

FLOORS = (0.02, 0.005, 0.1, 0.001)
"""What is added to each sign of trouble, before it is raised to a power."""
FACTOR, POWERS = 4.18, (0.54, 0.26, 0.37, 0.07)
PICTURE_FACTOR, PICTURE_POWERS = 3.49, (0.59, 0.25, 0.45)
"""Of the expected error: of a motion by all four signs, and of where it leads by the first three."""
BLIND = 0.4
"""Inverse of the noise that halves the confidence, as a share of what shows the motion."""
TOLERANCE = 1.0
"""Error at which confidence has fallen to 1 / e, in pixels of a 480-pixel frame."""
GROUP = 1024 * 1024
"""Pixels that are looked at at once."""
LARGEST_ERROR, SLOPE_FLOOR = 64.0, 0.01
"""Pixels of a 480-pixel frame; brightness per pixel."""


def forward_backward_error(forward: Tensor, backward: Tensor) -> Tensor:
    """How far a pixel lands from home that goes with one flow and returns with the other.

    Args:
        forward: ``(N, 2, H, W)`` pixels.
        backward: ``(N, 2, H, W)`` pixels, on the grid that ``forward`` leads to.

    Returns:
        ``(N, 1, H, W)`` pixels, float32 or better, on the grid of ``forward``; at the border's value where it leaves
        the frame.
    """
    forward, backward = _alike(forward, backward)
    return vector_length(forward + backward_warp(backward, forward))


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

    Neither is enough with estimated flow, which is wrong in more places than there is something hidden, and which
    smoothing carries over the edges of what moves. It is made to follow the surfaces first.

    Args:
        a: ``(N, 3, H, W)`` RGB in [0, 1], the frames the flow starts from.
        b: ``(N, 3, H, W)``, the frames it leads to.
        forward: ``(N, 2, H, W)`` pixels, from a to b.
        backward: ``(N, 2, H, W)`` pixels, from b to a.

    Returns:
        ``(N, 1, H, W)`` bool; true also where the flow leaves the frame.

    Raises:
        ValueError: if the frames are no RGB or the shapes do not go together.
    """
    a, b, forward, backward = _checked(a, b, forward, backward)
    *signs, contradicted, inside = occlusion_signs(a, b, forward, backward)
    product = math.prod(
        (sign + floor) ** power for sign, floor, power in zip(signs, HIDDEN_FLOORS, HIDDEN_POWERS, strict=True)
    )
    return ((product > HIDDEN) & contradicted) | ~inside


def occlusion_signs(a: Tensor, b: Tensor, forward: Tensor, backward: Tensor) -> tuple[Tensor, ...]:
    """What hidden pixels can be told by; see :func:`occlusion_mask` for the arguments.

    Returns:
        ``(N, 1, H, W)`` each: the difference of color that the flow leaves; how differently, in pixels, what wins the
        pixel's place in b moves (Xu et al. 2012, section 4.3); how much of b arrives at the pixel (Wang et al. 2018);
        and bool, whether the flows contradict each other at all, and whether the pixel stays in the frame.
    """
    a, b, forward, backward = _checked(a, b, forward, backward)
    forward, backward = _on_surfaces(a, b, forward, backward), _on_surfaces(b, a, backward, forward)
    moved = backward_warp(b, forward)
    left_over = gaussian_blur(_left_over(a, moved).abs().mean(dim=1, keepdim=True), 2.0)
    difference = gaussian_blur((moved - a).abs().mean(dim=1, keepdim=True), 1.0)
    winner, _ = forward_splat(forward, forward, -SHARPNESS * difference)
    rival = vector_length(backward_warp(winner, forward) - forward)
    _, reached = forward_splat(backward[:, :1], backward)
    error = forward_backward_error(forward, backward)
    contradicted = torch.maximum(torch.maximum(error, rival), 1 - reached) > CONTRADICTION
    return left_over, rival, gaussian_blur(reached, 1.0).clamp(max=1.5), contradicted, lands_inside(forward)


def _on_surfaces(a: Tensor, b: Tensor, forward: Tensor, backward: Tensor) -> Tensor:
    """The forward flow, following the surfaces of ``a``."""
    moved, error = backward_warp(b, forward), forward_backward_error(forward, backward)
    different = gaussian_blur((moved - a).abs().mean(dim=1, keepdim=True), 1.0)
    trust = torch.exp(-(error + flow_gradient(forward) + different / SAME) / TOLERANCE) * lands_inside(forward)
    right = (trust > RIGHT) | ((different < SAME) & (error < TOGETHER))
    return follow_surfaces(a, moved, forward, trust, right)


def flow_confidence(a: Tensor, b: Tensor, forward: Tensor, backward: Tensor) -> Tensor:
    """How far to trust a flow, from what it leaves unexplained and from what the frames could have shown.

    The expected error in pixels is a product of powers of four signs of trouble, which ``bench confidence`` fits on
    pairs with known flow: the forward-backward error of the neighborhood, the flow's gradient, the displacement
    that would explain the brightness left over, and the noise. Confidence is ``exp(-expected / tolerance)``, less
    where noise hides the motion, on even surfaces and along stripes; see :func:`~motion.evidence.motion_evidence`.

    Args:
        a: ``(N, 3, H, W)`` RGB in [0, 1], the frames the flow starts from.
        b: ``(N, 3, H, W)``, the frames it leads to.
        forward: ``(N, 2, H, W)`` pixels, from a to b.
        backward: ``(N, 2, H, W)`` pixels, from b to a.

    Returns:
        ``(N, 1, H, W)`` in [0, 1], float32 or better; 0 where the flow leaves the frame and where nothing could have
        shown motion.

    Raises:
        ValueError: if the frames are no RGB or the shapes do not go together.
    """
    a, b, forward, backward = _checked(a, b, forward, backward)
    gray, moved = _in_place(a, b, forward)
    blind, straight = motion_evidence(gray, moved, _window(forward))
    signs = (*_picture_signs(gray, moved, forward, backward), blind)
    return _confidence(signs, forward, FACTOR, POWERS) / (1 + (BLIND * blind).square() + straight**6)


def picture_confidence(a: Tensor, b: Tensor, forward: Tensor, backward: Tensor) -> Tensor:
    """How far a flow can be trusted to lead to the same picture: :func:`flow_confidence` on even surfaces too.

    There nobody can know the motion, but whatever it is shows the same.
    """
    pairs = _checked(a, b, forward, backward)
    # On a CPU a few pairs at a time: the signs take many times the memory of the flow.
    group = max(1, GROUP // (a.shape[-2] * a.shape[-1])) if a.device.type == "cpu" else len(a)
    found = []
    for one, other, to, back in zip(*(tensor.split(group) for tensor in pairs), strict=True):
        signs = _picture_signs(*_in_place(one, other, to), to, back)
        found.append(_confidence(signs, to, PICTURE_FACTOR, PICTURE_POWERS))
    return torch.cat(found)


def error_signs(a: Tensor, b: Tensor, forward: Tensor, backward: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """What a flow's error can be told by; see :func:`flow_confidence` for the arguments.

    Returns:
        ``(N, 1, H, W)`` each: the forward-backward error of the neighborhood, in pixels of a 480-pixel frame; the
        flow's gradient; the displacement that would explain the brightness left over, in such pixels; and noise as a
        share of what shows the motion.
    """
    a, b, forward, backward = _checked(a, b, forward, backward)
    gray, moved = _in_place(a, b, forward)
    blind, _ = motion_evidence(gray, moved, _window(forward))
    return *_picture_signs(gray, moved, forward, backward), blind


def _picture_signs(gray: Tensor, moved: Tensor, forward: Tensor, backward: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The first three of :func:`error_signs`, from brightness and the other frame's, warped."""
    scale = _scale(forward)
    home = forward_backward_error(forward, backward) / scale
    home = gaussian_blur(home.clamp(max=LARGEST_ERROR), max(0.5, 6 * scale))
    near = max(0.5, 2 * scale)
    bend = gaussian_blur(flow_gradient(forward), near)
    gx, gy = gradient(gray)
    steepness = gaussian_blur(gx * gx + gy * gy, near).sqrt()
    slip = gaussian_blur(_left_over(gray, moved).abs(), near) / (steepness + SLOPE_FLOOR) / scale
    return home, bend, slip


def _confidence(signs: tuple[Tensor, ...], forward: Tensor, factor: float, powers: tuple[float, ...]) -> Tensor:
    parts = ((sign + floor) ** power for sign, floor, power in zip(signs, FLOORS, powers, strict=False))
    expected = factor * math.prod(parts, start=forward.new_ones(()))
    return torch.exp(-expected / TOLERANCE) * lands_inside(forward)


def flow_gradient(displacement: Tensor) -> Tensor:
    """``(N, 1, H, W)``: length of the forward differences of a flow ``(N, 2, H, W)``, per pixel."""
    across = F.pad(displacement[..., 1:] - displacement[..., :-1], (0, 1))
    along = F.pad(displacement[..., 1:, :] - displacement[..., :-1, :], (0, 0, 0, 1))
    return (across.square() + along.square()).sum(dim=1, keepdim=True).sqrt()


def _in_place(a: Tensor, b: Tensor, forward: Tensor) -> tuple[Tensor, Tensor]:
    """Brightness of ``a``, and of ``b`` where the flow leads."""
    return to_gray(a), backward_warp(to_gray(b), forward)


def _left_over(a: Tensor, moved: Tensor) -> Tensor:
    """Signed difference that the flow leaves between two pictures, less its neighborhood's mean: light may change."""
    difference = moved - a
    return difference - gaussian_blur(difference, max(1.0, 8 * _scale(a)))


def _window(displacement: Tensor) -> float:
    """Deviation of the neighborhood that shows a motion, pixels."""
    return max(2.0, 16 * _scale(displacement))


def _scale(displacement: Tensor) -> float:
    """Of all distances, so that a resized clip gets the same confidence."""
    return min(displacement.shape[-2:]) / 480


def _alike(*tensors: Tensor) -> tuple[Tensor, ...]:
    """In the last one's precision, float32 or better, and on its device."""
    like = exact(tensors[-1])
    return tuple(tensor.to(like) for tensor in tensors)


def _checked(a: Tensor, b: Tensor, forward: Tensor, backward: Tensor) -> tuple[Tensor, ...]:
    """Frames and flows that go together, :func:`_alike`; raises ValueError otherwise."""
    if a.ndim != 4 or a.shape[1] != 3 or a.shape != b.shape:
        raise ValueError(f"Expected two batches of RGB frames (N, 3, H, W), got {tuple(a.shape)} and {tuple(b.shape)}.")
    due = (len(a), 2, *a.shape[-2:])
    if forward.shape != due or backward.shape != due:
        raise ValueError(
            f"Frames of {tuple(a.shape)} take flows of {due}, got {tuple(forward.shape)} and {tuple(backward.shape)}; "
            "resize_flow makes them fit."
        )
    return _alike(a, b, forward, backward)
