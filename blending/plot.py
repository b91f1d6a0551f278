"""A picture of a video's seams: how frames differ, and where colors go."""

from __future__ import annotations

import numpy as np
import torch
from einops import rearrange
from torch import Tensor

from .survey import VideoReport

WIDTH, HEIGHT, MARGIN = 960, 480, 56
"""Pixels of the picture, and around each of its two plots."""
INK, GRID, SEAM, WRONG, CURVE, DRIFT = "#202020", "#d8d8d8", "#2a9d5c", "#c62828", "#1f5fbf", "#b26a00"


def plot_seams(report: VideoReport) -> Tensor:
    """Frame difference and color drift over time, seams marked: green, or red where they stand out.

    Returns:
        ``(1, 3, 480, 960)`` RGB in [0, 1].
    """
    from PIL import Image, ImageDraw

    picture = Image.new("RGB", (WIDTH, HEIGHT), "white")
    draw = ImageDraw.Draw(picture)
    middle = HEIGHT // 2
    curves = (
        ("difference of neighboring frames, 8-bit levels", report.series.difference, 1, 24, middle - 28, CURVE),
        ("color drift from the first frame, CIE76", report.drift, 0, middle + 24, HEIGHT - 28, DRIFT),
    )
    count = len(report.drift)
    for title, values, first, top, bottom, ink in curves:
        highest = max(values.max().item(), 1e-3) * 1.05

        def across(frame: float) -> float:
            return MARGIN + (WIDTH - 1.5 * MARGIN) * frame / max(1, count - 1)

        draw.text((MARGIN, top - 18), title, fill=INK)
        for share in (0.0, 0.5, 1.0):
            y = bottom - share * (bottom - top)
            draw.line((MARGIN, y, across(count - 1), y), fill=GRID)
            draw.text((6, y - 6), f"{share * highest:.2f}", fill=INK)
        for seam in report.seams:
            wrong = seam in report.flagged
            draw.line((across(seam), top, across(seam), bottom), fill=WRONG if wrong else SEAM, width=2)
            draw.text((across(seam) + 3, top), str(seam), fill=WRONG if wrong else SEAM)
        points = [
            (across(first + index), bottom - value / highest * (bottom - top))
            for index, value in enumerate(values.tolist())
        ]
        draw.line(points, fill=ink, width=2)
    return rearrange(torch.from_numpy(np.array(picture)), "h w c -> 1 c h w").float() / 255
