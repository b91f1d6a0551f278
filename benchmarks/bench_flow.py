"""Endpoint error, confidence and speed of the flow estimators, on frame pairs with known flow."""

from __future__ import annotations

import argparse
import math
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from ..motion import estimate_both, estimate_flow, inconsistency_mask, occlusion_mask
from ..motion.lucas_kanade import estimate_lucas_kanade
from ..motion.opencv import dis, farneback
from .flow_data import DATA, Pair, load_pairs

GROUPS = ("chairs", "middlebury", "sintel", "hard")
SLOW = 10.0
"""Pixels per frame: motions below are what a video model makes."""
LARGE = (17, 3, 720, 1280)
STEPS = 100
"""Points of the curve that the confidence is judged by."""

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
    means: dict[str, tuple[float, float]] = {}
    for name, method in methods.items():
        means[name] = print_errors(name, method, pairs)
    print("0-10 px and all: geometric mean over pairs, of the pixels that move less than 10 px and of all.")
    if "DIS medium" in means and "Farneback" in means:
        slow, everything = means["lucas_kanade"]
        print(f"lucas_kanade over DIS medium, 0-10 px: {slow / means['DIS medium'][0]:.2f}")
        print(f"lucas_kanade over Farneback, all: {everything / means['Farneback'][1]:.2f}")
    print_confidence(pairs)
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
    fast = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
    finest = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    finest.setFinestScale(0)
    methods = {
        "lucas_kanade": estimate_lucas_kanade,
        "DIS fast": dis(fast),
        "DIS medium": dis(),
        "DIS medium, finest 0": dis(finest),
        "Farneback": farneback(),
    }
    if raft is not None:
        import comfy.utils

        from ..motion.raft import build_raft, estimate_raft

        model = build_raft(comfy.utils.load_torch_file(str(raft), safe_load=True))
        methods["RAFT"] = lambda first, second: estimate_raft(model, first, second)
    return methods


def print_errors(name: str, method: Method, pairs: list[Pair]) -> tuple[float, float]:
    """One row; the geometric means over pairs of the slow pixels' error and of all pixels'."""
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
    cells = [f"{sum(groups[group]) / max(len(groups[group]), 1):12.3f}" for group in GROUPS]
    means = geometric_mean(slow), geometric_mean(everything)
    print(f"{name:>22}{''.join(cells)}{means[0]:12.3f}{means[1]:8.3f}{seconds / megapixels:8.2f}", flush=True)
    return means


def print_confidence(pairs: list[Pair]) -> None:
    """How well our confidence sorts our own errors, and how well occlusion is found."""
    areas, hidden, inconsistent = defaultdict(list), [], []
    for pair in pairs:
        forward, backward = estimate_both(pair.first, pair.second)
        error = (forward.displacement - pair.flow).norm(dim=1, keepdim=True)
        areas[pair.group].append(sorting_area(forward.confidence[pair.known], error[pair.known]))
        if pair.occluded is not None:
            mask = occlusion_mask(pair.first, pair.second, forward.displacement, backward.displacement)
            hidden.append(f1(mask, pair.occluded, pair.known))
            mask = inconsistency_mask(forward.displacement, backward.displacement)
            inconsistent.append(f1(mask, pair.occluded, pair.known))
    print("confidence, area between its sorting and the best one over that of a random one (0 best, 1 random):")
    print("  " + ", ".join(f"{group} {sum(a) / len(a):.3f}" for group, a in areas.items()))
    rest = [area for group in GROUPS if group != "hard" for area in areas[group]]
    print(f"  mean of all pairs but the hard ones {sum(rest) / len(rest):.3f}")
    if hidden:
        plain, ours = (sum(scores) / len(scores) for scores in (inconsistent, hidden))
        print(f"occlusion, F1 over {len(hidden)} Sintel pairs: {ours:.2f}; plain forward-backward test {plain:.2f}")


def sorting_area(confidence: Tensor, error: Tensor) -> float:
    """Normalised area of the sparsification error (Wannenwetsch et al. 2017), of ``(n,)`` pixels.

    Pixels are taken away in steps, the least trusted first; the mean error of the rest is held against that of
    taking away the largest errors first.
    """
    ours, best = (remaining(error[order]) for order in (confidence.argsort(), error.argsort(descending=True)))
    return ((ours - best).mean() / (error.mean() - best).mean()).item()


def remaining(error: Tensor) -> Tensor:
    """Mean error of what is left after taking away more and more of the front: ``(STEPS,)``."""
    taken = torch.arange(STEPS) * len(error) // STEPS
    sums = error.double().flip(0).cumsum(0).flip(0)
    return sums[taken] / (len(error) - taken)


def f1(found: Tensor, true: Tensor, known: Tensor) -> float:
    """Harmonic mean of precision and recall over known pixels."""
    hits = (found & true & known).sum()
    return (2 * hits / ((found & known).sum() + (true & known).sum()).clamp(min=1)).item()


def geometric_mean(values: list[float]) -> float:
    return math.exp(sum(math.log(value) for value in values) / len(values))
