"""Fit the flow's confidence on pairs with known flow, and judge the fit on scenes that it has not seen."""

from __future__ import annotations

import argparse
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from ..motion import Flow, estimate_both, forward_backward_error, inconsistency_mask, occlusion_mask
from ..motion.occlusion import FLOORS, error_signs, flow_gradient
from ..motion.pyramid import gaussian_blur
from .bench_flow import mean
from .flow_data import DATA, Pair, load_pairs
from .layers import two_layers

PIXELS = 20_000
"""Of each pair, drawn for the fit."""
WRONG = 3.0
"""Pixels."""
SQUARES = ((3, 0), (8, -5), (-12, 12))
"""Motions of a synthetic square, pixels."""
STEPS = 100
"""Points of the curve that the confidence is judged by."""
SMALLEST_ERROR = 0.05
"""Pixels, added before the logarithm: below, ground truth itself is in doubt."""


@dataclass(frozen=True)
class Evidence:
    scene: str
    name: str
    signs: Tensor
    """``(n, 4)``: logarithms of the three signs, and 1."""
    error: Tensor
    """``(n,)`` pixels."""


@torch.inference_mode()
def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="dev.py bench confidence", description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA, help="a folder with flow/ in it")
    options = parser.parse_args(arguments)
    pairs = [(pair, *estimate_both(pair.first, pair.second)) for pair in load_pairs(options.data)]
    evidence = [gather(*one) for one in pairs if one[0].group != "hard"]
    print("log error = powers of home, bend, slip; log factor:", format_row(fit(evidence)))
    print(f"{'pair':>24} {'left out':>8} {'fitted in':>9}   area, 0 best, 1 random")
    whole, areas = fit(evidence), []
    for one in evidence:
        others = fit([other for other in evidence if other.scene != one.scene])
        pair = [sorting_area(-(one.signs @ weights), one.error) for weights in (others, whole)]
        areas.append(pair)
        print(f"{one.name:>24} {pair[0]:8.3f} {pair[1]:9.3f}")
    out, fitted = torch.tensor(areas).mean(dim=0).tolist()
    print(f"{'mean':>24} {out:8.3f} {fitted:9.3f}")
    print_confidence(pairs)
    print_occlusion(pairs)
    return 0


def gather(pair: Pair, forward: Flow, backward: Flow) -> Evidence:
    signs = error_signs(pair.first, pair.second, forward.displacement, backward.displacement)
    logs = [(sign + floor).log()[pair.known] for sign, floor in zip(signs, FLOORS, strict=True)]
    error = (forward.displacement - pair.flow).norm(dim=1, keepdim=True)[pair.known]
    scene = pair.name.split()[0]
    return Evidence(scene, pair.name, torch.stack((*logs, torch.ones_like(error)), dim=1), error)


def fit(evidence: list[Evidence]) -> Tensor:
    """Least squares on as many pixels of each pair: ``(4,)``."""
    generator = torch.Generator().manual_seed(0)
    rows, targets = [], []
    for one in evidence:
        drawn = torch.randint(0, len(one.error), (PIXELS,), generator=generator)
        rows.append(one.signs[drawn])
        targets.append((one.error[drawn] + SMALLEST_ERROR).log())
    return torch.linalg.lstsq(torch.cat(rows), torch.cat(targets)[:, None]).solution[:, 0]


def format_row(values: Tensor) -> str:
    return " ".join(f"{value:.2f}" for value in values.tolist())


def print_confidence(pairs: list[tuple[Pair, Flow, Flow]]) -> None:
    """How well our confidence sorts our own errors."""
    scores = defaultdict(list)
    for pair, forward, backward in pairs:
        there, back = forward.displacement, backward.displacement
        error = (there - pair.flow).norm(dim=1, keepdim=True)
        plain = -(forward_backward_error(there, back) + gaussian_blur(flow_gradient(there), 2.0))
        kind = "hard" if pair.group == "hard" else "others"
        known, confidence = error[pair.known], forward.confidence[pair.known]
        scores[kind, "area"].append(sorting_area(confidence, known))
        scores[kind, "plain area"].append(sorting_area(plain[pair.known], known))
        scores[kind, "confidence"].append(confidence.mean().item())
        scores[kind, "wrong"].append(((confidence > 0.5) & (known > WRONG)).float().mean().item())
        sorted_errors = known[confidence.argsort(descending=True)].chunk(8)
        scores[kind, "eighths"].append([part.mean().item() for part in sorted_errors])
    print("confidence: area between its sorting and the best one over that of a random one (0 best, 1 random);")
    print(
        f"its mean; share of all pixels above 0.5 and over {WRONG:g} px wrong; error by eighths, the most trusted first"
    )
    for kind in ("others", "hard"):
        if not scores[kind, "area"]:
            continue
        eighths = " ".join(f"{mean(column):.2f}" for column in zip(*scores[kind, "eighths"], strict=True))
        print(
            f"  {kind:>7}: area {mean(scores[kind, 'area']):.3f} (forward-backward plus flow gradient "
            f"{mean(scores[kind, 'plain area']):.3f}), mean {mean(scores[kind, 'confidence']):.2f}, "
            f"wrong {100 * mean(scores[kind, 'wrong']):.1f} %, eighths {eighths}"
        )


def print_occlusion(pairs: list[tuple[Pair, Flow, Flow]]) -> None:
    """How well hidden pixels are found, on Sintel and on synthetic scenes."""
    ours, plain = [], []
    for pair, forward, backward in pairs:
        if pair.occluded is None:
            continue
        there, back = forward.displacement, backward.displacement
        ours.append(f1(occlusion_mask(pair.first, pair.second, there, back), pair.occluded, pair.known))
        plain.append(f1(inconsistency_mask(there, back), pair.occluded, pair.known))
    if ours:
        print(
            f"occlusion, F1 over {len(ours)} Sintel pairs: {mean(ours):.2f} (forward-backward test {mean(plain):.2f})"
        )
    squares = [two_layers(shift) for shift in SQUARES]
    true = [(square.forward, square.backward) for square in squares]
    both = [estimate_both(square.first, square.second) for square in squares]
    estimated = [(forward.displacement, backward.displacement) for forward, backward in both]
    for name, flows in (("true", true), ("estimated", estimated)):
        found = [
            f1(occlusion_mask(square.first, square.second, *flow), square.hidden, torch.ones_like(square.hidden))
            for square, flow in zip(squares, flows, strict=True)
        ]
        print(f"occlusion, F1 of a square over a ground, {name} flow: " + " ".join(f"{score:.2f}" for score in found))


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
