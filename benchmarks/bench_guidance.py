"""What motion guidance does to an exact denoiser, through the host's samplers.

Reports about Wan2.1 contradict each other, so that there are two hypotheses: H1, the model heeds the first known
frame only; H2, it heeds all nine. The figure is the error of the sampled velocity, in pixels per frame.
"""

from __future__ import annotations

import argparse
import logging
import math
from collections import defaultdict
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
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

SEED = 9_700_000
KEPT = 0.2
"""Share of its input that a student leaves in what it gives out."""
LAPLACIAN = torch.tensor([[0.0, -1.0, 0.0], [-1.0, 4.0, -1.0], [0.0, -1.0, 0.0]])[None, None]


@dataclass(frozen=True)
class Column:
    """One way to sample."""

    sampler: str
    steps: int
    shift: float = 5.0
    switch: int = 0
    """Steps of the high-noise expert, which is as exact as the other; 0 for one model."""
    scheduler: str = "simple"

    @property
    def name(self) -> str:
        steps = f"{self.switch} + {self.steps - self.switch}" if self.switch else f"{self.steps}"
        scheduler = "" if self.scheduler == "simple" else f" {self.scheduler}"
        return f"{self.sampler} {steps}{scheduler}, shift {self.shift:g}"


STEPS = (
    Column("euler", 4),
    Column("lcm", 4),
    Column("euler", 4, switch=2),
    Column("euler", 6),
    Column("euler", 6, switch=3),
    Column("euler", 8),
    Column("euler", 20, switch=8),
    Column("euler", 20),
)
SAMPLERS = (
    Column("euler", 4, 8.0),
    Column("euler", 6, 8.0),
    Column("lcm", 6, 8.0),
    Column("euler", 20, 8.0),
    Column("uni_pc", 20, 8.0),
    Column("dpmpp_2m_sde", 20, 8.0),
    Column("euler", 20, scheduler="karras"),
)
TABLES = {
    "steps": ("H1", False, STEPS),
    "samplers": ("H1", False, SAMPLERS),
    "student": ("H1", True, STEPS),
    "heeded": ("H2", False, tuple(column for column in STEPS if column.steps in (4, 20))),
}
"""By name: the hypothesis, whether a student denoises, and the columns."""
WEIGHTS = (0.2, 0.5, 0.8)
WRONG = {
    "speed x 0.5": (0.5, 0),
    "speed x 0.75": (0.75, 0),
    "speed x 1.5": (1.5, 0),
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
    parser.add_argument("--tables", nargs="+", choices=TABLES, default=list(TABLES))
    parser.add_argument(
        "--kept", type=float, default=KEPT, help="share of its input that a student leaves in its output"
    )
    options = parser.parse_args(arguments)
    shifts = {column.shift for table in options.tables for column in TABLES[table][2]}
    hosts = {shift: TinyHost(shift) for shift in sorted(shifts)}
    logging.getLogger().setLevel(logging.ERROR)
    vae = TeacherVae(next(iter(hosts.values())).model.model.latent_format)
    generator = torch.Generator().manual_seed(SEED)
    figures = defaultdict(list)
    for number in range(options.scenes):
        world = draw_world(generator)
        bank = vae.code(world.render(continuations()))
        for name, guide, seen in draw_guides(world, bank, vae):
            for table in options.tables:
                hypothesis, student, columns = TABLES[table]
                for column in columns:
                    evidence, kept = seen if hypothesis == "H2" else None, options.kept if student else 0.0
                    model = ideal_model(hosts[column.shift].model, bank, evidence, kept)
                    for seed in range(options.seeds):
                        latent = sample(model, guide, column, 100 * number + seed)
                        figures[table, name, column].append(measure(vae, latent, bank, world))
    print(f"{options.scenes} scenes x {options.seeds} seeds; error of the velocity, px/frame: median / 90th percentile")
    for table in options.tables:
        print_table(table, options.kept, figures)
    return 0


def draw_guides(world: World, bank: Tensor, vae: TeacherVae) -> list[tuple[str, ChunkGuide, Tensor]]:
    """Name, guide, and the evidence of the known frames for each clip of the bank."""
    known = world.render(world.velocity[None])[:, :KNOWN]
    seen = known_evidence(bank, vae.code(known), latent_length(KNOWN))
    guides = [(name, guide, seen) for name, guide in make_guides(world, known[0], vae).items()]
    for kind, damage in DAMAGED.items():
        known = damage.render(world)
        seen = known_evidence(bank, vae.code(known), latent_length(KNOWN))
        for level in ("overlap_pinned", "motion"):
            guides.append((f"{level}, {kind}", guide_level(level, known[0], vae), seen))
    return guides


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


def sample(model, guide: ChunkGuide, column: Column, seed: int) -> Tensor:
    sampler = make_sampler(
        model,
        [("", "")],
        seed,
        steps=column.steps,
        cfg=1.0,
        sampler_name=column.sampler,
        scheduler=column.scheduler,
        switch=column.switch,
    )
    return sampler(guide)


def measure(vae: TeacherVae, latent: Tensor, bank: Tensor, world: World) -> list[float]:
    """Of the continuation that the free latents are nearest to: its velocity's error, and how much of it is there."""
    free = slice(latent_length(KNOWN), None)
    distance = (bank[:, :, free] - vae.latent_format.process_in(latent)[:, :, free]).flatten(1).square().sum(dim=1)
    nearest = distance.argmin()
    error = (continuations()[nearest] - world.velocity).norm().item()
    sharp = vae.decode(vae.latent_format.process_out(bank[nearest, None]))
    return [error, fine_detail(vae.decode(latent)[0, KNOWN:], sharp[0, KNOWN:])]


def fine_detail(frames: Tensor, sharp: Tensor) -> float:
    """The share of the fine detail of sharp frames that others have: 1 if alike, 0 for plain or unlike ones.

    Noise adds nothing to it on average, as it would to the energy of gradients.

    Args:
        frames, sharp: ``(T, H, W, 3)`` in [0, 1].
    """
    found, true = (F.conv2d(clip.mean(dim=-1)[:, None], LAPLACIAN) for clip in (frames, sharp))
    return ((found * true).sum() / true.square().sum()).item()


def print_table(table: str, kept: float, figures) -> None:
    hypothesis, student, columns = TABLES[table]
    names = dict.fromkeys(name for found, name, _ in figures if found == table)
    words = f"; a student that keeps {kept:g} of its input; and the mean share of the fine detail" if student else ""
    print(f"\n{table}: {hypothesis}{words}")
    print(f"{'':>36}" + "".join(f"{column.name:>26}" for column in columns))
    for name in names:
        cells = []
        for column in columns:
            error, detail = torch.tensor(figures[table, name, column]).unbind(dim=1)
            cell = f"{error.median().item():.2f} / {error.quantile(0.9).item():.2f}"
            cells.append(f"{cell}, {detail.mean().item():.3f}" if student else cell)
        print(f"{name:>36}" + "".join(f"{cell:>26}" for cell in cells), flush=True)
