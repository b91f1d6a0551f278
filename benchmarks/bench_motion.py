"""How well the frames after a clip are predicted: motion against what followed, and pictures against the frames."""

from __future__ import annotations

import argparse
from collections import defaultdict
from pathlib import Path

import torch
from torch import Tensor

from ..motion import Flow, backward_warp, compose_flow, estimate_both
from ..motion.prediction import render
from ..motion.rhythm import pair_speed, rhythm_share
from ..motion.trajectory import HISTORY, PERIODS, predict_motion, trace_back
from ..wan.latents import TEMPORAL_STRIDE
from .bench_flow import geometric_mean, mean
from .clips import load_shots
from .flow_data import DATA

KNOWN, AHEAD = 17, 12
STARTS = 12
"""Windows of a shot, spread over it."""
HORIZONS = (1, 2, 4, 8, 12)
MOVES = 0.1
"""Pixels per frame on average, below which a window's error over displacement is noise over noise."""
TRUSTED = 0.5


@torch.inference_mode()
def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="dev.py bench motion", description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA, help="a folder with clips/ in it")
    options = parser.parse_args(arguments)
    errors, pictures, claims = defaultdict(list), defaultdict(list), defaultdict(list)
    for index, shot in enumerate(load_shots(options.data, at_least=KNOWN + AHEAD)):
        places = len(shot.frames) - KNOWN - AHEAD + 1
        for start in torch.linspace(0, places - 1, min(STARTS, places)).round().int().tolist():
            window = shot.frames[start : start + KNOWN + AHEAD]
            judge(window, shot.clip, index, errors, pictures, claims)
    print_errors(errors)
    print_pictures(pictures)
    print_claims(claims)
    return 0


def judge(window: Tensor, clip: str, shot: int, errors, pictures, claims) -> None:
    """Add one window's figures to the tables."""
    known, future = window[:KNOWN], window[KNOWN:]
    reach = PERIODS * TEMPORAL_STRIDE
    longer = estimate_both(known[-reach - 1 : -1], known[-reach:])
    forward, backward = (Flow(flow.displacement[-HISTORY:], flow.confidence[-HISTORY:]) for flow in longer)
    after, _ = estimate_both(window[KNOWN - 1 : -1], future)
    truth, visible = follow(after)
    ours = predict_motion(forward, AHEAD, backward=backward)
    share = rhythm_share(pair_speed(longer[1]), TEMPORAL_STRIDE)
    over = predict_motion(longer[0], AHEAD, backward=longer[1], period=TEMPORAL_STRIDE, rhythm=share)
    motions = predictors(forward, backward) | {
        "ours": ours.displacement,
        "ours, as if decoded": over.displacement,
    }
    for horizon in HORIZONS:
        seen = visible[horizon - 1, 0]
        length = truth[horizon - 1].norm(dim=0)[seen]
        if not len(length):
            continue
        for name, motion in motions.items():
            wrong = (motion[horizon - 1] - truth[horizon - 1]).norm(dim=0)[seen]
            errors[name, horizon, shot].append((wrong.mean().item(), length.mean().item()))
        claimed = (ours.confidence[horizon - 1, 0] >= TRUSTED)[seen]
        wrong = (ours.displacement[horizon - 1] - truth[horizon - 1]).norm(dim=0)[seen]
        claims[horizon].append((claimed.float().mean().item(), wrong[claimed], wrong[~claimed]))
    for name, shown in shown_by(known, ours, motions["last velocity"]).items():
        quality = (shown - future).square().mean(dim=(1, 2, 3)), similarity(shown, future)
        for horizon in range(AHEAD):
            error, alike = (column[horizon].item() for column in quality)
            pictures[name, horizon + 1, clip].append((error, alike))


def follow(after: Flow) -> tuple[Tensor, Tensor]:
    """Where the anchor's pixels go, ``(T, 2, H, W)``, by chaining the flows that followed; and what is believed."""
    total, trusted = after.displacement[:1], after.confidence[:1]
    totals, believed = [total], [trusted]
    for flow, own in zip(after.displacement[1:].split(1), after.confidence[1:].split(1), strict=True):
        trusted = torch.minimum(trusted, backward_warp(own, total, padding_mode="zeros"))
        total = compose_flow(total, flow)
        totals.append(total)
        believed.append(trusted)
    return torch.cat(totals), torch.cat(believed) > TRUSTED


def predictors(forward: Flow, backward: Flow) -> dict[str, Tensor]:
    """What ours is compared with: ``(T, 2, H, W)`` each, on the anchor's grid."""
    velocity = trace_back(backward).velocity
    steps = torch.arange(1, AHEAD + 1).view(-1, 1, 1, 1)
    recent = torch.tensor([0.55, 0.25, 0.13, 0.07]).view(-1, 1, 1, 1)
    average = (recent * velocity).sum(dim=0)
    spread = (recent * (velocity - average).square()).sum(dim=(0, 1))
    energy = average.square().sum(dim=0)
    wiener = energy / (energy + 2 * spread + 0.02)
    stepwise = energy / (energy + spread * (steps + 1) / 2 + 0.02)
    return {
        "rest": torch.zeros(AHEAD, 2, *energy.shape),
        "last velocity": steps * velocity[0],
        "average velocity": steps * average,
        "constant acceleration": steps * velocity[0] + steps * (steps + 1) / 2 * (velocity[0] - velocity[1]),
        "Wiener": steps * wiener * velocity[0],
        "Wiener per step": steps * stepwise * velocity[0],
        "ours, step_gain 0.5": predict_motion(forward, AHEAD, step_gain=0.5, backward=backward).displacement,
        "ours, acceleration": predict_motion(forward, AHEAD, backward=backward, acceleration=True).displacement,
    }


def shown_by(known: Tensor, ours, velocity: Tensor) -> dict[str, Tensor]:
    """Predicted frames ``(AHEAD, 3, H, W)`` by method."""
    anchor = known[-1:].expand(AHEAD, -1, -1, -1)
    steps = torch.arange(1, AHEAD + 1).view(-1, 1, 1, 1)
    change = known[-HISTORY - 1 :].diff(dim=0).mean(dim=0)
    return {
        "hold": anchor,
        "mean difference": (anchor + steps * change).clamp(0, 1),
        "constant flow": backward_warp(anchor, -velocity),
        "ours": render(known[-1:], ours)[0],
    }


def similarity(shown: Tensor, true: Tensor) -> Tensor:
    """Structural similarity of each pair of frames, ``(T,)`` (Wang et al. 2004)."""
    from kornia.metrics import ssim

    return ssim(shown, true, 11).mean(dim=(1, 2, 3))


def print_errors(errors) -> None:
    print("error over displacement, geometric mean over shots that move more than", MOVES, "px/frame")
    print(f"{'':>24}" + "".join(f"{horizon:>8}" for horizon in HORIZONS))
    shots = sorted({shot for _, _, shot in errors})
    for name in dict.fromkeys(name for name, *_ in errors):
        cells = []
        for horizon in HORIZONS:
            ratios = []
            for shot in shots:
                wrong, length = (mean(column) for column in zip(*errors[name, horizon, shot], strict=True))
                if length > MOVES * horizon:
                    ratios.append(wrong / length)
            cells.append(f"{geometric_mean(ratios):8.3f}")
        print(f"{name:>24}" + "".join(cells))


def print_pictures(pictures) -> None:
    clips = sorted({clip for _, _, clip in pictures})
    names = list(dict.fromkeys(name for name, _, _ in pictures))
    print("\nPSNR in dB / SSIM of the predicted frames, mean over clips")
    print(f"{'':>24}" + "".join(f"{horizon:>14}" for horizon in range(1, AHEAD + 1)))
    for name in names:
        cells = []
        for horizon in range(1, AHEAD + 1):
            psnr = mean([decibels(pictures[name, horizon, clip]) for clip in clips])
            ssim = mean([mean([alike for _, alike in pictures[name, horizon, clip]]) for clip in clips])
            cells.append(f"{psnr:6.2f} / {ssim:.3f}")
        print(f"{name:>24}" + "".join(f"{cell:>14}" for cell in cells))
    print("ours minus hold, dB, per clip")
    for clip in clips:
        gains = [
            decibels(pictures["ours", horizon, clip]) - decibels(pictures["hold", horizon, clip])
            for horizon in range(1, AHEAD + 1)
        ]
        print(f"{clip:>24}" + "".join(f"{gain:14.2f}" for gain in gains))


def decibels(figures: list[tuple[float, float]]) -> float:
    """Mean PSNR over the windows of a clip, from their mean squared errors."""
    return mean([-10 * torch.tensor(error).clamp(min=1e-10).log10().item() for error, _ in figures])


def print_claims(claims) -> None:
    print(f"\nwhere ours claims a confidence of {TRUSTED:g} or more: share of the pixels; error there and elsewhere")
    for horizon in HORIZONS:
        share = mean([share for share, _, _ in claims[horizon]])
        inside, outside = (torch.cat([figures[part] for figures in claims[horizon]]) for part in (1, 2))
        cells = [f"{part.mean().item():.2f}" if len(part) else "-" for part in (inside, outside)]
        print(f"  {horizon:>2} ahead: {100 * share:3.0f} %, {cells[0]} px, {cells[1]} px")
