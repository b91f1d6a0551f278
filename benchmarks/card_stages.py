"""What the pack does for a chunk besides model and VAE, stage by stage, on whatever devices."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from ..blending import SeamReport, fit_color
from ..wan import GuideSettings
from ..wan.append import measure as measure_join
from ..wan.color_anchor import anchor_color
from ..wan.guidance_schedule import end_percent_map, held_steps, step_index, step_mask
from ..wan.join import LAST, join_chunk
from ..wan.latents import SPATIAL_STRIDE, latent_length
from ..wan.levels.motion import LATENTS, predict_chunk
from ..wan.motion_tools import MotionTools
from .card_loop import OVERLAP, Places, Scene, add_chunk, on, pattern

STEPS, FRAMES = 20, 81
OFF = 2.0
"""Pixels and percent; see :class:`~benchmarks.card_loop.Scene`."""


@dataclass(frozen=True)
class Inputs:
    """What the stages work on."""

    before: Tensor
    """``(25, 3, H, W)``: the video's last frames, the overlap's 17 at the end."""
    right: Tensor
    """``(33, 3, H, W)``: a chunk in its place."""
    wrong: Tensor
    """The same beside its place, and darker."""
    confidence: Tensor
    """``(8, 1, H, W)``"""
    end_percent: Tensor
    """``(1, 1, T, h, w)`` on the host's device, of a chunk of 81 frames; a noise mask of that shape is 1."""
    levels: Tensor
    """``(21,)``, on the host's device."""
    motion: MotionTools
    begun: tuple


def prepare(size: tuple[int, int]) -> Callable[[Places], Inputs]:
    """Inputs of a height and width, on devices."""

    def put(places: Places) -> Inputs:
        height, width = size
        video = pattern(size, -SeamReport.REACH, 2 * OVERLAP + SeamReport.REACH, device=places.frames)
        wrong = pattern(size, 0, 2 * OVERLAP, off=OFF, device=places.frames) * (1 - OFF / 100)
        cells = (1, 1, latent_length(FRAMES), height // SPATIAL_STRIDE, width // SPATIAL_STRIDE)
        return Inputs(
            video[: OVERLAP + SeamReport.REACH],
            video[SeamReport.REACH :],
            wrong,
            torch.full((4 * LATENTS, 1, height, width), 0.8, device=places.frames),
            torch.full(cells, 0.6, device=places.host),
            torch.linspace(1, 0, STEPS + 1, device=places.host),
            on(places.host),
            Scene(GuideSettings(), size).continued(places),
        )

    return put


def predict(inputs: Inputs) -> tuple[Tensor, ...]:
    found, _ = inputs.motion.run(
        lambda estimator, known: predict_chunk(known, LATENTS, 0.5, estimator), inputs.before[-OVERLAP:]
    )
    return found.frames, found.confidence


def map_confidence(inputs: Inputs) -> tuple[Tensor, ...]:
    return (end_percent_map(inputs.confidence, 0.3, 0.35),)


def mask(inputs: Inputs) -> tuple[Tensor, ...]:
    step = step_index(inputs.levels[STEPS // 4].view(1), inputs.levels)
    return (step_mask(torch.ones_like(inputs.end_percent), held_steps(inputs.end_percent, STEPS), step),)


def join(inputs: Inputs) -> tuple[Tensor, ...]:
    found = join_chunk(inputs.before, inputs.wrong, OVERLAP, motion=inputs.motion)
    return found.tail, found.added


def measure(inputs: Inputs) -> tuple[Tensor, ...]:
    clip = torch.cat((inputs.before, inputs.right[OVERLAP:]))
    found, _ = measure_join(clip, len(inputs.before), 2, inputs.motion)
    assert found is not None  # there are frames enough
    return (torch.tensor([found.motion_jump, found.warp_error, found.color_step, found.position_jump]),)


def color(inputs: Inputs) -> tuple[Tensor, ...]:
    old, new = inputs.before[-LAST:], inputs.wrong[OVERLAP - LAST : OVERLAP]
    matched = fit_color(new, old)(inputs.wrong)
    return (anchor_color(matched[OVERLAP:], inputs.before[:1], 0.3, 4),)


def add(inputs: Inputs) -> tuple[Tensor, ...]:
    return (add_chunk(inputs.begun).pieces[-1],)


STAGES = {
    "predict two latents": predict,
    "map of end_percent": map_confidence,
    "mask of one step": mask,
    "match and anchor color": color,
    "measure the seam": measure,
    "join at level overlap": join,
    "all of a chunk, level motion": add,
}
