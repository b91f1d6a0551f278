"""A picture of a video's seams: how far each frame stands out, how frames differ, and where colors go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from einops import rearrange
from torch import Tensor

from .seam import BOUNDS, GRADES
from .survey import VideoReport

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw

WIDTH, HEIGHT, MARGIN = 960, 640, 56
"""Pixels of the picture, and at the left of its three plots."""
TITLE = 28
"""Pixels above each of them."""
HIGHEST = 4.0
"""Score that the plot ends at; what is above lies on its edge, so that the bounds can be told apart below a cut."""
INK, GRID, CURVE, DRIFT = "#202020", "#d8d8d8", "#1f5fbf", "#b26a00"
COLORS = dict(zip(GRADES, ("#2a9d5c", "#e08a00", "#c62828"), strict=True))
"""Of each grade: of seams, and of the line above which it begins."""


@dataclass(frozen=True)
class _Axes:
    """Where a plot's frames and values lie in the picture."""

    draw: ImageDraw
    frames: int
    top: float
    bottom: float
    highest: float

    def across(self, frame: float) -> float:
        return MARGIN + (WIDTH - 2 * MARGIN) * frame / max(1, self.frames - 1)

    def up(self, value: float) -> float:
        return self.bottom - value / self.highest * (self.bottom - self.top)

    def line(self, value: float, ink: str) -> None:
        """A value all along."""
        self.draw.line((MARGIN, self.up(value), self.across(self.frames - 1), self.up(value)), fill=ink)


def plot_seams(report: VideoReport) -> Tensor:
    """Scores, frame difference and color drift over time; seams marked by what they look like, each by its frame.

    Lines cross the scores where a seam begins to be visible, and to be obvious.

    Returns:
        ``(1, 3, 640, 960)`` RGB in [0, 1].
    """
    from PIL import Image, ImageDraw

    picture = Image.new("RGB", (WIDTH, HEIGHT), "white")
    draw = ImageDraw.Draw(picture)
    rows = (
        ("score: how far each frame stands out from real, uncut video", report.scores.clamp(max=HIGHEST), 1, CURVE),
        ("difference of neighboring frames, 8-bit levels", report.series.difference, 1, CURVE),
        ("color drift from the first frame, CIE76", report.drift, 0, DRIFT),
    )
    for row, (title, values, first, ink) in enumerate(rows):
        top, bottom = row * HEIGHT / len(rows) + TITLE, (row + 1) * HEIGHT / len(rows) - TITLE / 2
        draw.text((MARGIN, top - TITLE / 2 - 6), title, fill=INK)
        bounds = BOUNDS if row == 0 else ()
        axes = _Axes(draw, len(report.drift), top, bottom, max(1.05 * values.max().item(), *bounds, 1e-3))
        for share in (0.0, 0.5, 1.0):
            axes.line(share * axes.highest, GRID)
            draw.text((6, axes.up(share * axes.highest) - 6), f"{share * axes.highest:.2f}", fill=INK)
        for bound, words in zip(bounds, GRADES[1:], strict=False):
            axes.line(bound, COLORS[words])
            draw.text((axes.across(axes.frames - 1) + 4, axes.up(bound) - 6), words, fill=COLORS[words])
        for seam, each in zip(report.seams, report.reports, strict=True):
            color = COLORS[each.grade]
            draw.line((axes.across(seam), top, axes.across(seam), bottom), fill=color, width=2)
            draw.text((axes.across(seam) + 3, top), str(seam), fill=color)
        points = [(axes.across(first + index), axes.up(value)) for index, value in enumerate(values.tolist())]
        draw.line(points, fill=ink, width=2)
    return rearrange(torch.from_numpy(np.array(picture)), "h w c -> 1 c h w").float() / 255
