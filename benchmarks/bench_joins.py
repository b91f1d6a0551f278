"""Real clips cut in two with a shared overlap, the second half damaged as chunks are, and joined again.

Each figure is the mean over clips and seeds of one damage. PSNR holds the overlap and all that follows against the
clip before it was damaged, SSIM the overlap and eight frames; sharpness is the least share of the gradient energy that
is left in a frame of the overlap, where mixing two pictures shows; flicker is the mean second difference of a frame's
luminance that the join adds, in 8-bit levels; jump is the largest change of velocity around the seam over the clip's.
"""

from __future__ import annotations

import argparse
import logging
from collections import defaultdict
from pathlib import Path

import torch
from torch import Tensor

from ..blending import join_clips, match_color
from ..motion.pyramid import gradient, to_gray
from .bench_flow import mean
from .bench_motion import similarity
from .clips import load_shots
from .damage import DAMAGES, add_disc
from .tiny_host import TinyHost

ROOT = Path(__file__).resolve().parents[2]
SEED = 9_900_000
OVERLAP, AFTER = 17, 48
COLUMNS = ("PSNR", "SSIM", "sharpness", "flicker", "jump")


@torch.inference_mode()
def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="dev.py bench joins", description=__doc__)
    parser.add_argument("--data", type=Path, default=ROOT / "shared" / "data")
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--damages", nargs="+", default=[*DAMAGES, "other path", "tiny VAE"])
    options = parser.parse_args(arguments)
    host = TinyHost() if "tiny VAE" in options.damages else None
    logging.getLogger().setLevel(logging.WARNING)
    shots = list(load_shots(options.data, at_least=OVERLAP + 19))
    print(f"{len(shots)} shots x {options.seeds} seeds, overlap {OVERLAP}, up to {AFTER} frames behind it")
    for damage in options.damages:
        figures = defaultdict(list)
        for number, shot in enumerate(shots):
            for seed in range(options.seeds):
                generator = torch.Generator().manual_seed(SEED + 100 * number + seed)
                truth = shot.frames[: OVERLAP + 2 + AFTER]
                truth, second = halves(truth, damage, generator, host)
                first = truth[: len(truth) - len(second) + OVERLAP]
                near = slice(len(first) - OVERLAP, len(first) + 8)
                usual = velocity_jump(truth[near])
                for name, joined in joins(first, second).items():
                    figures[name].append([*judge(joined, truth, len(first)), velocity_jump(joined[near]) / usual])
        print(f"\n{damage}\n{'':>26}" + "".join(f"{column:>12}" for column in COLUMNS))
        for name, rows in figures.items():
            values = [mean(column) for column in zip(*rows, strict=True)]
            print(
                f"{name:>26}" + "".join(f"{value:>12.{2 if at in (0, 4) else 3}f}" for at, value in enumerate(values)),
                flush=True,
            )
    return 0


def halves(truth: Tensor, damage: str, generator: torch.Generator, host: TinyHost | None) -> tuple[Tensor, Tensor]:
    """The whole clip, and its second half as a chunk made it; the overlap is at that half's head."""
    start = 2
    if damage == "other path":
        height, width = truth.shape[-2:]
        time = torch.arange(len(truth), dtype=torch.float32)[:, None]
        angle = 6.28 * torch.rand(1, generator=generator)
        way = torch.cat((angle.cos(), angle.sin()))[None]
        middle = torch.tensor([[width / 2, height / 2]])
        path = middle + (time - len(truth) / 2) * way * 1.0
        off = (time - start).clamp(min=0) * torch.cat((-angle.sin(), angle.cos()))[None] * 0.2
        bare, radius = truth, height / 8
        truth = add_disc(bare, path, radius, 1)
        return truth, add_disc(bare, path + off, radius, 1)[start:]
    if damage == "tiny VAE":
        assert host is not None  # which main makes for it
        height, width = (side // 16 * 16 for side in truth.shape[-2:])
        count = (len(truth) - start - 1) // 4 * 4 + 1
        truth = truth[: start + count, :, :height, :width]
        coded = host.decode(host.encode(truth[None, start:]))[0]
        return truth, coded.clamp(0, 1)
    return truth, DAMAGES[damage](truth, generator)[start:]


def joins(first: Tensor, second: Tensor) -> dict[str, Tensor]:
    """Joined clips by method."""
    a, b = first[-OVERLAP:], second[:OVERLAP]
    matched = match_color(second, (b, a))
    return {
        "hard cut": torch.cat((first, second[OVERLAP:])),
        "linear crossfade": crossfade(first, second, smooth=False),
        "smoothstep crossfade": crossfade(first, second, smooth=True),
        "crossfade + hm-mvgd-hm": crossfade(first, per_frame(second, first[0]), smooth=True),
        "ours, no color": join_clips(first, second, OVERLAP).frames,
        "ours": join_clips(first, matched, OVERLAP).frames,
    }


def crossfade(first: Tensor, second: Tensor, *, smooth: bool) -> Tensor:
    weight = (torch.arange(OVERLAP) + 1) / (OVERLAP + 1)
    if smooth:
        weight = weight * weight * (3 - 2 * weight)
    mixed = torch.lerp(first[-OVERLAP:], second[:OVERLAP], weight.view(-1, 1, 1, 1))
    return torch.cat((first[:-OVERLAP], mixed, second[OVERLAP:]))


def per_frame(clip: Tensor, reference: Tensor) -> Tensor:
    """Each frame's colors matched to the start image, as most packs do."""
    from color_matcher import ColorMatcher

    wanted = reference.movedim(0, -1).numpy()
    frames = [ColorMatcher(src=frame.movedim(0, -1).numpy(), ref=wanted, method="hm-mvgd-hm").main() for frame in clip]
    return torch.stack([torch.from_numpy(frame).float().movedim(-1, 0) for frame in frames]).clamp(0, 1)


def judge(joined: Tensor, truth: Tensor, seam: int) -> list[float]:
    """The columns of one joined clip, whose overlap ends at ``seam``."""
    judged, near = slice(seam - OVERLAP, None), slice(seam - OVERLAP, seam + 8)
    error = (joined - truth)[judged].square().mean().clamp(min=1e-10)
    sharp = (energy(joined) / energy(truth))[seam - OVERLAP : seam].min()
    light, true = (to_gray(clip).mean(dim=(1, 2, 3)).diff().diff().abs() for clip in (joined, truth))
    flicker = (light - true)[seam - OVERLAP :].mean() * 255
    return [
        -10 * error.log10().item(),
        similarity(joined[near], truth[near]).mean().item(),
        sharp.item(),
        flicker.item(),
    ]


def energy(clip: Tensor) -> Tensor:
    """``(T,)``: mean squared gradient."""
    gx, gy = gradient(to_gray(clip))
    return (gx.square() + gy.square()).mean(dim=(1, 2, 3))


def velocity_jump(clip: Tensor) -> float:
    """Largest change of the motion from one frame pair to the next, pixels."""
    from ..motion import estimate_flow

    flow = estimate_flow(clip, estimator="dis").displacement
    return flow.diff(dim=0).norm(dim=1).mean(dim=(1, 2)).max().item() + 0.08
