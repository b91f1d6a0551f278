"""How much frame pairs of real, uncut clips stand out from their neighbors: the table that a seam is judged by.

Prints ``blending/null.py``'s table. Every pair of every shot that has its neighbors is judged as if it were a seam;
shots of a clip count alike, however long they are. Then the share of places that have a flag, by percentile: in the
clips that the table is made of, and in each clip by a table of the others alone. And how much speed differs for good
between the two sides of a place, which a seam would have to exceed to be told from it.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from torch import Tensor

from ..blending.null import LEVELS, NULL
from ..blending.replay import SIDE, content_change, is_cut, replayed_frames
from ..blending.seam import BOUNDS, SeamReport, judge
from ..blending.series import PairSeries, measure_pairs, shrink
from .clips import load_shots

ROOT = Path(__file__).resolve().parents[2]
SIDE_PAIRS, TWICE = 4, 2.0
"""Pairs on either side of a place whose mean speeds are compared, and a ratio of them that is a lot."""
TRIED = (0.99, 0.992, 0.993, 0.994, 0.995, 0.996, 0.997, 0.998)


@torch.inference_mode()
def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="dev.py bench null", description=__doc__)
    parser.add_argument("--data", type=Path, default=ROOT / "shared" / "data")
    options = parser.parse_args(arguments)
    found: list[tuple[str, SeamReport]] = []
    ratios: list[float] = []
    for shot in load_shots(options.data, at_least=2 * SeamReport.REACH + 2):
        series = measure_pairs(shot.frames)
        reports = judge_series(shot.frames, series)
        ratios += speed_ratios(series)
        found += [(shot.clip, report) for report in reports]
        print(f"{shot.clip}: {len(reports)} positions", flush=True)
    print(f"\nLEVELS = {LEVELS}\nNULL: dict[str, tuple[float, float, float]] = {{")
    for name, values in quantiles([report for _, report in found]).items():
        print(f'    "{name}": ({", ".join(f"{value:.2f}" for value in values)}),')
    print("}\n\nplaces with a figure beyond its percentile, of", len(found))
    print(f"{'percentile':>12}{'all figures':>14}{'by other clips':>16}{'without new':>14}{'by other clips':>16}")
    old = [name for name in NULL if name not in ("position_jump", "speed_change")]
    for level in TRIED:
        counts = [count for names in (list(NULL), old) for count in alarms(found, names, level)]
        print(f"{100 * level:12.1f}{counts[0]:14}{counts[1]:16}{counts[2]:14}{counts[3]:16}")
    high = torch.tensor(ratios)
    print(
        f"\nmean speed of {SIDE_PAIRS} pairs before and behind: beyond x{TWICE:g} at "
        f"{100 * (high > TWICE).float().mean():.0f} % of the places, "
        f"x{high.quantile(LEVELS[2]):.1f} at the {100 * LEVELS[2]:g}th percentile"
    )
    flagged = sum(bool(report.flags) for _, report in found)
    print(f"\n{flagged} of {len(found)} positions are flagged by the table in use, replays and cuts included")
    scores = [report.score for _, report in found]
    above = ", ".join(f"{sum(score > bound for score in scores)} above {bound:g}" for bound in BOUNDS)
    print(f"scores: {above}, the greatest {max(scores):.2f}")
    return 0


def judge_all(frames: Tensor) -> list[SeamReport]:
    """Reports of all frame pairs ``(T, 3, H, W)`` that have ``SeamReport.REACH`` pairs on either side."""
    return judge_series(frames, measure_pairs(frames))


def judge_series(frames: Tensor, series: PairSeries) -> list[SeamReport]:
    """:func:`judge_all`, of pairs that are measured already."""
    tiny = shrink(frames, SIDE)
    changed, reports = content_change(tiny), []
    for pair in range(SeamReport.REACH, len(series) - SeamReport.REACH):
        first = max(0, pair + 1 - 2 * SeamReport.REACH)
        replayed = replayed_frames(tiny[first : pair + 1 + 2 * SeamReport.REACH], pair + 1 - first)
        reports.append(judge(series, pair, replayed=replayed, changed=is_cut(changed, pair)))
    return reports


def speed_ratios(series: PairSeries) -> list[float]:
    """Of the places that are judged, how many times the mean speed of one side is that of the other; 1 or more.

    The speed of a pair is that which three quarters of the picture's blocks stay below.
    """
    speed, reach = series.velocity.norm(dim=1).flatten(1).quantile(0.75, dim=1), SeamReport.REACH
    pairs = range(reach, len(series) - reach)
    sides = [(speed[pair - SIDE_PAIRS : pair].mean(), speed[pair + 1 : pair + 1 + SIDE_PAIRS].mean()) for pair in pairs]
    return [(max(side) / min(side)).item() for side in sides]


def quantiles(reports: list[SeamReport], levels: tuple[float, ...] = LEVELS) -> dict[str, tuple[float, ...]]:
    """Of each figure."""
    return {
        name: tuple(torch.tensor([getattr(report, name) for report in reports]).quantile(torch.tensor(levels)).tolist())
        for name in NULL
    }


def alarms(found: list[tuple[str, SeamReport]], names: list[str], level: float) -> tuple[int, int]:
    """Places with a figure beyond its percentile: of all clips' figures, and of the other clips' alone."""
    counts = []
    for apart in (False, True):
        count = 0
        for own in sorted({clip for clip, _ in found}):
            table = quantiles([report for clip, report in found if not apart or clip != own], (level,))
            mine = [report for clip, report in found if clip == own]
            count += sum(any(getattr(report, name) > table[name][0] for name in names) for report in mine)
        counts.append(count)
    return counts[0], counts[1]
