"""Seams of the tiny Wan2.1 at each level of continuity, through the pack's own loop and the host's sampler."""

from __future__ import annotations

import argparse
import logging

import torch
from torch import Tensor

from ..blending import measure_seam
from ..tiny.scenes import Scenes, draw_scenes
from ..tiny.text import embed_text
from ..tiny.tracking import locate_sprite, mean_velocity
from ..wan import ChunkState, GuideSettings, Tools, generate, plan_chunks
from .tiny_host import CFG, STEPS, TinyHost

SEED = 9_500_000
CHUNK, OVERLAP, CHUNKS = 17, 9, 4
SPAN = 8
"""Frames before and after a seam over which a velocity is taken."""
LEVELS = {"last_frame": 1, "overlap": OVERLAP, "overlap_pinned": OVERLAP}
COLUMNS = ("velocity error", "velocity jump", "seam ratio", "colour step", "PSNR")
UNITS = ("px/frame", "px/frame", "", "/255", "dB")


@torch.inference_mode()
def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="dev.py bench seams", description=__doc__)
    parser.add_argument("--scenes", type=int, default=24)
    parser.add_argument("--seeds", type=int, default=2)
    options = parser.parse_args(arguments)
    logging.getLogger().setLevel(logging.WARNING)
    host = TinyHost()
    frames = CHUNK + (CHUNKS - 1) * (CHUNK - 1)
    scenes = draw_scenes(
        options.scenes, frames, torch.Generator().manual_seed(SEED), turn=0.0, say_motion=0.0, two_sprites=0.0
    )
    print(
        f"{options.scenes} held-out scenes x {options.seeds} seeds x {CHUNKS} chunks of {CHUNK} frames, "
        f"overlap {OVERLAP} (last_frame: 1), started from {OVERLAP} true frames, "
        f"no motion words; Euler, {STEPS} steps, cfg {CFG:g}"
    )
    print("median over seams [95 % interval by bootstrap over scenes]; a seam is left out where its sprite bounces")
    print("".join(f"{name:>24}" for name in ("level", *COLUMNS)))
    print("".join(f"{unit:>24}" for unit in ("", *UNITS)))
    for level in LEVELS:
        rows = [
            seam_rows(make_video(host, scenes, scene, level, seed), scenes, scene, level)
            for scene in range(options.scenes)
            for seed in range(options.seeds)
        ]
        print(f"{level:>24}" + "".join(f"{interval(rows, column):>24}" for column in range(len(COLUMNS))), flush=True)
    return 0


def make_video(host: TinyHost, scenes: Scenes, scene: int, level: str, seed: int) -> Tensor:
    """``(F, 3, H, W)``: the scene continued from its first frames, by the real loop."""
    from ..wan.sampling import HostSampler

    overlap = LEVELS[level]
    total = CHUNK + (CHUNKS - 1) * (CHUNK - overlap)
    plan = plan_chunks(total, chunk_frames=CHUNK, overlap_frames=overlap)
    positive, negative = ([[embed_text(text)[None], {}]] for text in (scenes.captions[scene], ""))
    sampler = HostSampler(
        host.model, positive, negative, 1000 * seed + scene, STEPS, CFG, "euler", "simple", len(plan.chunks)
    )
    state = ChunkState(plan, scenes.frames[scene, :OVERLAP], GuideSettings(level=level))
    return generate(state, Tools(host.vae, sampler)).video


def seam_rows(video: Tensor, scenes: Scenes, scene: int, level: str) -> list[list[float]]:
    """One row of figures per seam at which the scene's sprite goes straight on."""
    appearance = scenes.appearance.select(slice(scene, scene + 1))
    found = locate_sprite(video[None], appearance, 0)[0]
    truth = scenes.centres[scene, 0]
    rows = []
    for seam in range(CHUNK, len(video), CHUNK - LEVELS[level]):
        around = slice(max(0, seam - SPAN), min(seam + SPAN, len(video)))
        if truth[around].diff(dim=0).diff(dim=0).abs().max() > 1e-3:
            continue
        before, after = mean_velocity(found[around.start : seam]), mean_velocity(found[seam : around.stop])
        report = measure_seam(video, seam)
        error = (video[seam : around.stop] - scenes.frames[scene, seam : around.stop]).square().mean()
        rows.append(
            [
                (after - mean_velocity(truth[seam : around.stop])).norm().item(),
                (after - before).norm().item(),
                report.difference_ratio,
                report.colour_step,
                -10 * error.log10().item(),
            ]
        )
    return rows


def interval(rows: list[list[list[float]]], column: int, draws: int = 1000) -> str:
    """Median of a column and its bootstrap interval; videos, not seams, are drawn, since a video's seams are alike."""
    generator = torch.Generator().manual_seed(0)
    values = [torch.tensor([row[column] for row in video]) for video in rows if video]
    medians = []
    for _ in range(draws):
        chosen = torch.randint(len(values), (len(values),), generator=generator).tolist()
        medians.append(torch.cat([values[index] for index in chosen]).median())
    low, high = torch.stack(medians).quantile(torch.tensor([0.025, 0.975])).tolist()
    return f"{torch.cat(values).median():.2f} [{low:.2f}, {high:.2f}]"
