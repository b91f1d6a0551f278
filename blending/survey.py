"""A finished video, judged at its seams and elsewhere."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ..motion import FlowEstimator
from ..motion.watch import Watch, each, ignore, part
from .replay import SIDE, content_change, is_cut, replayed_frames
from .seam import NAMES, SeamReport, judge
from .series import PairSeries, measure_pairs, shrink

FOUND = 1.5
"""How often the last percentile of real video a figure is where a frame pair is taken for a seam that nobody named."""
APART = 4
"""Frames between two seams that are found."""
EARLIEST = 2
"""The first frame that a seam is found before: one frame alone is no clip that could go on in another."""
LOOK = 2 * SeamReport.REACH
"""Frames on either side that are searched for replays."""


@dataclass(frozen=True)
class VideoReport:
    """The seams of a video, and what is usual in it."""

    seams: tuple[int, ...]
    """Index of the first frame after each seam."""
    reports: tuple[SeamReport, ...]
    """Of each seam."""
    usual: SeamReport | None
    """Medians of all other frame pairs; None if there are none."""
    series: PairSeries
    """Of all frame pairs."""
    scores: Tensor
    """``(T - 1,)``: of each frame pair by its own figures, repeated frames aside."""
    drift: Tensor
    """``(T,)``: distance of each frame's mean color from the first frame's, CIE76."""

    @property
    def flagged(self) -> tuple[int, ...]:
        """Seams that stand out."""
        return tuple(seam for seam, report in zip(self.seams, self.reports, strict=True) if report.flags)

    def median(self) -> SeamReport | None:
        """Medians over the seams: one seam alone may be a false alarm."""
        return _median(self.reports)

    def as_json(self) -> str:
        """All figures."""
        median = self.median()
        found = {
            "seams": [
                {"frame": seam} | report.as_dict() for seam, report in zip(self.seams, self.reports, strict=True)
            ],
            "median": None if median is None else median.as_dict(),
            "usual": None if self.usual is None else self.usual.as_dict(),
            "scores": [round(value, 3) for value in self.scores.tolist()],
            "drift": [round(value, 3) for value in self.drift.tolist()],
        }
        return json.dumps(found, indent=1)

    def __str__(self) -> str:
        count, median = len(self.drift), self.median()
        lines = [f"{count} frames, {len(self.seams)} seam{'s' * (len(self.seams) != 1)}"]
        lines += [f"frame {seam}: {report}" for seam, report in zip(self.seams, self.reports, strict=True)]
        if median is not None:
            lines.append(f"median of the seams: {_figures(median)}")
        if self.usual is not None:
            lines.append(f"median elsewhere:    {_figures(self.usual)}")
        lines.append(f"color drift, last frame from first: {self.drift[-1].item():.2f} (CIE76)")
        return "\n".join(lines)


@torch.no_grad()
def survey_video(
    frames: Tensor,
    seams: tuple[int, ...] | None = None,
    *,
    estimator: str | FlowEstimator = "auto",
    device: torch.device | None = None,
    watch: Watch = ignore,
) -> VideoReport:
    """Measure a video at its seams, or where it looks as if it had some.

    Args:
        frames: ``(T, 3 or 4, H, W)`` RGB in [0, 1], three frames or more.
        seams: index of the first frame after each seam; None looks for them.
        estimator: of flow; see :func:`~motion.estimate_flow`.
        device: where to estimate it, a few frames at a time; by default where they are.
        watch: told how far it is, at least every second or so on two cores.

    Raises:
        ValueError: if a seam is not inside the video, or there are fewer than three frames.
    """
    if len(frames) < 3:
        raise ValueError(f"frames: a video to measure has three frames or more, got {len(frames)}.")
    for seam in seams or ():
        if not 1 <= seam < len(frames):
            raise ValueError(f"seams: of {len(frames)} frames a seam lies at 1 to {len(frames) - 1}, got {seam}.")
    series = measure_pairs(frames, estimator=estimator, device=device, watch=part(watch, 0, 0.95))
    # Once for cuts, replays and drift.
    small = torch.cat([shrink(frame, SIDE) for frame in each(frames.split(1), part(watch, 0.95, 0.97))])
    change = content_change(small)
    pairs = each(range(len(series)), part(watch, 0.97, 0.98))
    every = [judge(series, pair, changed=is_cut(change, pair)) for pair in pairs]
    places = tuple(sorted(set(seams))) if seams is not None else _find(every, small, part(watch, 0.98, 1))
    reports = tuple(
        judge(series, seam - 1, replayed=_replayed(small, seam), changed=is_cut(change, seam - 1)) for seam in places
    )
    others = [report for pair, report in enumerate(every) if all(abs(pair + 1 - seam) > 1 for seam in places)]
    scores = torch.tensor([report.score for report in every])
    return VideoReport(places, reports, _median(others), series, scores, color_drift(small))


def color_drift(frames: Tensor) -> Tensor:
    """``(T,)``: distance of each frame's mean LAB color from the first frame's."""
    from kornia.color import rgb_to_lab

    mean = rgb_to_lab(shrink(frames, SIDE)).mean(dim=(2, 3))
    return (mean - mean[:1]).norm(dim=1)


def _find(every: list[SeamReport], frames: Tensor, watch: Watch) -> tuple[int, ...]:
    """Frame pairs that stand out, the worst of each neighborhood, and frames that are replayed."""
    found: list[int] = []
    for pair in sorted(range(len(every)), key=lambda pair: -every[pair].score):
        if every[pair].score < FOUND:
            break
        if all(abs(pair + 1 - seam) > APART for seam in found):
            found.append(pair + 1)
    for seam in each(range(1, len(frames)), watch):
        if all(abs(seam - other) > APART for other in found) and _replayed(frames, seam):
            found.append(seam)
    return tuple(sorted(seam for seam in found if seam >= EARLIEST))


def _replayed(frames: Tensor, seam: int) -> int:
    first = max(0, seam - LOOK)
    return replayed_frames(frames[first : seam + LOOK], seam - first)


def _median(reports) -> SeamReport | None:
    if not reports:
        return None
    medians = {name: torch.tensor([getattr(report, name) for report in reports]).median().item() for name in NAMES}
    return replace(reports[0], **medians, replayed=0, cut=False)  # which have no median


def _figures(report: SeamReport) -> str:
    return ", ".join(f"{words} {getattr(report, name):.2f}" for name, words in NAMES.items())
