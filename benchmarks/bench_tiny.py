"""How good the tiny models are, on scenes that no training seed draws."""

from __future__ import annotations

import argparse
import math
from pathlib import Path

import torch
from torch import Tensor

from ..tiny import TRANSFORMER
from ..tiny.scenes import COMPASS, Scenes, draw_scenes
from ..tiny.tracking import is_straight, locate_sprite, mean_velocity, shape_psnr
from .tiny_host import TinyHost, batches

SEED = 9_000_000
LENGTH, NEAR, FAR = 17, 8, 32
"""Frames of a chunk; the free frames that are judged: the first ``NEAR``, and those from there to ``FAR``."""
CAPTION_CFG = 3.0
JUDGED = 17
"""Frames in which a caption must be followed."""
OVERLAP, CHUNKS = 9, 5
MOVES = 0.4
"""Pixels per frame from which a speed can be kept."""


@torch.inference_mode()
def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="dev.py bench tiny", description=__doc__)
    parser.add_argument("--model", type=Path, default=TRANSFORMER, help="another transformer for the same VAE")
    parser.add_argument("--length", type=int, default=LENGTH, help="frames of a chunk, 4n + 1, 17 or more")
    parser.add_argument("--scenes", type=int, default=64)
    parser.add_argument("--chunks", type=int, default=CHUNKS, help="chunks in a row; 0 leaves them out")
    options = parser.parse_args(arguments)
    host, length = TinyHost(transformer=options.model), options.length
    scenes = draw_scenes(options.scenes, length, torch.Generator().manual_seed(SEED), turn=0.0, say_motion=0.0)
    print(f"{options.model.name}: {options.scenes} held-out scenes, 64 x 64 x {length}, Euler, 20 steps, cfg 1")
    coded = host.decode(host.encode(scenes.frames))
    print(f"VAE: {psnr(coded, scenes.frames).mean():.2f} dB PSNR")
    print("velocity error, px/frame, over sprites (straight: over those that do not bounce)")
    print(
        f"{'known frames':>18} {'free':>8} {'median':>8} {'straight':>8} {'90th pct':>8} {'at rest':>8} {'PSNR dB':>8}"
    )
    for known in (1, 5, 9):
        videos = [
            host.continue_clips(scenes.frames[part, :known], length, list(scenes.captions[part]), seed=1)
            for part in batches(scenes)
        ]
        print_rows(str(known), torch.cat(videos), scenes, known)
    print_rows("truth through VAE", coded, scenes, 9)
    followed, told = captions(host, options.scenes, length)
    share = 100 * followed / max(told, 1)
    print(f"direction words followed within 45 degrees (25 % by chance), from one frame, cfg {CAPTION_CFG:g}:")
    print(f"{followed} of {told}, {share:.0f} %")
    if options.chunks:
        print_chunks(host, options.scenes, length, options.chunks)
    return 0


def psnr(videos: Tensor, truth: Tensor) -> Tensor:
    """``(B, T, 3, H, W)`` both to ``(B,)`` dB."""
    return -10 * (videos - truth).square().mean(dim=(1, 2, 3, 4)).log10()


def print_rows(name: str, videos: Tensor, scenes: Scenes, known: int) -> None:
    """A row of the first free frames and, where a chunk has them, one of those further on."""
    length = videos.shape[1]
    print_row(name, videos, scenes, known, slice(known, known + NEAR))
    if length - known - NEAR > NEAR:
        print_row(name, videos, scenes, known, slice(known + NEAR, min(known + FAR, length)))


def print_row(name: str, videos: Tensor, scenes: Scenes, known: int, judged: slice) -> None:
    """Velocity errors of all sprites over the judged frames, what they would be at rest, and the PSNR."""
    errors, resting, straight = [], [], []
    for index in range(scenes.present.shape[1]):
        there = scenes.present[:, index]
        path = scenes.centers[there, index, judged]
        found = mean_velocity(locate_sprite(videos[:, judged], scenes.appearance, index))[there]
        errors.append((found - mean_velocity(path)).norm(dim=-1))
        resting.append(mean_velocity(path).norm(dim=-1))
        straight.append(is_straight(path))
    error, rest, straight = torch.cat(errors), torch.cat(resting), torch.cat(straight)
    picture = psnr(videos[:, judged], scenes.frames[:, judged]).mean()
    figures = (error.median(), error[straight].median(), error.quantile(0.9), rest.median(), picture)
    free = f"{judged.start - known + 1}-{judged.stop - known}"
    print(f"{name:>18} {free:>8} " + " ".join(f"{figure:8.2f}" for figure in figures), flush=True)


def captions(host: TinyHost, count: int, length: int) -> tuple[int, int]:
    """How many direction words are followed within 45 degrees, and how many there are."""
    scenes = draw_scenes(count, length, torch.Generator().manual_seed(SEED + 1), turn=0.0)
    followed = told = 0
    for part in batches(scenes):
        video = host.continue_clips(
            scenes.frames[part, :1], length, list(scenes.captions[part]), seed=2, cfg=CAPTION_CFG
        )[:, :JUDGED]
        for index in range(scenes.present.shape[1]):
            moved = mean_velocity(locate_sprite(video, scenes.appearance.select(part), index))
            for scene, caption in enumerate(scenes.captions[part]):
                words = caption.split(", ")
                straight = is_straight(scenes.centers[part][scene, index, :JUDGED])
                if not scenes.present[part][scene, index] or "moves" not in words[index] or not straight:
                    continue  # a sprite that bounces in its own clip does not do what the caption says at first
                direction = words[index].split("moves ")[1].rsplit(" ", 1)[0]
                angle = COMPASS.index(direction) * math.pi / 4
                x, y = moved[scene].tolist()
                turned = math.remainder(math.atan2(y, x) - angle, 2 * math.pi)
                told += 1
                followed += abs(turned) <= math.pi / 4 and math.hypot(x, y) > 0.2
    return followed, told


def print_chunks(host: TinyHost, count: int, length: int, chunks: int) -> None:
    """What is left of shape and speed, chunk after chunk, each from the last frames of the one before, pinned."""
    scenes = draw_scenes(
        count, length, torch.Generator().manual_seed(SEED + 2), turn=0.0, say_motion=0.0, two_sprites=0.0
    )
    speed = scenes.velocities[:, 0].norm(dim=-1).median(dim=1).values
    moving = speed > MOVES
    print(f"chunks in a row, {OVERLAP} frames shared and pinned, no motion words, one sprite: medians over scenes")
    print(f"{'chunk':>18} {'shape dB':>8} {'speed kept':>10}   of the {int(moving.sum())} that move")
    coded = host.decode(host.encode(scenes.frames))
    rows = [("truth through VAE", coded)]
    known = scenes.frames[:, :OVERLAP]
    for chunk in range(chunks):
        video = torch.cat(
            [
                host.continue_clips(known[part], length, list(scenes.captions[part]), seed=10 + chunk, pinned=True)
                for part in batches(scenes)
            ]
        )
        known = video[:, -OVERLAP:]
        rows.append((str(chunk + 1), video))
    for name, video in rows:
        free = video[:, OVERLAP:]
        centers = locate_sprite(free, scenes.appearance, 0)
        shape = shape_psnr(free, scenes.appearance, 0, centers).median(dim=1).values
        # Short windows, few of which hold a bounce.
        velocity = mean_velocity(centers.unfold(1, NEAR, 1).transpose(2, 3))
        kept = velocity.norm(dim=-1).median(dim=1).values / speed
        print(f"{name:>18} {shape.median():8.2f} {kept[moving].median():10.2f}", flush=True)
