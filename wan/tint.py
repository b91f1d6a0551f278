"""Colors that move the same way in chunk after chunk: what a model that tints does, and what no seam shows."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

from .records import ChunkRecord, Color

FRAMES = 4
"""The last frames of a chunk that are looked at."""
FEWEST, FARTHEST = 4, 4.0
"""Chunks behind a scene's first, and CIE76 units from the first to the last, from which on it is said: a shift of 2.3
is just seen side by side."""
STEADY = 0.25
"""Share of the mean step that every step goes in the direction of the whole."""


@torch.no_grad()
def mean_color(frames: Tensor) -> Color:
    """LAB of the mean color of a chunk's last frames, ``(T, 3, H, W)`` in [0, 1]."""
    from kornia.color import rgb_to_lab

    rgb = frames[-FRAMES:].float().mean(dim=(0, 2, 3)).clamp(0, 1).cpu()
    lightness, a, b = rgb_to_lab(rgb.view(3, 1, 1)).flatten().tolist()
    return lightness, a, b


def measure_drift(records: Iterable[ChunkRecord]) -> float:
    """How far the colors of the last scene have moved in all, in CIE76 units, if the same way in every chunk; else 0.

    A scene that turns dark or a slow pan does so too: who looks at it tells that from a tint.
    """
    colors = _last_scene(records)
    if len(colors) <= FEWEST:
        return 0.0
    steps = torch.tensor(colors).diff(dim=0)
    whole = steps.sum(dim=0)
    length = whole.norm()
    if length < FARTHEST or (steps @ (whole / length)).min() < STEADY * length / len(steps):
        return 0.0
    return length.item()


def _last_scene(records: Iterable[ChunkRecord]) -> list[Color]:
    """The colors of the chunks since the last cut, as far back as they are known."""
    colors: list[Color] = []
    for record in records:
        if record.cut or record.color is None:
            colors.clear()
        if record.color is not None:
            colors.append(record.color)
    return colors


def tint_warnings(records: Iterable[ChunkRecord], anchor: float) -> tuple[str, ...]:
    """What to do about colors that move, where they do.

    Args:
        anchor: ``color_anchor`` of the settings.
    """
    drift = measure_drift(records)
    if not drift:
        return ()
    knob = "raise color_anchor" if anchor else "try color_anchor 0.2"
    return (
        f"colors moved the same way in every chunk, by {drift:.1f} in all (CIE76; 2.3 is just seen). If the scene "
        f"itself does not change so, the model tints what it makes: {knob} (Settings)",
    )
