"""What the seam panel sees: defects put into real clips on purpose, and how often it cries wolf where there are none.

Several places of one clip are several places here. A place counts as found if the report has a flag: by the table in
use, and by a table made of the other clips alone. The second is what to expect of a video that nobody calibrated on.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from collections import Counter
from pathlib import Path

import torch
from torch import Tensor

from ..blending import SeamReport, measure_seam
from ..blending.null import LEVELS, NULL
from ..motion.lucas_kanade import estimate_lucas_kanade
from .bench_null import judge_all, quantiles
from .clips import Shot, load_shots
from .defects import DEFECTS, grain, small

ROOT = Path(__file__).resolve().parents[2]
SEED = 9_700_000
FIRST, APART = 12, 16
"""Frames before the first place of a shot, and between two."""
KINDS = {"as it is": lambda clip, _: clip, "64 pixels": lambda clip, _: small(clip), "grain": grain}


@torch.inference_mode()
def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="dev.py bench panel", description=__doc__)
    parser.add_argument("--data", type=Path, default=ROOT / "shared" / "data")
    parser.add_argument("--defects", nargs="+", choices=DEFECTS, default=list(DEFECTS))
    parser.add_argument("--clips", choices=KINDS, default="as it is", help="as they are, shrunk, or with noise")
    options = parser.parse_args(arguments)
    generator = torch.Generator().manual_seed(SEED)
    shots = [
        Shot(shot.clip, KINDS[options.clips](shot.frames, generator))
        for shot in load_shots(options.data, at_least=2 * FIRST)
    ]
    names = list(dict.fromkeys(shot.clip for shot in shots))
    places = [(shot, place) for shot in shots for place in range(FIRST, len(shot.frames) - FIRST + 1, APART)]
    print(f"{len(shots)} shots of {len(names)} clips, {len(places)} places; clips {options.clips}")
    untouched = [(shot.clip, report) for shot in shots for report in judge_all(shot.frames)]
    tables = {name: quantiles([report for clip, report in untouched if clip != name]) for name in names}
    print_untouched(untouched, tables)
    found: dict[str, list[tuple[str, SeamReport]]] = {defect: [] for defect in options.defects}
    for number, (shot, place) in enumerate(places):
        memory = Memory()
        for defect in options.defects:
            generator.manual_seed(SEED + number)
            spoiled = DEFECTS[defect](shot.frames, place, generator)
            if spoiled is not None:
                found[defect].append((shot.clip, measure_seam(*spoiled, estimator=memory)))
        print(f"{number + 1}/{len(places)} {shot.clip} {place}", file=sys.stderr, flush=True)
    print(f"{'':>22}{'found':>9}{'by others':>11}" + "".join(f"{name[:9]:>11}" for name in names) + "  by")
    for defect, reports in found.items():
        print_row(defect, reports, tables)
    return 0


def print_row(defect: str, reports: list[tuple[str, SeamReport]], tables: dict[str, dict]) -> None:
    """Places at which a defect is found, in all and per clip, and the figures that found it most often."""
    hits = [(clip, bool(report.flags)) for clip, report in reports]
    strict = sum(is_found(report, tables[clip]) for clip, report in reports)
    by = Counter("replayed" if "replayed" in flag else flag for _, report in reports for flag in report.flags)
    row = [
        f"{sum(hit for clip, hit in hits if clip == name)}/{sum(clip == name for clip, _ in hits)}" for name in tables
    ]
    seen = ", ".join(f"{flag} {count}" for flag, count in by.most_common(4))
    total = f"{sum(hit for _, hit in hits)}/{len(hits)}"
    print(f"{defect:>22}{total:>9}{strict:>11}" + "".join(f"{cell:>11}" for cell in row) + f"  {seen}", flush=True)


def is_found(report: SeamReport, table: dict[str, tuple[float, ...]]) -> bool:
    """Whether a report has a flag by another table than the one in use."""
    return report.cut or report.replayed > 0 or any(getattr(report, name) > table[name][2] for name in NULL)


def print_untouched(untouched: list[tuple[str, SeamReport]], tables: dict[str, dict]) -> None:
    """False alarms at all places that have their neighbors, per clip and in all."""
    print(f"flagged where nothing is wrong, figures beyond their {100 * LEVELS[2]:g}th percentile:")
    sums = [0, 0, 0]
    for name, table in tables.items():
        reports = [report for clip, report in untouched if clip == name]
        counts = [len(reports), sum(bool(r.flags) for r in reports), sum(is_found(r, table) for r in reports)]
        sums = [total + count for total, count in zip(sums, counts, strict=True)]
        print(f"{name:>22}: {counts[1]} of {counts[0]} by the table in use, {counts[2]} by the other clips'")
    print(
        f"{'all':>22}: {sums[1]} of {sums[0]} by the table in use ({100 * sums[1] / sums[0]:.1f} %), "
        f"{sums[2]} by the other clips' ({100 * sums[2] / sums[0]:.1f} %)\n"
    )


class Memory:
    """The estimator in use, which does not estimate the flow of two frames twice."""

    def __init__(self) -> None:
        self.found: dict[bytes, Tensor] = {}

    def __call__(self, first: Tensor, second: Tensor) -> Tensor:
        keys = [
            hashlib.blake2b(a.contiguous().numpy().tobytes() + b.contiguous().numpy().tobytes()).digest()
            for a, b in zip(first, second, strict=True)
        ]
        new = [index for index, key in enumerate(keys) if key not in self.found]
        if new:
            flows = estimate_lucas_kanade(first[new], second[new])
            self.found |= {keys[index]: flow for index, flow in zip(new, flows, strict=True)}
        return torch.stack([self.found[key] for key in keys])
