"""A prompt that changes mid-video: does the tiny Wan2.1 turn as asked, and what does the change cost at its seam.

One sprite is told to go its way, and in the second chunk to go back the way it came. ``along`` is its velocity in the
asked direction over the speed it was told: 1 as asked, -1 as before. The seam is
measured against real, cut-free video (1: as rough as one place in a hundred of that).
"""

from __future__ import annotations

import argparse
import logging

import torch

from ..tiny.scenes import Scenes, describe_velocity, draw_scenes
from ..tiny.tracking import is_straight, locate_sprite, mean_velocity
from ..wan import ChunkState, GuideSettings, Keyframe, Tools, generate, plan_chunks
from .tiny_host import KINDS, STEPS, TinyHost, make_sampler

SEED = 9_700_000
CHUNK, OVERLAP = 41, 9
ADDED = CHUNK - OVERLAP
FRAMES = CHUNK + ADDED
WINDOW = 8
"""Frames over which a velocity is taken."""
CFG = 2.0
SLOW, FAST = 0.4, 1.2
"""Pixels per frame between which a sprite is taken, if it meets no edge on its way."""
ROWS = {
    "no change, overlap_pinned": (GuideSettings("overlap_pinned"), None),
    "no change, motion": (GuideSettings("motion"), None),
    "no change, auto": (GuideSettings("auto"), None),
    "no change, step_gain 0.5": (GuideSettings("motion", step_gain=0.5), None),
    "overlap_pinned": (GuideSettings("overlap_pinned"), 0.0),
    "motion": (GuideSettings("motion"), 0.0),
    "auto": (GuideSettings("auto"), 0.0),
    "motion, step_gain 0.5": (GuideSettings("motion", step_gain=0.5), 0.0),
    "motion, over 2 chunks": (GuideSettings("motion"), 2.0),
}
PARTS = ADDED // WINDOW
COLUMNS = ("chunk 1", *(f"frames {WINDOW * part + 1}-{WINDOW * (part + 1)}" for part in range(PARTS)))
COLUMNS += ("turned, %", "frames to turn", "seam score")


@torch.inference_mode()
def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="dev.py bench prompts", description=__doc__)
    parser.add_argument("--scenes", type=int, default=24)
    parser.add_argument("--rows", nargs="+", choices=ROWS, default=list(ROWS))
    parser.add_argument("--model", choices=KINDS, default="follows")
    options = parser.parse_args(arguments)
    host = TinyHost(transformer=KINDS[options.model])
    logging.getLogger().setLevel(logging.WARNING)
    drawn = draw_scenes(
        12 * options.scenes,
        FRAMES,
        torch.Generator().manual_seed(SEED),
        turn=0.0,
        two_sprites=0.0,
        pan=0.0,
    )
    speed = drawn.velocities[:, 0, 0].norm(dim=-1)
    numbers = (
        ((speed > SLOW) & (speed < FAST) & is_straight(drawn.centers[:, 0])).nonzero()[: options.scenes, 0].tolist()
    )
    print(
        f"{len(numbers)} scenes of two chunks of {CHUNK} frames, overlap {OVERLAP}; "
        f"{options.model}, Euler, {STEPS} steps, cfg {CFG:g}; along in chunk 1 and in the frames that chunk 2 adds"
    )
    print(f"{'median over scenes':>26}" + "".join(f"{column:>16}" for column in COLUMNS))
    for name, (settings, transition) in ((name, ROWS[name]) for name in options.rows):
        rows = torch.tensor([measure(host, drawn, scene, settings, transition) for scene in numbers])
        turned = 100 * (rows[:, PARTS] > 0).float().mean()
        values = rows.nanmedian(dim=0).values.tolist()
        values.insert(PARTS + 1, turned.item())
        print(f"{name:>26}" + "".join(f"{value:>16.2f}" for value in values), flush=True)
    return 0


def measure(
    host: TinyHost, scenes: Scenes, scene: int, settings: GuideSettings, transition: float | None
) -> list[float]:
    """Velocity in the asked direction in chunk 1 and in each part of chunk 2, the frames of chunk 2 until it goes that
    way, as many as there are if it never does, and the score of the seam."""
    way = scenes.velocities[scene, 0, 0]
    here = scenes.captions[scene]
    back = here.replace(describe_velocity(way), describe_velocity(-way))
    keyframes = [Keyframe(here, "")]
    if transition is not None:
        keyframes.append(Keyframe(back, "", 1, transition=transition))
    prompts = [(keyframe.positive, keyframe.negative) for keyframe in keyframes]
    plan = plan_chunks(FRAMES, chunk_frames=CHUNK, overlap_frames=OVERLAP, keyframes=keyframes)
    state = ChunkState(plan, scenes.frames[scene, :1], settings)
    state = generate(state, Tools(host.vae, make_sampler(host.model, prompts, scene, cfg=CFG)))
    score = next(record.score for record in state.records if record.score is not None)
    asked = way / way.square().sum() * (1 if transition is None else -1)
    found = locate_sprite(state.video[None], scenes.appearance.select(slice(scene, scene + 1)), 0)[0]
    places = [slice(CHUNK - 2 * WINDOW, CHUNK)]
    places += [slice(CHUNK + WINDOW * part, CHUNK + WINDOW * (part + 1)) for part in range(PARTS)]
    along = [(mean_velocity(found[place]) @ asked).item() for place in places]
    windows = found[CHUNK - WINDOW // 2 :].unfold(0, WINDOW, 1).transpose(1, 2)  # each around a frame of chunk 2
    turned = mean_velocity(windows) @ asked > 0
    frames = turned.float().argmax().item() if turned.any() else ADDED
    return [*along, frames, score]
