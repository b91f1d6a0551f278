"""Where the content of a clip's last frame is going: its path through the clip, carried forward."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from einops import reduce
from torch import Tensor

from .flow import Flow, compose_flow
from .splat import forward_splat, invert_flow
from .warp import backward_warp, exact, lands_inside, vector_length

HISTORY = 4
"""Flows that are looked back along. More of them make the last velocity look less steady than it is."""
PERIODS = 2
"""Whole periods that are looked back along; see ``period`` of :func:`predict_motion`."""
SECOND = 16
"""Frames, of Wan2.1's time: over which the velocity falls to ``step_gain``."""
HORIZON = 12
"""Frames after which nothing is claimed."""
SPREAD, DRIFT = 0.5, 1 / 30
"""Per frame, of the velocity's spread and of its length: what the expected place is off by, and what that grows by."""
TOLERANCE = 8.0
"""Pixels, a cell of Wan's latents: error of the expected place at which confidence has fallen to 1 / e."""
LOST = 16.0
"""Pixels of a 480-pixel frame: spread of the expected place beyond which rest is as good a guess."""
FOLD = 1.0
"""Pixels: how much faster or slower what covers a pixel must move for it to count as covered."""
FRONT, TRUST = 10.0, 5.0
"""Weight, on the splat's logarithmic scale, of what moves unlike most of the frame, and of what is trusted."""


@dataclass(frozen=True)
class MotionPrediction:
    """Where the content of an anchor frame is expected in each later frame."""

    displacement: Tensor
    """``(T, 2, H, W)`` pixels, from the anchor to the t-th frame after it, on the anchor's grid."""
    confidence: Tensor
    """``(T, 1, H, W)`` in [0, 1], never rising with t; 0 where the content leaves the frame or is covered."""


@dataclass(frozen=True)
class Trajectory:
    """How the content of a clip's last frame came there. Index k is k frames ago."""

    velocity: Tensor
    """``(K, 2, H, W)`` pixels per frame, on the last frame's grid."""
    confidence: Tensor
    """``(K, 1, H, W)`` in [0, 1]: of the whole path from the last frame to there; never rising with k."""


def trace_back(backward: Flow) -> Trajectory:
    """Follow each pixel of a clip's last frame back through the clip.

    Args:
        backward: K flows in the order of time, flow t from frame t + 1 to frame t, on the grid of frame t + 1.
    """
    place = torch.zeros_like(backward.displacement[-1:])
    trusted = torch.ones_like(backward.confidence[-1:])
    velocity, confidence = [], []
    for flow, own in zip(backward.displacement.flip(0).split(1), backward.confidence.flip(0).split(1), strict=True):
        before = place
        trusted = torch.minimum(trusted, backward_warp(own, before) * lands_inside(before))
        place = compose_flow(before, flow)
        trusted = trusted * lands_inside(place)
        velocity.append(before - place)
        confidence.append(trusted)
    return Trajectory(torch.cat(velocity), torch.cat(confidence))


def predict_motion(
    flow: Flow | None,
    steps: int,
    *,
    step_gain: float = 1.0,
    backward: Flow | None = None,
    acceleration: bool = False,
    period: int = 1,
    rhythm: float | Tensor = 1.0,
    shrink: bool = True,
) -> MotionPrediction:
    """Carry the motion of a clip's last frame forward.

    Each pixel goes on with its last velocity, shrunk where that was not steady: by the Wiener weight
    ``|v|^2 / (|v|^2 + s^2 (n + 1) / 2)`` with the mean v and the variance s^2 of its last four velocities, since an
    error of the velocity is carried along and a drift of it adds up with every frame n; and by another where
    ``n s / 2`` comes to more than 16 pixels of a 480-pixel frame. That makes the best guess, which is slower than the
    motion on average; ``shrink`` says otherwise.

    Confidence is the flow's own times ``exp(-e / 8)`` with the expected error ``e = n s / 2 + n^2 |v| / 30`` in
    pixels; ``bench motion`` says what it is worth.

    Args:
        flow: forward flows of the clip, in the order of time; the anchor is the last frame. None will do where backward
            flows are given, which are read instead.
        steps: frames to look ahead. Confidence is 0 beyond 12.
        step_gain: [0, 1], the share of the velocity that is left 16 frames ahead; 1 keeps it.
        backward: flow t from frame t + 1 to frame t, on the grid of frame t + 1. Without it ``flow`` is inverted.
        acceleration: add the mean change of velocity, where that is steady. Right for what falls or is thrown;
            on real video it makes most predictions worse.
        period: frames after which velocities repeat a rhythm that is none of the motion's; 4 for what Wan's VAE
            decoded, whose groups of four begin fast and end slow. Velocities are taken over whole periods then.
        rhythm: [0, 1], the share by which they are; see :func:`~motion.rhythm.rhythm_share`.
        shrink: else an unsteady velocity is kept as it is, and confidence has the weight: for what is made from the
            prediction and predicted from in its turn, which would come to rest (``bench loop``).

    Raises:
        ValueError: if there is no flow, or a number is out of range.
    """
    given = flow if backward is None else backward
    if given is None or not len(given.displacement):
        raise ValueError("Motion can only be carried on from one flow or more, which takes two frames.")
    if steps < 1:
        raise ValueError(f"steps must be at least 1, got {steps}.")
    if not 0 <= step_gain <= 1:
        raise ValueError(f"step_gain must be in [0, 1], got {step_gain}.")
    recent = slice(-HISTORY if period == 1 else -PERIODS * period, None)
    if backward is None:
        backward = invert_flow(Flow(given.displacement[recent], given.confidence[recent]))
    # In half precision a squared displacement overflows.
    path = trace_back(Flow(exact(backward.displacement[recent]), exact(backward.confidence[recent])))
    places, sure = _carry_on(_over_periods(path, period), steps, step_gain, acceleration, shrink)
    if period != 1:
        latest = Trajectory(path.velocity[:HISTORY], path.confidence[:HISTORY])
        alone = _carry_on(latest, steps, step_gain, acceleration, shrink)
        places, sure = torch.lerp(alone[0], places, rhythm), torch.lerp(alone[1], sure, rhythm)
    trusted, confidences = torch.ones_like(sure[:1]), []
    for displacement, own in zip(places.split(1), sure.split(1), strict=True):
        trusted = torch.minimum(trusted, own) * lands_inside(displacement)
        trusted = trusted * _uncovered(displacement, trusted)
        confidences.append(trusted)
    like = given.displacement
    return MotionPrediction(places.to(like), torch.cat(confidences).to(like))


def _carry_on(
    path: Trajectory, steps: int, step_gain: float, acceleration: bool, shrink: bool
) -> tuple[Tensor, Tensor]:
    """Displacement ``(T, 2, H, W)`` and confidence ``(T, 1, H, W)``, whatever is covered or leaves the frame."""
    last = path.velocity[:1]
    change = _steady_change(path) if acceleration else torch.zeros_like(last)
    # Only what the path still shows counts: what was hidden before has no history, and what lies before a cut none.
    age = torch.arange(len(path.velocity)).to(last).view(-1, 1, 1, 1)
    level = path.velocity + age * change  # what each velocity says about the last one
    weight = path.confidence.clamp(min=1e-3) / path.confidence.clamp(min=1e-3).sum(dim=0, keepdim=True)
    mean = (weight * level).sum(dim=0, keepdim=True)
    variance = (weight * (level - mean).square()).sum(dim=(0, 1), keepdim=True)  # (1, 1, H, W)
    energy = mean.square().sum(dim=1, keepdim=True)

    scale = min(last.shape[-2:]) / 480
    total, displacements, confidences = torch.zeros_like(last), [], []
    for n in range(1, steps + 1):
        total = total + step_gain ** ((n - 1) / SECOND) * (last + n * change)
        spread = n * SPREAD * variance.sqrt()
        drift = variance * (SPREAD * (n + 1))
        steadiness = torch.where(energy + drift > 0, energy / (energy + drift), 1.0)
        steadiness = steadiness / (1 + (spread / (LOST * scale)).square())
        displacement = total * steadiness if shrink else total
        expected = spread + n**2 * DRIFT * energy.sqrt()
        displacements.append(displacement)
        own = path.confidence[:1] * torch.exp(-expected / TOLERANCE) * (n <= HORIZON)
        confidences.append(own if shrink else own * steadiness)
    return torch.cat(displacements), torch.cat(confidences)


def land(displacement: Tensor, confidence: Tensor, *carried: Tensor) -> tuple[Tensor, ...]:
    """Splat a motion along itself, what is in front over what is behind.

    In front is what is trusted, and what moves unlike most of the frame: an object rather than its background.

    Args:
        displacement: ``(N, 2, H, W)`` pixels.
        confidence: ``(N, 1, H, W)`` in [0, 1].
        carried: ``(N, C, H, W)`` each, taken along.

    Returns:
        The displacement that arrives, the carried tensors, and the coverage, on the grid it leads to.
    """
    dominant = displacement.flatten(2).median(dim=2).values[..., None, None]
    unlike = vector_length(displacement - dominant) / (min(displacement.shape[-2:]) / 480)
    weight = TRUST * confidence + FRONT * unlike / (unlike + 1)
    arrived, coverage = forward_splat(torch.cat((displacement, *carried), dim=1), displacement, weight)
    return *arrived.split((2, *(tensor.shape[1] for tensor in carried)), dim=1), coverage


def _uncovered(displacement: Tensor, confidence: Tensor) -> Tensor:
    """``(N, 1, H, W)``: 1 where what arrives at a pixel's place moves as the pixel does, 0 where it is covered."""
    arrived, _ = land(displacement, confidence)
    unlike = vector_length(backward_warp(arrived, displacement) - displacement)
    return torch.exp(-(unlike / FOLD).square())


def _over_periods(path: Trajectory, period: int) -> Trajectory:
    """The path with one mean velocity per whole period; as it is where it is shorter than one."""
    whole = len(path.velocity) // period * period
    if period == 1 or not whole:
        return path
    each = "(periods frame) c h w -> periods c h w"
    return Trajectory(
        reduce(path.velocity[:whole], each, "mean", frame=period),
        reduce(path.confidence[:whole], each, "min", frame=period),
    )


def _steady_change(path: Trajectory) -> Tensor:
    """Mean change of velocity per frame ``(1, 2, H, W)``, Wiener-shrunk by how it varies; 0 if too few are known."""
    changes = path.velocity[:-1] - path.velocity[1:]
    if len(changes) < 2:
        return torch.zeros_like(path.velocity[:1])
    mean = changes.mean(dim=0, keepdim=True)
    variance = (changes - mean).square().mean(dim=0, keepdim=True).sum(dim=1, keepdim=True)
    energy = mean.square().sum(dim=1, keepdim=True)
    shrunk = mean * torch.where(energy > 0, energy / (energy + HORIZON * variance), 0.0)
    # A velocity that would double within four frames is no steady motion.
    limit = vector_length(path.velocity[:1]) / HISTORY
    return shrunk * (limit / vector_length(shrunk).clamp(min=1e-12)).clamp(max=1)
