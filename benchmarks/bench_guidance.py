"""What motion guidance does to an exact denoiser, through the host's samplers.

Reports about Wan2.1 contradict each other, so that there are two hypotheses: H1, the model heeds the first known
frame only; H2, it heeds all nine. The figure is the error of the sampled velocity, in pixels per frame.
"""

from __future__ import annotations

import argparse
import logging
import math
from collections import defaultdict
from dataclasses import replace

import torch
from torch import Tensor

from ..wan import ChunkGuide, ChunkRequest, GuideSettings
from ..wan.continuity import guide_chunk
from ..wan.latents import latent_length
from ..wan.levels.motion import ChunkPrediction, follow_prediction
from ..wan.protocols import Hold
from .ideal_denoiser import (
    KNOWN,
    LENGTH,
    SIZE,
    Damage,
    TeacherVae,
    World,
    continuations,
    draw_world,
    ideal_model,
    known_evidence,
)
from .tiny_host import TinyHost, make_sampler

SEED, SHIFT = 9_700_000, 8.0
SAMPLERS = (("euler", 20), ("euler", 6), ("uni_pc", 20), ("dpmpp_2m", 20), ("dpmpp_2m_sde", 20), ("lcm", 6))
WEIGHTS = (0.2, 0.3, 0.5, 0.8)
WRONG = {
    "speed x 0.5": (0.5, 0),
    "speed x 0.75": (0.75, 0),
    "speed x 0.9": (0.9, 0),
    "speed x 1.1": (1.1, 0),
    "speed x 1.25": (1.25, 0),
    "speed x 1.5": (1.5, 0),
    "turned 10 degrees": (1, 10),
    "turned 30 degrees": (1, 30),
    "at rest": (0, 0),
}
DAMAGED = {
    "gain 10 %": Damage(gain=1.1),
    "blur 1 px": Damage(blur=1.0),
    "1 px off": Damage(offset=1.0),
    "0.3 px/frame wrong": Damage(velocity=0.3),
}
"""What may be wrong with the known frames, which a chunk before has made."""


@torch.inference_mode()
def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="dev.py bench guidance", description=__doc__)
    parser.add_argument("--scenes", type=int, default=20)
    parser.add_argument("--seeds", type=int, default=2)
    options = parser.parse_args(arguments)
    host = TinyHost(SHIFT)
    logging.getLogger().setLevel(logging.ERROR)
    vae = TeacherVae(host.model.model.latent_format)
    generator = torch.Generator().manual_seed(SEED)
    worlds = [draw_world(generator) for _ in range(options.scenes)]
    errors = defaultdict(list)
    for number, world in enumerate(worlds):
        truth = world.render(world.velocity[None])
        bank = vae.code(world.render(continuations()))
        evidence = known_evidence(bank, vae.code(truth), latent_length(KNOWN))
        guides = [(name, guide, evidence) for name, guide in make_guides(world, truth[0, :KNOWN], vae).items()]
        for kind, damage in DAMAGED.items():
            known = damage.render(world)
            seen = known_evidence(bank, vae.code(known), latent_length(KNOWN))
            for level in ("overlap_pinned", "motion"):
                guides.append((f"{level}, {kind}", guide_level(level, known[0], vae), seen))
        for name, guide, seen in guides:
            for hypothesis, heeded in (("H1", None), ("H2", seen)):
                model = ideal_model(host.model, bank, heeded)
                for sampler, steps in SAMPLERS:
                    for seed in range(options.seeds):
                        latent = sample(model, guide, sampler, steps, 100 * number + seed)
                        found = nearest(vae, latent, bank)
                        errors[name, hypothesis, sampler, steps].append((found - world.velocity).norm().item())
    print(f"{options.scenes} scenes x {options.seeds} seeds, shift {SHIFT:g}; error of the velocity, px/frame")
    print_table(errors)
    return 0


def make_guides(world: World, known: Tensor, vae: TeacherVae) -> dict[str, ChunkGuide]:
    """By name: the levels as the pack makes them, other weights, and predictions that are certain and wrong."""

    guides = {level: guide_level(level, known, vae) for level in ("overlap", "overlap_pinned", "motion")}
    guides |= {f"motion, weight {weight}": guide_level("motion", known, vae, weight) for weight in WEIGHTS}
    pinned = guides["overlap_pinned"]
    request = replace(pinned.request, settings=GuideSettings("motion"))
    hold = Hold(pinned.record, pinned.samples, pinned.noise_mask)
    for name, (gain, degrees) in {"certain and right": (1, 0), **WRONG}.items():
        clip = world.render(*wrong_motion(world, gain, degrees))[0, KNOWN:]
        certain = ChunkPrediction(clip, torch.ones(len(clip), 1, SIZE, SIZE))
        found = follow_prediction(request, hold, certain, vae)
        guides[name] = replace(
            pinned, request=request, record=found.record, samples=found.samples, end_percent=found.end_percent
        )
    return guides


def guide_level(level: str, known: Tensor, vae: TeacherVae, weight: float = GuideSettings.motion_weight) -> ChunkGuide:
    """The guide that the pack makes of the known frames."""
    settings = GuideSettings(level, motion_weight=weight)
    return guide_chunk(ChunkRequest(1, LENGTH, known, (SIZE, SIZE), continues=True, settings=settings), vae)


def wrong_motion(world: World, gain: float, degrees: float) -> tuple[Tensor, Tensor]:
    """Velocity ``(1, 2)`` and start ``(2,)`` of a motion that meets the true one in the last known frame."""
    turn = math.radians(degrees)
    rotation = torch.tensor([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]])
    wrong = gain * rotation @ world.velocity
    return wrong[None], world.start + (KNOWN - 1) * (world.velocity - wrong)


def sample(model, guide: ChunkGuide, sampler: str, steps: int, seed: int) -> Tensor:
    return make_sampler(model, [("", "")], seed, steps=steps, cfg=1.0, sampler_name=sampler)(guide)


def nearest(vae: TeacherVae, latent: Tensor, bank: Tensor) -> Tensor:
    """The velocity ``(2,)`` of the continuation that the free latents are nearest to."""
    free = slice(latent_length(KNOWN), None)
    found = vae.latent_format.process_in(latent)[:, :, free]
    return continuations()[(bank[:, :, free] - found).flatten(1).square().sum(dim=1).argmin()]


def print_table(errors) -> None:
    for hypothesis in ("H1", "H2"):
        print(f"\n{hypothesis}: median / 90th percentile")
        print(f"{'':>36}" + "".join(f"{f'{sampler} {steps}':>18}" for sampler, steps in SAMPLERS))
        for name in dict.fromkeys(name for name, *_ in errors):
            cells = []
            for sampler, steps in SAMPLERS:
                values = torch.tensor(errors[name, hypothesis, sampler, steps])
                cells.append(f"{values.median().item():.2f} / {values.quantile(0.9).item():.2f}")
            print(f"{name:>36}" + "".join(f"{cell:>18}" for cell in cells))
