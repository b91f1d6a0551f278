"""Values for the widgets of a graph: what is small enough to run here, what is at a limit, what is outside."""

from __future__ import annotations

import re
from random import Random
from typing import Any

from .catalog import RUN_NAME, Input, Kind, value_of

SMALL: dict[str, tuple] = {
    "width": (32, 32, 32, 48),
    "height": (32, 32, 32, 16, 0),
    "length": (13, 21, 21, 29),
    "length_unit": ("frames",),
    "fps": (16.0, 16.0, 24.0, 12.5),
    "frame_rate": (16.0, 24.0),
    "steps": (1, 2, 2, 3),
    "cfg": (1.0, 1.0, 2.0, 4.0),
    "cfg_conds": (1.0, 2.0, 4.0),
    "feature_continuity": (0.0,),
    "noise": ("per_chunk", "per_chunk", "fixed", "absolute", "list"),
    "frames": (1, 1, 5, 8),
    "value": (1, 2, 13),
    "latents": (1, 2, 2, 3),
    "batch_size": (1, 1, 2),
    "amount": (1, 2, 3),
    "start": (1.0, 1.0, 2.0),
    "transition": (0.0, 0.0, 1.0),
    "overlap_frames": (5, 5, 4, 1, 8),
    "seam_retries": (0, 0, 0, 1),
    "switch_step": (0, 1),
    "component": (0, 0, 1, 2),
    "scale_by": (0.5, 1.0, 1.5),
    "s_noise": (1.0, 0.9),
    "denoise": (1.0, 1.0, 1.0, 0.5),
    "shift": (3.0, 5.0, 8.0),
    "context_length": (9, 17, 33),
    "context_overlap": (4, 8),
    "motion_weight": (-1.0, -1.0, 0.3, 0.7, 1.0),
    "mask_sigma": (-1.0, 0.1, 0.35, 1.0),
    "step_gain": (1.0, 1.0, 0.0, 0.5),
    "blend_strength": (-1.0, 0.0, 0.8, 1.0),
    "vae_name": (*["wan_2.1_vae_tiny.safetensors"] * 19, "pixel_space"),
    "megapixels": (0.01, 0.01),
    "vary_from": (0, 0, 0, 2),
    "variation": (1, 1, 2),
}
"""By the name of the input, so that a graph takes seconds; a value that a kind does not allow is never taken."""
VIDEO = {"chunk_frames": (13, 13, 13, 17), "length": SMALL["length"], "overlap_frames": SMALL["overlap_frames"]}
STACK = {"chunk_frames": (0, 0, 0, 9)}
"""Of prompt stacks, where 0 leaves it to the plan."""
SENTENCES = (
    "an orange square moves left slow",
    "a red ball moves right fast",
    "1: a red ball moves left\n2: a blue ball moves up",
    "",
)
TEXTS: dict[str, tuple[str, ...]] = {
    "seed_list": ("7, 42", "3"),
    "seams": ("17", "17, 25", "9"),
    "filename_prefix": ("fuzz/other",),
    "color": ("#102030",),
    "sigmas": ("1.0, 0.7, 0.3, 0.0",),
    "floats_strength": ("1.0, 0.5",),
}
BAD_TEXTS: dict[str, tuple[str, ...]] = {
    "run_name": ("../x", "/etc/x", "CON", "", "a/b", ".", "x\u202ey", "a" * 300),
    "seed_list": ("seven", "-1", "7,,42", "1e99", "18446744073709551616"),
    "seams": ("x", "-1", "0", "999", "17, 17"),
    "prompt": ("0: a\nb", "-1: a", "2s over: b", "0: a\n0: b"),
}
SIZES = re.compile("width|height|length|size|resolution|width|duration|radius|crop|left|right|top|bottom|edge")
LARGEST = 96
"""Of numbers whose name says that they are counted in pixels or frames."""
OUTSIDE = 1e30


def ordinary(kind: Kind, declared: Input, dice: Random, run_name: str) -> Any:
    """A value that ought to run, in a second or two."""
    if declared.name == RUN_NAME:
        return run_name
    if declared.types[0] == "STRING":
        return dice.choice(TEXTS.get(declared.name, SENTENCES))
    if declared.types[0] == "BOOLEAN":
        return value_of(declared) if dice.random() < 0.6 else dice.random() < 0.5
    fit = [value for value in _small(kind).get(declared.name, ()) if _allowed(declared, value)]
    if fit:
        return dice.choice(fit)
    if declared.choices is not None:
        return value_of(declared) if dice.random() < 0.4 else dice.choice(declared.choices or ("",))
    if dice.random() < 0.5 and _is_small(declared, value_of(declared)):
        return value_of(declared)
    return _number(declared, dice)


def settle(inputs: dict, dice: Random) -> None:
    """Values of one node that go together, most of the time."""
    if dice.random() < 0.05:
        return
    if "seed_list" in inputs:
        inputs["seed_list"] = dice.choice(TEXTS["seed_list"]) if inputs.get("noise") == "list" else ""
    if "length_unit" in inputs and dice.random() < 0.1 and isinstance(inputs["length"], int):
        inputs |= {"length_unit": "seconds", "length": inputs["length"] / 16}


def outside(declared: Input, dice: Random) -> Any:
    """A value that no one ought to type in: beyond a limit, off the step, or of another type."""
    if declared.types[0] == "STRING" or declared.name == RUN_NAME:
        return dice.choice(BAD_TEXTS.get(declared.name, ("0: a\nb", "\x00", "//")))
    if declared.choices is not None:
        return dice.choice(("no such choice", ""))
    if declared.types[0] == "BOOLEAN":
        return dice.choice(("yes", 2))
    low, high = declared.options.get("min", 0), declared.options.get("max", 1)
    step = declared.options.get("step", 1)
    near = [low, low + step / 2, low - step, -1, 0]  # never the upper limit: it may be allowed, and take hours
    far = [high + step, OUTSIDE, -OUTSIDE, "1e3", "x"]
    found = dice.choice([*near, *far])
    whole = declared.types[0] == "INT" and isinstance(found, float)
    return int(found) if whole else found


def _small(kind: Kind) -> dict[str, tuple]:
    if not kind.ours:
        return SMALL
    return SMALL | (STACK if "Stack" in kind.name else VIDEO)


def _allowed(declared: Input, value: Any) -> bool:
    if declared.choices is not None:
        return value in declared.choices
    if isinstance(value, str):
        return False
    low, high = declared.options.get("min", value), declared.options.get("max", value)
    step = declared.options.get("step", 1)
    return low <= value <= high and (declared.types[0] != "INT" or not (value - low) % step)


def _is_small(declared: Input, value: Any) -> bool:
    return not SIZES.search(declared.name) or value <= LARGEST


def _number(declared: Input, dice: Random) -> int | float:
    """A number within the limits, most often near the one that is there first."""
    low, high = float(declared.options.get("min", 0)), float(declared.options.get("max", 10))
    first = float(value_of(declared))
    step = declared.options.get("step") or (1 if declared.types[0] == "INT" else 0.01)
    reach = max(abs(first), 10 * step)
    if dice.random() < 0.7:
        low, high = max(low, first - reach), min(high, first + reach)
    if SIZES.search(declared.name):
        high = min(high, max(low, LARGEST))
    high = max(low, min(high, low + 1e6))
    steps = int((high - low) / step)
    value = low + step * dice.randint(0, max(steps, 0))
    return int(value) if declared.types[0] == "INT" else round(value, 6)
