"""Fit the flow's confidence on pairs with known flow, and judge the fit on scenes that it has not seen."""

from __future__ import annotations

import argparse
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from ..motion import Flow, estimate_both, forward_backward_error, inconsistency_mask, occlusion_mask
from ..motion.occlusion import FLOORS, HIDDEN_FLOORS, error_signs, flow_gradient, occlusion_signs
from ..motion.pyramid import gaussian_blur
from .bench_flow import mean
from .flow_data import DATA, Pair, load_pairs
from .layers import Layers, grain, shade, stripes, two_layers, waves

PIXELS = 20_000
"""Of each pair, drawn for the fit."""
WRONG = 3.0
"""Pixels."""
SQUARES = ((4, 0), (6, -3), (8, -5), (0, 8), (-12, 0), (-12, 12))
"""Motions of a synthetic square, pixels."""
EVEN = ("", "ground", "top", "ground and top")
"""What of its scene shows no texture."""
NOISE = (0, 0.5, 1, 2, 4, 6)
"""Of the frames that show no motion, in 255ths."""
SIZES = ((160, 192), (240, 320))
STEPS = 100
"""Points of the curve that the confidence is judged by."""
NEWTON, THRESHOLDS = 30, [step / 10 for step in range(-30, 15, 2)]
"""Steps of the logistic regression, and log odds tried as its threshold."""
SMALLEST_ERROR = 0.05
"""Pixels, added before the logarithm: below, ground truth itself is in doubt."""


@dataclass(frozen=True)
class Evidence:
    scene: str
    name: str
    signs: Tensor
    """``(n, 5)``: logarithms of the four signs, and 1."""
    error: Tensor
    """``(n,)`` pixels."""


@torch.inference_mode()
def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="dev.py bench confidence", description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA, help="a folder with flow/ in it")
    options = parser.parse_args(arguments)
    pairs = [(pair, *estimate_both(pair.first, pair.second)) for pair in load_pairs(options.data)]
    evidence = [gather(*one) for one in pairs if one[0].group != "hard"]
    print("log error = powers of home, bend, slip, blind; log factor:", format_row(fit(evidence)))
    print("of where it leads, powers of home, bend, slip; log factor:", format_row(fit(evidence, (0, 1, 2, 4))))
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
    print_unknown()
    print_occlusion(pairs)
    print_squares()
    return 0


def gather(pair: Pair, forward: Flow, backward: Flow) -> Evidence:
    signs = error_signs(pair.first, pair.second, forward.displacement, backward.displacement)
    logs = [(sign + floor).log()[pair.known] for sign, floor in zip(signs, FLOORS, strict=True)]
    error = (forward.displacement - pair.flow).norm(dim=1, keepdim=True)[pair.known]
    scene = pair.name.split()[0]
    return Evidence(scene, pair.name, torch.stack((*logs, torch.ones_like(error)), dim=1), error)


def fit(evidence: list[Evidence], columns: tuple[int, ...] = (0, 1, 2, 3, 4)) -> Tensor:
    """Least squares on as many pixels of each pair, by some of the signs: as many weights."""
    generator = torch.Generator().manual_seed(0)
    rows, targets = [], []
    for one in evidence:
        drawn = torch.randint(0, len(one.error), (PIXELS,), generator=generator)
        rows.append(one.signs[drawn][:, list(columns)])
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


def print_unknown() -> None:
    """Confidence where the frames cannot show a motion, and where they can in spite of the noise."""
    kinds = {
        "even": lambda height, width: torch.full((1, 3, height, width), 0.5),
        "black": lambda height, width: torch.zeros(1, 3, height, width),
        "shaded": lambda height, width: shade(height, width, 0),
        "shaded obliquely": lambda height, width: shade(height, width, 30),
        "stripes": lambda height, width: stripes(height, width, 0),
        "oblique stripes": lambda height, width: stripes(height, width, 30),
        "diagonal stripes": lambda height, width: stripes(height, width, 45, length=9),
    }
    print("confidence where nothing shows the motion, mean; noise in 255ths: " + " ".join(f"{n:g}" for n in NOISE))
    for name, make in kinds.items():
        for grains in (1, 8) if name == "even" else (1,):
            row = [[unknown(make(*size), noise, grains) for size in SIZES] for noise in NOISE]
            blocks = " in blocks" if grains > 1 else ""
            print(f"  {name + blocks:>24}: " + " ".join(f"{mean(values):.2f}" for values in row))
    for name, shift, contrast in (
        ("texture", (3, -2), 1),
        ("weak texture", (3, -2), 0.1),
        ("weak, at rest", (0, 0), 0.1),
    ):
        row = []
        for noise in NOISE:
            frames = [(waves(240, 320, moved) - 0.5) * contrast + 0.5 for moved in ((0, 0), shift)]
            row.append(trusted(*(grain(frame, noise, seed=seed) for seed, frame in enumerate(frames))))
        print(f"  {'for comparison, ' + name:>24}: " + " ".join(f"{value:.2f}" for value in row))


def unknown(picture: Tensor, noise: float, grains: int) -> float:
    return trusted(*(grain(picture, noise, seed=seed, size=grains) for seed in (1, 2)))


def trusted(a: Tensor, b: Tensor) -> float:
    return estimate_both(a, b)[0].confidence.mean().item()


@dataclass(frozen=True)
class Hidden:
    scene: str
    signs: Tensor
    """``(n, 4)``: logarithms of the three signs, and 1."""
    possible: Tensor
    """``(n,)`` bool: whether the flows contradict each other."""
    outside: Tensor
    """``(n,)`` bool: whether they leave the frame."""
    true: Tensor


def print_occlusion(pairs: list[tuple[Pair, Flow, Flow]]) -> None:
    """How well hidden pixels are found on Sintel, by what was fitted on it and on its other scenes."""
    ours, plain, evidence = [], [], []
    for pair, forward, backward in pairs:
        if pair.occluded is None:
            continue
        there, back = forward.displacement, backward.displacement
        ours.append(f1(occlusion_mask(pair.first, pair.second, there, back), pair.occluded, pair.known))
        plain.append(f1(inconsistency_mask(there, back), pair.occluded, pair.known))
        *signs, possible, inside = occlusion_signs(pair.first, pair.second, there, back)
        logs = [(sign + floor).log()[pair.known] for sign, floor in zip(signs, HIDDEN_FLOORS, strict=True)]
        evidence.append(
            Hidden(
                pair.name.split()[0],
                torch.stack((*logs, torch.ones_like(logs[0])), dim=1),
                *(mask[pair.known] for mask in (possible, ~inside, pair.occluded)),
            )
        )
    if not ours:
        return
    print(f"occlusion, F1 over {len(ours)} Sintel pairs: {mean(ours):.3f} (forward-backward test {mean(plain):.3f})")
    if len({one.scene for one in evidence}) > 1:
        weights, threshold = fit_hidden(evidence)
        print(
            "  log odds = powers of left over, rival, reached; log factor:", format_row(weights), f"over {threshold:g}"
        )
        left_out = []
        for scene in sorted({one.scene for one in evidence}):
            found = fit_hidden([one for one in evidence if one.scene != scene])
            left_out += [score(one, *found) for one in evidence if one.scene == scene]
        print(f"  fitted on the other scenes: {mean(left_out):.3f}")


def fit_hidden(evidence: list[Hidden]) -> tuple[Tensor, float]:
    """Logistic regression on as many pixels of each pair, and the threshold whose F1 is best on average."""
    generator = torch.Generator().manual_seed(0)
    rows, targets = [], []
    for one in evidence:
        drawn = torch.randint(0, len(one.true), (PIXELS,), generator=generator)
        drawn = drawn[~one.outside[drawn]]
        rows.append(one.signs[drawn].double())
        targets.append(one.true[drawn].double())
    x, y = torch.cat(rows), torch.cat(targets)
    weights = x.new_zeros(x.shape[1])
    for _ in range(NEWTON):
        odds = torch.sigmoid(x @ weights)
        curvature = (x.T * (odds * (1 - odds))) @ x + 1e-3 * torch.eye(len(weights)).to(x)
        weights = weights - torch.linalg.solve(curvature, x.T @ (odds - y) + 1e-3 * weights)
    weights = weights.float()
    return weights, max(THRESHOLDS, key=lambda threshold: mean([score(one, weights, threshold) for one in evidence]))


def score(one: Hidden, weights: Tensor, threshold: float) -> float:
    found = ((one.signs @ weights > threshold) & one.possible) | one.outside
    return f1(found, one.true, torch.ones_like(found))


def print_squares() -> None:
    """How well what a square hides is found, with true and with estimated flow."""
    for even in EVEN:
        for noise in (0, 3):
            squares = [two_layers(shift, even=even) for shift in SQUARES]
            frames = [(grain(one.first, noise, seed=1), grain(one.second, noise, seed=2)) for one in squares]
            flows = {"true": [(one.forward, one.backward) for one in squares]}
            both = [estimate_both(*pair) for pair in frames]
            flows["estimated"] = [(forward.displacement, backward.displacement) for forward, backward in both]
            for name, found in flows.items():
                masks = [occlusion_mask(*pair, *flow) for pair, flow in zip(frames, found, strict=True)]
                print_square(f"even {even or 'nothing'}, noise {noise}, {name} flow", masks, squares)


def print_square(name: str, masks: list[Tensor], squares: list[Layers]) -> None:
    pairs = list(zip(masks, (square.hidden for square in squares), strict=True))
    recall = [((found & true).sum() / true.sum()).item() for found, true in pairs]
    scores = [f1(found, true, torch.ones_like(true)) for found, true in pairs]
    print(f"occlusion by a square, {name}: recall {min(recall):.2f} or more, mean F1 {mean(scores):.2f}")


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
