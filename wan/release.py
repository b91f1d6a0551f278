"""For how long each cell of a chunk is held to its guide.

In each step a cell is held or free, never in between: a soft mask kept through all steps leaves pictures that are
half denoised. A cell's release is the share of the sampling steps during which it is held.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from ..motion.pyramid import gaussian_blur
from .latents import PIXEL_STEP, SPATIAL_STRIDE, TEMPORAL_STRIDE

SILENT = 0.15
"""Confidence below which a guide says nothing, rather than something for a step or two."""
ROUNDING = 1e-4


def release_map(confidence: Tensor, weight: float, mask_sigma: float, region: Tensor | None = None) -> Tensor:
    """The share of the steps for which each cell follows its guide: the cube root of ``weight * confidence``.

    Flow matching with Wan's shift is at noise levels above 0.9 for the first half of its steps, where a guide that is
    let go is soon forgotten. The root puts the weights that users know, 0.2 to 0.35, where an exact denoiser settles
    on the guide's motion and still mends one that is wrong by half (``bench guidance``).

    Args:
        confidence: ``(4 T, 1, H, W)`` in [0, 1], of the guide's frames; H and W multiples of 16.
        weight: [0, 1]: 0 guides nothing, 1 holds what is certain to the end.
        mask_sigma: [0, 1]; confidence is feathered inwards by a Gaussian of this times an eighth of the shorter side.
        region: ``(1, 1, H, W)`` in [0, 1], scales the guide; all of the frame by default.

    Returns:
        ``(1, 1, T, H / 8, W / 8)``, alike in each 2 x 2 cells: a token of the model cannot be at two noise levels.
    """
    height, width = confidence.shape[-2:]
    sure = confidence.unflatten(0, (-1, TEMPORAL_STRIDE)).amin(dim=1)  # a latent stands for its least certain frame
    if region is not None:
        sure = sure * region.to(sure)
    token = F.avg_pool2d(sure, PIXEL_STEP)
    sigma = mask_sigma * min(height, width) / 8 / PIXEL_STEP
    if sigma > 0.1:  # tokens; below, it moves nothing from one to the next
        token = torch.minimum(token, gaussian_blur(token, sigma))
    release = (weight * torch.where(token >= SILENT, token, 0.0)).pow(1 / 3)
    cells = PIXEL_STEP // SPATIAL_STRIDE
    return release.repeat_interleave(cells, dim=2).repeat_interleave(cells, dim=3).movedim(0, 1)[None]


def step_mask(noise_mask: Tensor, release: Tensor, fraction: Tensor | float) -> Tensor:
    """The noise mask of one sampling step: 0 also where a cell is not released yet.

    Args:
        noise_mask: any shape; 1 where the guide lets go at all.
        release: in [0, 1], of a shape that broadcasts to it.
        fraction: of the steps that are done, 0 at the first; below 1.
    """
    return noise_mask * (release <= fraction + ROUNDING)


def step_fraction(sigma: Tensor, sigmas: Tensor, table: Tensor) -> Tensor:
    """The share of a run's steps that are done at a noise level. All on tensors: nothing waits for the device.

    Args:
        sigma: ``(B,)``, the level of the current step.
        sigmas: ``(n + 1,)``, the levels of this sampler call, falling.
        table: the model's levels over uniform time, rising. A run that is split over two samplers only sees its own
            part of the steps; there the time of the level stands for the step.

    Returns:
        Scalar in [0, 1).
    """
    level, sigmas, table = sigma.max().float(), sigmas.float(), table.to(sigmas.device).float()
    steps = ((sigmas >= level * (1 - ROUNDING)).sum() - 1).clamp(min=0) / max(len(sigmas) - 1, 1)
    time = 1 - torch.searchsorted(table, level[None])[0] / len(table)
    whole = (sigmas[0] >= table[-1] * (1 - 1e-3)) & (sigmas[-1] <= table[0])
    return torch.where(whole, steps, time).clamp(0, 1 - 1e-3)
