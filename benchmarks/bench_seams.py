"""Seams of the tiny Wan2.1 at each level of continuity, through the pack's own loop and the host's sampler.

All levels share their first chunk, so that the first seam has one history and one truth after it:
there, velocity and picture are held against the truth. Further on the videos part, each from the
truth and from each other; over all seams only what a seam changes in its own video is compared.
Chunks are cut behind their overlap, as made: what a join adds is for ``bench joins`` to say.
"""

from __future__ import annotations

import argparse
import logging
import math
from dataclasses import replace
from itertools import pairwise

import torch
from torch import Tensor

from ..blending import measure_seam
from ..tiny.scenes import Scenes, draw_scenes
from ..tiny.tracking import is_straight, locate_sprite, mean_velocity
from ..wan import ChunkState, GuideSettings, Tools, generate, plan_chunks
from ..wan.noise import POLICIES, NoisePolicy
from .tiny_host import CFG, KINDS, STEPS, TinyHost, context_windows, make_sampler

SEED = 9_500_000
CHUNK, OVERLAP, CHUNKS = 41, 9, 4
SPAN = 8
"""Frames before and after a seam over which a velocity is taken."""
LEVELS = {
    "windows": OVERLAP,
    "last_frame": 1,
    "overlap": OVERLAP,
    "overlap_pinned": OVERLAP,
    "motion": OVERLAP,
    "auto": OVERLAP,
}
"""Frames that two neighbors share; ``windows`` are the host's own, all denoised at once."""
FAST = 1.2
"""Pixels per frame."""
MOVES = 0.4
"""Pixels per frame from which a speed can be kept."""
DRAWN = 12
"""Scenes drawn for one that is fast and straight."""
COLUMNS = {
    "velocity error": "px/frame, first",
    "PSNR": "dB, first",
    "speed kept": "last chunk",
    "velocity jump": "px/frame, all",
    "seam ratio": "all",
    "color step": "CIE76, all",
}


@torch.inference_mode()
def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="dev.py bench seams", description=__doc__)
    parser.add_argument("--scenes", type=int, default=24)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--model", choices=KINDS, default="follows")
    parser.add_argument("--fast", action="store_true", help="sprites that are fast and straight around the first seam")
    parser.add_argument("--levels", nargs="+", choices=LEVELS, default=list(LEVELS))
    parser.add_argument("--noise", choices=POLICIES, default=POLICIES[0])
    parser.add_argument("--motion-weight", type=float, default=GuideSettings.motion_weight)
    parser.add_argument("--step-gain", type=float, default=GuideSettings.step_gain)
    options = parser.parse_args(arguments)
    host = TinyHost(transformer=KINDS[options.model])
    logging.getLogger().setLevel(logging.WARNING)
    frames = CHUNK + (CHUNKS - 1) * (CHUNK - 1)
    scenes = draw_scenes(
        options.scenes * (DRAWN if options.fast else 1),
        frames,
        torch.Generator().manual_seed(SEED),
        turn=0.0,
        say_motion=0.0,
        two_sprites=0.0,
    )
    speed = scenes.velocities[:, 0].norm(dim=-1).median(dim=-1).values
    numbers = list(range(options.scenes))
    if options.fast:
        straight = is_straight(scenes.centers[:, 0, CHUNK - SPAN : CHUNK + SPAN])
        numbers = ((speed > FAST) & straight).nonzero()[: options.scenes, 0].tolist()
    print(
        f"{len(numbers)} held-out {'fast ' if options.fast else ''}scenes x {options.seeds} seeds x {CHUNKS} chunks "
        f"of {CHUNK} frames, overlap {OVERLAP} (last_frame: 1), started from {OVERLAP} true frames, "
        f"no motion words; {options.model}, Euler, {STEPS} steps, cfg {CFG:g}"
    )
    print(
        "median over videos [95 % interval, bootstrap over scenes]; seams at which the true sprite bounces are left out"
    )
    print("".join(f"{name:>26}" for name in ("level", *COLUMNS)))
    print("".join(f"{unit:>26}" for unit in ("", *COLUMNS.values())))
    figures = {}
    for level in options.levels:
        knobs = {"motion_weight": options.motion_weight, "step_gain": options.step_gain}
        rows = [
            [
                measure(make_video(host, scenes, scene, level, knobs, seed, options.noise), scenes, scene, level)
                for seed in range(options.seeds)
            ]
            for scene in numbers
        ]
        figures[level] = torch.tensor(rows)  # (scene, seed, column), NaN where there is nothing to judge
        print_row(level, figures[level])
    speed = speed[numbers]
    kinds = {"all": speed >= 0, "fast": speed > FAST, "slow": (speed > 0) & (speed <= FAST)}
    for kind, chosen in kinds.items():
        if not chosen.any():
            continue
        judged = figures[options.levels[-1]][chosen][..., 0].isfinite().any(dim=1).sum()
        print(
            f"\npaired differences, median over videos: {kind} ({int(chosen.sum())} scenes, {int(judged)} of them "
            "straight around the first seam)"
        )
        for before, after in pairwise(options.levels):
            print_row(f"{after} - {before}", (figures[after] - figures[before])[chosen])
    return 0


def make_video(
    host: TinyHost, scenes: Scenes, scene: int, level: str, knobs: dict[str, float], seed: int, noise: NoisePolicy
) -> Tensor:
    """``(F, 3, H, W)``: the scene continued from its first frames, by the real loop."""
    from ..wan.host.noise import ChunkNoise

    overlap = LEVELS[level]
    total = CHUNK + (CHUNKS - 1) * (CHUNK - overlap)
    windows = level == "windows"
    plan = plan_chunks(total, chunk_frames=total if windows else CHUNK, overlap_frames=overlap)
    model = context_windows(host.model, CHUNK, overlap) if windows else host.model
    sampler = make_sampler(model, [(scenes.captions[scene], "")], ChunkNoise(1000 * seed + scene, noise))
    settings = GuideSettings("overlap" if windows else level, color_match="none", blend_strength=1.0)
    state = ChunkState(plan, scenes.frames[scene, :OVERLAP], replace(settings, **knobs))
    return generate(state, Tools(host.vae, sampler)).video


def measure(video: Tensor, scenes: Scenes, scene: int, level: str) -> list[float]:
    """The columns of one video: its first seam against the truth, and the medians over all its seams."""
    found = locate_sprite(video[None], scenes.appearance.select(slice(scene, scene + 1)), 0)[0]
    truth = scenes.centers[scene, 0]
    seams = []
    for seam in range(CHUNK, len(video), CHUNK - LEVELS[level]):
        before, after = slice(seam - SPAN, seam), slice(seam, seam + SPAN)
        if not is_straight(truth[before.start : after.stop]):
            continue
        report = measure_seam(video, seam)
        velocity = mean_velocity(found[after])
        jump = (velocity - mean_velocity(found[before])).norm().item()
        difference = (video[after] - scenes.frames[scene, after]).square().mean()
        error = (velocity - mean_velocity(truth[after])).norm().item()
        local = [jump, report.difference_ratio, report.color_step]
        seams.append((seam, [error, -10 * difference.log10().item()], local))
    kept = speed_kept(found, scenes, scene)
    if not seams:
        return [math.nan, math.nan, kept, math.nan, math.nan, math.nan]
    seam, first, _ = seams[0]
    first = first if seam == CHUNK else [math.nan] * len(first)
    return [*first, kept, *torch.tensor([local for _, _, local in seams]).median(dim=0).values.tolist()]


def speed_kept(found: Tensor, scenes: Scenes, scene: int) -> float:
    """Speed of the sprite in the last chunk's new frames over its own; NaN where it hardly moves.

    Args:
        found: ``(F, 2)`` pixels, its place in each frame.
    """
    own = scenes.velocities[scene, 0].norm(dim=-1).median()
    if own < MOVES:
        return math.nan
    windows = found[-(CHUNK - OVERLAP) :].unfold(0, SPAN, 1).transpose(1, 2)  # short ones, few of which hold a bounce
    return (mean_velocity(windows).norm(dim=-1).median() / own).item()


def print_row(name: str, figures: Tensor, draws: int = 1000) -> None:
    """Medians of ``(scene, seed, column)`` and their intervals; scenes are drawn, since the seeds of one are alike."""
    generator = torch.Generator().manual_seed(0)
    chosen = torch.randint(len(figures), (draws, len(figures)), generator=generator)
    medians = figures[chosen].flatten(1, 2).nanmedian(dim=1).values  # (draw, column)
    low, high = medians.nanquantile(torch.tensor([0.025, 0.975]), dim=0)
    middle = figures.flatten(0, 1).nanmedian(dim=0).values
    cells = [f"{m:.2f} [{a:.2f}, {b:.2f}]" for m, a, b in zip(middle, low, high, strict=True)]
    print(f"{name:>26}" + "".join(f"{cell:>26}" for cell in cells), flush=True)
