"""One chunk of the tiny Wan2.1 after nine true frames of a fast sprite, at each level and motion weight.

In ``bench seams`` a chunk follows frames that the model made, whose velocity may be wrong before the seam already and
is carried on as it is. Here the overlap is the truth, so that an error is the seam's own.
"""

from __future__ import annotations

import argparse
import logging

import torch
from torch import Tensor

from ..tiny.scenes import Scenes, draw_scenes
from ..tiny.tracking import is_straight, locate_sprite, mean_velocity
from ..wan import ChunkRequest, GuideSettings
from ..wan.continuity import guide_chunk
from .bench_seams import CHUNK, FAST, OVERLAP, SPAN, print_row
from .tiny_host import KINDS, TinyHost, make_sampler

SEED = 9_600_000
JUDGED = slice(OVERLAP, OVERLAP + SPAN)
"""Frames of the chunk that are held against the truth."""
DRAWN = 240
"""Scenes among which the fast and straight ones are looked for."""
ROWS = {
    "overlap": GuideSettings("overlap"),
    "overlap_pinned": GuideSettings("overlap_pinned"),
    "motion": GuideSettings("motion"),
    "motion, weight 0.5": GuideSettings("motion", motion_weight=0.5),
    "motion, weight 0.8": GuideSettings("motion", motion_weight=0.8),
    "motion, step_gain 0.5": GuideSettings("motion", step_gain=0.5),
    "auto": GuideSettings("auto"),
}


@torch.inference_mode()
def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="dev.py bench continue", description=__doc__)
    parser.add_argument("--scenes", type=int, default=24)
    parser.add_argument("--model", choices=KINDS, default="follows")
    options = parser.parse_args(arguments)
    host = TinyHost(transformer=KINDS[options.model])
    logging.getLogger().setLevel(logging.ERROR)
    scenes = draw_scenes(DRAWN, CHUNK, torch.Generator().manual_seed(SEED), turn=0.0, say_motion=0.0, two_sprites=0.0)
    speed = scenes.velocities[:, 0].norm(dim=-1).median(dim=-1).values
    numbers = (
        ((speed > FAST) & is_straight(scenes.centers[:, 0, 2 : JUDGED.stop])).nonzero()[: options.scenes, 0].tolist()
    )
    print(
        f"{len(numbers)} held-out scenes, sprites faster than {FAST} px/frame, {OVERLAP} true frames; the next {SPAN}"
    )
    print("frames against the truth: median over scenes [95 % interval]; then minus overlap_pinned, paired")
    print("".join(f"{name:>26}" for name in ("level", "velocity error, px/frame", "PSNR, dB")))
    figures = {}
    for name, settings in ROWS.items():
        rows = [[measure(continue_scene(host, scenes, scene, settings), scenes, scene)] for scene in numbers]
        figures[name] = torch.tensor(rows)  # (scene, 1, column)
        print_row(name, figures[name])
    for name in list(ROWS)[2:]:
        print_row(f"{name} - pinned", figures[name] - figures["overlap_pinned"])
    return 0


def continue_scene(host: TinyHost, scenes: Scenes, scene: int, settings: GuideSettings) -> Tensor:
    """``(41, 3, H, W)``: a chunk after the scene's first frames."""
    known = scenes.frames[scene, :OVERLAP]
    height, width = known.shape[-2:]
    request = ChunkRequest(1, CHUNK, known, (height, width), continues=True, settings=settings)
    sampler = make_sampler(host.model, [(scenes.captions[scene], "")], scene)
    return host.decode(sampler(guide_chunk(request, host.vae)))[0]


def measure(video: Tensor, scenes: Scenes, scene: int) -> list[float]:
    """Velocity error and PSNR of the first frames that the chunk added."""
    found = locate_sprite(video[None], scenes.appearance.select(slice(scene, scene + 1)), 0)[0]
    error = mean_velocity(found[JUDGED]) - mean_velocity(scenes.centers[scene, 0, JUDGED])
    difference = (video[JUDGED] - scenes.frames[scene, JUDGED]).square().mean()
    return [error.norm().item(), -10 * difference.log10().item()]
