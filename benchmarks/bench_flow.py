"""Endpoint error, speed and memory of the flow estimators, on frame pairs with known flow."""

from __future__ import annotations

import argparse
import math
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from ..motion import estimate_flow
from ..motion.lucas_kanade import estimate_lucas_kanade
from ..motion.opencv import dis, farneback
from .flow_data import DATA, Pair, load_pairs

GROUPS = ("chairs", "middlebury", "sintel", "hard")
SLOW = 10.0
"""Pixels per frame: motions below are what a video model makes."""
LARGE = (17, 3, 720, 1280)

Method = Callable[[Tensor, Tensor], Tensor]


@torch.inference_mode()
def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="dev.py bench flow", description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA, help="a folder with flow/ in it")
    parser.add_argument("--raft", type=Path, help="torchvision's RAFT weights, to be compared with")
    options = parser.parse_args(arguments)
    print_memory()  # first: a peak is only seen while nothing else has been higher
    pairs = list(load_pairs(options.data))
    methods = collect_methods(options.raft)
    print(f"{len(pairs)} pairs, {torch.get_num_threads()} threads; mean endpoint error in pixels, per set")
    print(f"{'':>22}" + "".join(f"{group:>12}" for group in GROUPS) + f"{'0-10 px':>12}{'all':>8}{'s/MP':>8}")
    rows = {name: print_errors(name, method, pairs) for name, method in methods.items()}
    print("0-10 px and all: geometric mean over pairs, of the pixels that move less than 10 px and of all.")
    ours, farneback_row = rows["lucas_kanade"], rows["Farneback"]
    print(
        f"lucas_kanade over DIS medium, 0-10 px: {ours[0] / rows['DIS medium'][0]:.2f}; over Farneback, all: "
        f"{ours[1] / farneback_row[1]:.2f}; time over Farneback's: {ours[2] / farneback_row[2]:.2f}"
    )
    return 0


def print_memory() -> None:
    """What a chunk's worth of large frames takes beyond its own frames and flows."""
    frames = torch.rand(*LARGE)
    size = frames.numel() * frames.element_size() / 2**20
    before = peak_memory()
    flow = estimate_flow(frames)
    own = sum(tensor.numel() * tensor.element_size() for tensor in (flow.displacement, flow.confidence)) / 2**20
    print(
        f"{LARGE[0]} frames of {LARGE[3]} x {LARGE[2]} ({size:.0f} MiB), their flow and confidence ({own:.0f} MiB): "
        f"{peak_memory() - before - own:.0f} MiB more at the peak"
    )


def peak_memory() -> float:
    """Highest resident size of this process so far, MiB."""
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def collect_methods(raft: Path | None) -> dict[str, Method]:
    """Ours, OpenCV's, and RAFT if there are weights."""
    import cv2

    cv2.setNumThreads(torch.get_num_threads())
    fast = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
    finest = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    finest.setFinestScale(0)
    methods = {
        "lucas_kanade": estimate_lucas_kanade,
        "DIS fast": dis(fast),
        "DIS medium": dis(),
        "DIS medium, finest 0": dis(finest),
        "Farneback": farneback(),
    }
    if raft is not None:
        from ..motion.raft import build_raft, estimate_raft

        model = build_raft(torch.load(raft, weights_only=True))
        methods["RAFT"] = lambda first, second: estimate_raft(model, first, second)
    return methods


def print_errors(name: str, method: Method, pairs: list[Pair]) -> tuple[float, float, float]:
    """One row; geometric means over pairs of the slow pixels' error and of all pixels', seconds per megapixel."""
    method(pairs[0].first, pairs[0].second)  # the first call warms caches up
    groups, slow, everything = defaultdict(list), [], []
    seconds, megapixels = 0.0, 0.0
    for pair in pairs:
        began = time.perf_counter()
        flow = method(pair.first, pair.second)
        seconds += time.perf_counter() - began
        megapixels += flow[0, 0].numel() / 1e6
        error = (flow - pair.flow).norm(dim=1, keepdim=True)
        everything.append(error[pair.known].mean().item())
        groups[pair.group].append(everything[-1])
        below = pair.known & (pair.flow.norm(dim=1, keepdim=True) < SLOW)
        if below.any():
            slow.append(error[below].mean().item())
    cells = [f"{mean(groups[group]):12.3f}" if groups[group] else f"{'-':>12}" for group in GROUPS]
    row = geometric_mean(slow), geometric_mean(everything), seconds / megapixels
    print(f"{name:>22}{''.join(cells)}{row[0]:12.3f}{row[1]:8.3f}{row[2]:8.2f}", flush=True)
    return row


def mean(values) -> float:
    return sum(values) / len(values)


def geometric_mean(values: list[float]) -> float:
    return math.exp(sum(math.log(value) for value in values) / len(values))
