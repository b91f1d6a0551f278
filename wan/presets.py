"""Settings by how fast things move: three presets, and numbers between them for a measured speed."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

import torch
from torch import Tensor

from ..motion import FlowEstimator, estimate_flow
from ..motion.rank import nearest_rank
from ..motion.warp import vector_length

FRAMES = 9
"""Frames at the video's end that tell its speed."""
LINES = 480
"""Height, or width where that is smaller, of the picture whose pixels speeds are counted in."""
FASTER_THAN = 0.9
"""Share of the picture that is slower than what is called its speed: the subject counts, not what stands behind it."""
SLOW_SPEED, STANDARD_SPEED, FAST_SPEED = 0.5, 2.0, 8.0
"""Pixels per frame at which each preset is right; in between, by the logarithm."""


@dataclass(frozen=True)
class Preset:
    """The numbers that depend on how fast things move."""

    overlap_frames: int
    blend_strength: float
    motion_weight: float
    mask_sigma: float


STANDARD = Preset(16, 0.8, 0.3, 0.35)
FAST = Preset(24, 0.6, 0.4, 0.25)
SLOW = Preset(8, 0.9, 0.2, 0.5)
PRESETS = {"Standard": STANDARD, "Fast motion": FAST, "Slow or static": SLOW}
AUTO = "Auto"
KNOBS = tuple(field.name for field in fields(Preset))


def by_preset(knob: str) -> str:
    """What each preset says for a number, in words."""
    return ", ".join(f"{name} {getattr(preset, knob):g}" for name, preset in PRESETS.items())


def describe_preset(name: str) -> str:
    """Every number of a preset in words."""
    return f"{name}: {', '.join(f'{knob} {getattr(PRESETS[name], knob):g}' for knob in KNOBS)}"


def explain_presets() -> tuple[str, ...]:
    """What each preset is for and all its numbers, one after the other."""
    speeds = {STANDARD: STANDARD_SPEED, FAST: FAST_SPEED, SLOW: SLOW_SPEED}
    words = [
        f"{describe_preset(name)}; for what moves by about {speeds[preset]:g} px/frame"
        for name, preset in PRESETS.items()
    ]
    return (*words, f"{AUTO}: between these for each chunk, by the speed of what was made last, at {LINES} lines")


def describe_presets() -> str:
    """All presets in a few lines; the words stand before the numbers of the first alone."""
    first, *others = PRESETS
    sentences = [f"{describe_preset(first)}."]
    sentences += [f"{name}: {', '.join(f'{getattr(PRESETS[name], knob):g}' for knob in KNOBS)}." for name in others]
    speeds = f"{SLOW_SPEED:g}, {STANDARD_SPEED:g} and {FAST_SPEED:g} px/frame at {LINES} lines"
    return f"{' '.join(sentences)} {AUTO}: between these for each chunk, by the speed of what was made last ({speeds})."


@torch.no_grad()
def measure_speed(frames: Tensor, estimator: str | FlowEstimator = "auto") -> float:
    """How fast a clip's subject moves.

    Args:
        frames: ``(2 or more, 3, H, W)`` in [0, 1]; the last nine are looked at.

    Returns:
        Pixels per frame of a picture of 480 lines: the median over frames of the speed that nine tenths of the picture
        stay below.
    """
    flow = estimate_flow(frames[-FRAMES:], estimator=estimator)
    speed = vector_length(flow.displacement).flatten(1).float()
    usual = nearest_rank(speed, FASTER_THAN).median()
    return usual.item() * LINES / min(frames.shape[-2:])


def preset_at(speed: float) -> Preset:
    """The numbers for a speed, between those of the presets next to it; :func:`measure_speed` says in what unit."""
    place = math.log(max(speed, 1e-6))
    slow, standard, fast = (math.log(value) for value in (SLOW_SPEED, STANDARD_SPEED, FAST_SPEED))
    below, above, share = SLOW, STANDARD, (place - slow) / (standard - slow)
    if place > standard:
        below, above, share = STANDARD, FAST, (place - standard) / (fast - standard)
    share = min(1.0, max(0.0, share))
    mixed = {name: (1 - share) * getattr(below, name) + share * getattr(above, name) for name in KNOBS}
    return Preset(**mixed | {"overlap_frames": round(mixed["overlap_frames"])})


def lora_factor(speed: float, at_rest: float, in_motion: float) -> float:
    """How strong LoRAs are at a speed: ``at_rest`` at none, ``in_motion`` at :data:`FAST_SPEED` and above.

    Linear between, in steps of 0.05, since weights are patched again for each strength.
    """
    share = min(1.0, speed / FAST_SPEED)
    return round(((1 - share) * at_rest + share * in_motion) / 0.05) * 0.05
