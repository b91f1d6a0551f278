"""How good the tiny models are, on scenes that no training seed draws."""

from __future__ import annotations

import argparse
import math

import torch
from torch import Tensor

from ..tiny.scenes import COMPASS, Scenes, draw_scenes
from ..tiny.tracking import is_straight, locate_sprite, mean_velocity
from .tiny_host import TinyHost, batches

SEED = 9_000_000
LENGTH, FREE = 17, 8
"""Frames of a chunk, and how many of the free ones are judged."""
CAPTION_CFG = 3.0


@torch.inference_mode()
def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="dev.py bench tiny", description=__doc__)
    parser.add_argument("--scenes", type=int, default=64)
    options = parser.parse_args(arguments)
    host = TinyHost()
    scenes = draw_scenes(options.scenes, LENGTH, torch.Generator().manual_seed(SEED), turn=0.0, say_motion=0.0)
    print(f"{options.scenes} held-out scenes, 64 x 64 x {LENGTH}, Euler, 20 steps, cfg 1")
    coded = host.decode(host.encode(scenes.frames))
    print(f"VAE: {psnr(coded, scenes.frames).mean():.2f} dB PSNR")
    print(f"velocity error of the next {FREE} frames, px/frame, over sprites (straight: over those that do not bounce)")
    print(f"{'known frames':>18} {'median':>8} {'straight':>8} {'90th pct':>8} {'at rest':>8} {'PSNR dB':>8}")
    for known in (1, 5, 9):
        videos = [
            host.continue_clips(scenes.frames[part, :known], LENGTH, list(scenes.captions[part]), seed=1)
            for part in batches(scenes)
        ]
        print_row(str(known), torch.cat(videos), scenes, slice(known, known + FREE))
    print_row("truth through VAE", coded, scenes, slice(9, 9 + FREE))
    followed, told = captions(host, options.scenes)
    share = 100 * followed / max(told, 1)
    print(f"direction words followed within 45 degrees (25 % by chance), from one frame, cfg {CAPTION_CFG:g}:")
    print(f"{followed} of {told}, {share:.0f} %")
    return 0


def psnr(videos: Tensor, truth: Tensor) -> Tensor:
    """``(B, T, 3, H, W)`` both to ``(B,)`` dB."""
    return -10 * (videos - truth).square().mean(dim=(1, 2, 3, 4)).log10()


def print_row(name: str, videos: Tensor, scenes: Scenes, judged: slice) -> None:
    """Velocity errors of all sprites over the judged frames, what they would be at rest, and the PSNR."""
    errors, resting, straight = [], [], []
    for index in range(scenes.present.shape[1]):
        there = scenes.present[:, index]
        path = scenes.centres[there, index, judged]
        found = mean_velocity(locate_sprite(videos[:, judged], scenes.appearance, index))[there]
        errors.append((found - mean_velocity(path)).norm(dim=-1))
        resting.append(mean_velocity(path).norm(dim=-1))
        straight.append(is_straight(path))
    error, rest, straight = torch.cat(errors), torch.cat(resting), torch.cat(straight)
    picture = psnr(videos[:, judged], scenes.frames[:, judged]).mean()
    figures = (error.median(), error[straight].median(), error.quantile(0.9), rest.median(), picture)
    print(f"{name:>18} " + " ".join(f"{figure:8.2f}" for figure in figures), flush=True)


def captions(host: TinyHost, count: int) -> tuple[int, int]:
    """How many direction words are followed within 45 degrees, and how many there are."""
    scenes = draw_scenes(count, LENGTH, torch.Generator().manual_seed(SEED + 1), turn=0.0)
    followed = told = 0
    for part in batches(scenes):
        video = host.continue_clips(
            scenes.frames[part, :1], LENGTH, list(scenes.captions[part]), seed=2, cfg=CAPTION_CFG
        )
        for index in range(scenes.present.shape[1]):
            moved = mean_velocity(locate_sprite(video, scenes.appearance.select(part), index))
            for scene, caption in enumerate(scenes.captions[part]):
                words = caption.split(", ")
                straight = is_straight(scenes.centres[part][scene, index])
                if not scenes.present[part][scene, index] or "moves" not in words[index] or not straight:
                    continue  # a sprite that bounces in its own clip does not do what the caption says at first
                direction = words[index].split("moves ")[1].rsplit(" ", 1)[0]
                angle = COMPASS.index(direction) * math.pi / 4
                x, y = moved[scene].tolist()
                turned = math.remainder(math.atan2(y, x) - angle, 2 * math.pi)
                told += 1
                followed += abs(turned) <= math.pi / 4 and math.hypot(x, y) > 0.2
    return followed, told
