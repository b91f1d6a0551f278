"""Where two versions of the same frames show the same thing in different places."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
import torch.nn.functional as F
from torch import Tensor

from ..motion import FlowEstimator
from ..motion.estimation import estimate_back, estimate_displacements
from ..motion.flow import compose_flow, resize_flow
from ..motion.occlusion import picture_confidence
from ..motion.warp import backward_warp, vector_length
from .mask import wide_blur
from .series import shrink

SMOOTH = 1 / 60
"""Of the shorter side: the deviation of the Gaussian by which a difference of place is smoothed, where trusted."""
NOISE = 0.1
"""Pixels of a 480-pixel frame: less is the estimator's own error."""
SAME = 0.5
"""Pixels: two pictures further apart show double where they are mixed."""


@dataclass(frozen=True)
class Residual:
    """What parts two versions of N frames, in place."""

    forward: Tensor
    """``(N, 2, H, W)`` pixels, from the first version to the second, on the first's grid."""
    backward: Tensor
    """``(N, 2, H, W)`` pixels, from the second to the first, on the second's grid."""
    trust: Tensor
    """``(N, 1, H, W)`` in [0, 1]: where both show the same thing."""

    @cached_property
    def length(self) -> float:
        """Mean of the displacement in pixels, where it can be trusted."""
        weighted = vector_length(self.forward) * self.trust
        return (weighted.sum() / self.trust.sum().clamp(min=1)).item()

    @cached_property
    def matters(self) -> bool:
        """Whether most of the picture is out of place, by more than the estimator's own error.

        A thing that is alone in another place cannot be moved without tearing it from its surroundings.
        """
        return vector_length(self.forward).median().item() > NOISE * min(self.forward.shape[-2:]) / 480

    @property
    def in_place(self) -> Tensor:
        """``(N, 1, H, W)`` in [0, 1]: where both show the same thing in the same place."""
        return self.trust * torch.exp(-(vector_length(self.forward) / SAME).square())


def find_residual(first: Tensor, second: Tensor, *, estimator: str | FlowEstimator = "auto") -> Residual:
    """Compare two versions ``(N, 3, H, W)`` RGB of the same frames."""
    a, b = first.clamp(0, 1), second.clamp(0, 1)
    forward, backward = estimate_displacements(a, b, estimator=estimator, checked=True)
    trust = torch.minimum(picture_confidence(a, b, forward, backward), picture_confidence(b, a, backward, forward))
    sigma = SMOOTH * min(first.shape[-2:])
    # What cannot be trusted follows its surroundings, and less the farther they are.
    weight = wide_blur(trust, sigma)
    forward, backward = (
        wide_blur(flow * trust, sigma) / weight.clamp(min=0.05) for flow in (forward.float(), backward.float())
    )
    return Residual(forward, backward, trust)


def carry_on(residual: Residual, later: Tensor, *, estimator: str | FlowEstimator = "auto") -> tuple[Tensor, Tensor]:
    """Take the last frame's difference of place along with the second version's motion.

    Args:
        later: ``(M + 1, 3, H, W)``: the second version's last compared frame, and M frames after it. Its motion is
            looked at on 240 lines.

    Returns:
        Forward displacement ``(M, 2, H, W)`` and trust ``(M, 1, H, W)`` in the frames after.
    """
    clip = shrink(later, checked=True)  # what is taken along is smooth
    (height, width), (h, w) = later.shape[-2:], clip.shape[-2:]
    backward = estimate_back(clip, estimator=estimator)
    apart = resize_flow(residual.forward[-1:], (h, w))
    trusted = F.interpolate(residual.trust[-1:], (h, w), mode="area")
    flows, trusts = [], []
    back, trust = torch.zeros_like(backward.displacement[:1]), torch.ones_like(backward.confidence[:1])
    for step, own in zip(backward.displacement.split(1), backward.confidence.split(1), strict=True):
        # From the newest frame one step back, and from there all the way.
        back, trust = compose_flow(step, back), backward_warp(trust, step) * own
        flows.append(backward_warp(apart, back))
        trusts.append(backward_warp(trusted, back) * trust)
    trust = F.interpolate(torch.cat(trusts), (height, width), mode="bilinear", align_corners=False)
    return resize_flow(torch.cat(flows), (height, width)), trust
