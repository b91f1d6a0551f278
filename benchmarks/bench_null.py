"""How much frame pairs of real, uncut clips stand out from their neighbours: the table that a seam is judged by.

Prints ``blending/null.py``'s table. Every pair of every shot is judged as if it were a seam; shots of a clip count
alike, however long they are.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from ..blending.null import NULL
from ..blending.seam import SeamReport, judge
from ..blending.series import measure_pairs
from .clips import load_shots

ROOT = Path(__file__).resolve().parents[2]
LEVELS = (0.5, 0.95, 0.99)
SEAMS = 4
"""Of a video of which the median is given."""


@torch.inference_mode()
def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="dev.py bench null", description=__doc__)
    parser.add_argument("--data", type=Path, default=ROOT / "shared" / "data")
    options = parser.parse_args(arguments)
    reports: list[SeamReport] = []
    for shot in load_shots(options.data, at_least=2 * SeamReport.REACH + 2):
        series = measure_pairs(shot.frames)
        inside = range(SeamReport.REACH, len(series) - SeamReport.REACH)
        reports += [judge(series, pair) for pair in inside]
        print(f"{shot.clip}: {len(inside)} positions", flush=True)
    print("\nNULL: dict[str, tuple[float, float, float]] = {")
    for name in NULL:
        values = torch.tensor([getattr(report, name) for report in reports])
        found = values.quantile(torch.tensor(LEVELS)).tolist()
        print(f'    "{name}": ({", ".join(f"{value:.2f}" for value in found)}),')
    print("}")
    flagged = sum(bool(report.flags) for report in reports)
    print(f"\n{flagged} of {len(reports)} positions are flagged by the table in use")
    return 0
