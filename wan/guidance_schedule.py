"""For how long each cell of a chunk is held to its guide.

In each step a cell is held or free: a soft mask kept through all steps leaves pictures that are half denoised. Only in
the last step of a high-noise expert is there something in between, with free steps behind it. A cell's ``end_percent``
is the share of the sampling steps during which it is held.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from einops import reduce, repeat
from torch import Tensor

from ..motion.pyramid import gaussian_blur
from .latents import PIXEL_STEP, SPATIAL_STRIDE, TEMPORAL_STRIDE

if TYPE_CHECKING:
    from .settings import GuideSettings

SILENT = 0.15
"""Confidence below which a guide says nothing, rather than something for a step or two."""
CERTAIN = 0.95
"""Confidence that ``motion_weight`` 1 holds to the end."""
FREE_STEPS, FEW_STEPS = 2, 3
"""Steps at the end in which every cell is free that is not held to the end; one in a run of ``FEW_STEPS`` or fewer."""
HALF = 0.5
"""The high-noise expert's say in its last step over cells that are still held. With none it would never have one; with
all of that step, the guide of an expert of two or three steps is soon forgotten (``bench guidance``)."""
ROUNDING = 1e-4
VERBATIM = 0.25
"""Noise level below which a model mends hardly anything of a guide."""
TOP = 1 - 1e-3
"""Share of the model's highest noise level at which a run begins."""


def end_percent_map(confidence: Tensor, weight: float, mask_sigma: float, region: Tensor | None = None) -> Tensor:
    """The share of the steps for which each cell follows its guide: the cube root of ``weight * confidence``.

    Flow matching with Wan's shift is at noise levels above 0.9 for the first half of its steps, where a guide that
    ends is soon forgotten. The root puts the weights that users know, 0.2 to 0.35, where an exact denoiser settles
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
    # A latent stands for its least certain frame.
    sure = reduce(confidence, "(t frame) 1 h w -> t 1 h w", "min", frame=TEMPORAL_STRIDE)
    if region is not None:
        sure = sure * region.to(sure)
    token = F.avg_pool2d(sure, PIXEL_STEP)
    sigma = mask_sigma * min(height, width) / 8 / PIXEL_STEP
    if sigma > 0.1:  # tokens; below, it moves nothing from one to the next
        token = torch.minimum(token, gaussian_blur(token, sigma))
    end_percent = (weight * torch.where(token >= SILENT, token, 0.0)).pow(1 / 3)
    if weight == 1:
        end_percent = torch.where(token >= CERTAIN, 1.0, end_percent)
    cells = PIXEL_STEP // SPATIAL_STRIDE
    return repeat(end_percent, "t 1 h w -> 1 1 t (h y) (w x)", y=cells, x=cells)


@dataclass(frozen=True)
class Schedule:
    """The noise levels of a whole run."""

    levels: Tensor
    """``(n + 1,)``, falling, of n steps; on the CPU."""
    switch: int = 0
    """Steps of the high-noise expert; 0 where one model makes them all."""

    @property
    def steps(self) -> int:
        return len(self.levels) - 1


def held_steps(end_percent: Tensor, steps: int, switch: int = 0) -> Tensor:
    """How many steps each cell follows its guide: its share of them, rounded up, less where few would be left free.

    A cell that is held in every step comes out as its guide, verbatim, and an expert that never sees it free cannot
    mend it. So the last two steps are free (the last one of three or fewer), and of two experts' steps the last one of
    the high-noise expert is half free. Only an end_percent of 1 holds to the end.

    Args:
        end_percent: in [0, 1], any shape.
        steps: of the whole run, 1 or more.
        switch: steps of the high-noise expert; 0 and ``steps`` mean that one model makes them all.

    Returns:
        Numbers in [0, steps] of the shape and dtype of ``end_percent``, whole but for the half step.
    """
    most = steps - (FREE_STEPS if steps > FEW_STEPS else 1)
    if 0 < switch < steps:
        most = min(most, switch - HALF)
    held = (end_percent * steps - ROUNDING).ceil().clamp(0, max(most, 0))
    return torch.where(end_percent >= 1 - ROUNDING, float(steps), held)


def held_steps_of_part(end_percent: Tensor, sigmas: Tensor, table: Tensor) -> Tensor:
    """How many steps of one sampler call each cell follows its guide, where nobody knows what other calls there are.

    A call from the highest level to 0 is the whole run. One that ends above 0 is the first part of a run: there model
    time stands for the share of the steps that are done, which it is where steps are even in time (``simple``,
    ``normal``, ``sgm_uniform``, ``ddim_uniform``), and its last step is half free, or free where it is the last but one
    of the run. A later part holds only what is held to the end. All on tensors: nothing waits for the device.

    Args:
        end_percent: in [0, 1], any shape.
        sigmas: ``(n + 1,)``, the levels of this call, falling.
        table: the model's levels over uniform time, rising.

    Returns:
        Numbers in [0, n] of the shape and dtype of ``end_percent``, whole but for the half step.
    """
    end_percent, sigmas, table = end_percent.to(sigmas.device), sigmas.float(), table.to(sigmas.device).float()
    steps = len(sigmas) - 1
    starts, ends = sigmas[0] >= table[-1] * TOP, sigmas[-1] <= table[0]
    done = 1 - torch.searchsorted(table, sigmas, right=True) / len(table)  # of the run, before each step and at the end
    left = steps * (1 - done[-1]) / done[-1]  # steps of other calls
    free = torch.where(left < 1.5, 1.0, HALF) if steps >= FEW_STEPS else HALF
    first = (end_percent[..., None] > done[:-1] + ROUNDING).sum(dim=-1).to(end_percent).clamp(max=steps - free)
    part = torch.where(starts, first, torch.where(end_percent >= 1 - ROUNDING, float(steps), 0.0))
    part = torch.where(end_percent >= 1 - ROUNDING, float(steps), part)
    return torch.where(starts & ends, held_steps(end_percent, steps), part)


def guidance_warnings(schedule: Schedule, weight: float) -> tuple[str, ...]:
    """What of a run's steps keeps motion guidance of a weight from doing what it is for."""
    if not 0 < weight < 1:
        return ()
    certain = torch.tensor(weight).pow(1 / 3)
    held = held_steps(certain, schedule.steps, schedule.switch).item()
    if held == 0:
        return ("motion guidance does nothing in one step, which must be free. Take more steps",)
    level = schedule.levels[math.ceil(held)].item()
    if level < VERBATIM * schedule.levels[0].item():
        return (
            f"motion guidance at full confidence ends after {held:g} of {schedule.steps} steps, at noise level "
            f"{level:.2f} of this schedule: hardly anything is mended then. Take the scheduler simple, or lower "
            "motion_weight",
        )
    return ()


def step_index(sigma: Tensor, levels: Tensor) -> Tensor:
    """The step that runs at a noise level: scalar, from 0 on; between two levels it is that of the higher one.

    Args:
        sigma: ``(B,)``, the level of a model call.
        levels: ``(n + 1,)``, falling, on the device of ``sigma``.
    """
    level = sigma.max().float()
    return ((levels.float() >= level * (1 - ROUNDING)).sum() - 1).clamp(0, max(len(levels) - 2, 0))


def step_mask(noise_mask: Tensor, held: Tensor, step: Tensor | int) -> Tensor:
    """The noise mask of one sampling step: 0 also where a cell is still held, in between where it is for part of it.

    Args:
        noise_mask: any shape; 1 where the guide ends before the last step.
        held: steps for which each cell is held, of a shape that broadcasts to it.
        step: index of the step, from 0 on.
    """
    return noise_mask * (step + 1 - held).clamp(0, 1).to(noise_mask)


def schedule_warnings(schedule: Schedule, settings: GuideSettings) -> tuple[str, ...]:
    """What of a schedule keeps the guidance that settings ask for from doing what it is for."""
    return guidance_warnings(schedule, settings.motion_weight) if settings.by_step else ()
