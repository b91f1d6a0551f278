"""Chunks in a row by an exact denoiser, each from where the one before ended: does motion keep its speed, its direction
and its place, and how soon is another prompt followed?

Under H1 the denoiser follows the first known frame only, under H2 all of them, between in half of its cases.
"""

from __future__ import annotations

import argparse
import logging
import math
from collections import defaultdict
from dataclasses import dataclass, replace
from itertools import product

import torch
from torch import Tensor

from ..wan import ChunkGuide, ChunkRequest, GuideSettings
from ..wan.continuity import guide_chunk
from ..wan.levels.motion import LATENTS, NoPrediction, follow_prediction, predict_chunk
from ..wan.protocols import Hold
from .bench_guidance import Column, sample
from .closed_loop import Chunk, draw_bank, fit_path, start_of
from .ideal_denoiser import SIZE, TeacherVae, World, draw_world, ideal_model, known_evidence, mixed
from .paths import PathCoder, paint
from .tiny_host import TinyHost

SEED = 9_800_000
SHIFT = 5.0
CHUNKS, CHANGED = 8, 3
"""In a row that are told one velocity; and those that are told the opposite, behind one that went as it was told."""
TRAVEL = (16, 28)
"""Pixels that a sprite is told to cover in a chunk, at least and at most."""
MODELS = {"H1": 0.0, "mixed": 0.5, "H2": 1.0}
ROWS = {
    "overlap_pinned": GuideSettings("overlap_pinned"),
    "motion, shrunk": GuideSettings("motion"),
    "motion": GuideSettings("motion"),
    "motion, step_gain 0.5": GuideSettings("motion", step_gain=0.5),
    "auto": GuideSettings("auto"),
}
SHRUNK = "motion, shrunk"
"""Guides by the best guess of the picture, which is slower than the motion, as a picture's prediction is."""


@dataclass(frozen=True)
class Case:
    """One table."""

    model: str
    steps: int
    chunk: Chunk
    shake: float
    """Pixels, the deviation of the sprite's place in each known frame."""


@dataclass(frozen=True)
class Made:
    """What a chunk made of the motion that it was given."""

    velocity: Tensor
    """``(2,)`` pixels per frame at its end."""
    moved: Tensor
    """``(2,)`` pixels from the last known frame to the end."""
    jump: float
    """Pixels by which its first new frame is off where the known motion leads."""
    turned: float
    """New frames before it goes the way that it was told; infinite if it never does."""
    heed: float
    """How far the denoiser seemed to follow the known frames; NaN where nothing was guided."""


@dataclass(frozen=True)
class Loop:
    """One scene."""

    world: World
    coder: PathCoder
    vae: TeacherVae
    model: object
    """A MODEL of the host."""

    def make(self, case: Case, row: str, velocity: Tensor, told: Tensor, seed: int) -> Made:
        """One chunk behind known frames of a ``velocity`` (2,), by a model that is ``told`` (2,) another."""
        generator, chunk = torch.Generator().manual_seed(seed), case.chunk
        start = start_of(velocity, told, chunk)
        centers = start + velocity * torch.arange(chunk.known)[:, None]
        known = paint(self.world, centers + case.shake * torch.randn(centers.shape, generator=generator))
        paths, likely = draw_bank(start, velocity, told, chunk, generator)
        bank, seen = self.coder.code(paths.centers(chunk.length)), self.vae.code(known[None])
        beliefs = mixed(known_evidence(bank, seen, seen.shape[2]), MODELS[case.model], likely)
        guide = make_guide(row, known, chunk, self.vae)
        latent = sample(ideal_model(self.model, bank, beliefs), guide, Column("euler", case.steps, SHIFT), seed)
        found = fit_path(self.coder, self.vae.latent_format.process_in(latent), paths, bank, chunk)
        made = found.centers(chunk.length)[0]
        heed = None if guide.heed is None else guide.heed.read()
        goes = made.diff(dim=0)[chunk.known :] @ told > 0
        return Made(
            found.later[0],
            made[-1] - centers[-1],
            (made[chunk.known] - (start + velocity * chunk.known)).norm().item(),
            goes.float().argmax().item() if goes.any() else math.inf,
            math.nan if heed is None else heed,
        )

    def follow(self, case: Case, row: str, told: Tensor, seed: int) -> list[float]:
        """Speed along the told one over it in each chunk; then of the last chunk the angle to it, degrees; the place in
        the end, % of the way; the largest jump, pixels; the median heed; and the new frames until the opposite is
        followed."""
        square, velocity, moved, kept, jump, heed = told.square().sum(), told, torch.zeros(2), [], 0.0, []
        for index in range(CHUNKS):
            made = self.make(case, row, velocity, told, seed + index)
            velocity, moved, jump = made.velocity, moved + made.moved, max(jump, made.jump)
            kept.append((velocity @ told / square).item())
            heed.append(made.heed)
        angle = torch.atan2(told[0] * velocity[1] - told[1] * velocity[0], told @ velocity).abs().rad2deg().item()
        way = told * CHUNKS * case.chunk.new
        place = 100 * ((moved - way).norm() / way.norm()).item()
        velocity, frames = told, 0.0
        for index in range(CHANGED):
            made = self.make(case, row, velocity, -told, seed + CHUNKS + index)
            velocity = made.velocity
            frames += min(made.turned, case.chunk.new)
            if made.turned < math.inf:
                break
        return [*kept, angle, place, jump, torch.tensor(heed).nanmedian().item(), frames]


def make_guide(row: str, known: Tensor, chunk: Chunk, vae: TeacherVae) -> ChunkGuide:
    """The guide that the pack makes of known frames, or would if its predictions were shrunk."""
    settings = ROWS[row]
    request = ChunkRequest(1, chunk.length, known, (SIZE, SIZE), continues=True, settings=settings)
    if row != SHRUNK:
        return guide_chunk(request, vae)
    guide = guide_chunk(replace(request, settings=ROWS["overlap_pinned"]), vae)
    try:
        prediction = predict_chunk(known, LATENTS, settings.step_gain, shrink=True)
    except NoPrediction:
        return guide
    found = follow_prediction(request, Hold(guide.record, guide.samples, guide.noise_mask), prediction, vae)
    return replace(guide, request=request, record=found.record, samples=found.samples, end_percent=found.end_percent)


@torch.inference_mode()
def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="dev.py bench loop", description=__doc__)
    parser.add_argument("--scenes", type=int, default=6)
    parser.add_argument("--lengths", nargs="+", type=int, default=[17, 33], help="frames of a chunk; 81 is slow")
    parser.add_argument("--overlaps", nargs="+", type=int, default=[9], help="frames that two chunks share: 5, 9, 17")
    parser.add_argument("--models", nargs="+", choices=MODELS, default=list(MODELS))
    parser.add_argument("--steps", nargs="+", type=int, default=[4, 20])
    parser.add_argument("--shakes", nargs="+", type=float, default=[0.0, 0.15], help="pixels, of the known frames")
    parser.add_argument(
        "--rows", nargs="+", choices=ROWS, default=["overlap_pinned", "motion, shrunk", "motion", "auto"]
    )
    options = parser.parse_args(arguments)
    host = TinyHost(SHIFT)
    logging.getLogger().setLevel(logging.ERROR)
    vae = TeacherVae(host.model.model.latent_format)
    sizes = [Chunk(length, known) for length, known in product(options.lengths, options.overlaps) if known < length]
    cases = [Case(*each) for each in product(options.models, options.steps, sizes, options.shakes)]
    figures = defaultdict(list)
    for number in range(options.scenes):
        generator = torch.Generator().manual_seed(SEED + number)
        world = draw_world(generator)
        loop = Loop(world, PathCoder(world, vae), vae, host.model)
        turn, far = torch.rand(2, generator=generator).tolist()
        way = torch.tensor([math.cos(2 * math.pi * turn), math.sin(2 * math.pi * turn)])
        travel = way * (TRAVEL[0] + far * (TRAVEL[1] - TRAVEL[0]))
        for case in cases:
            told = travel / (case.chunk.length - 1)
            for row in options.rows:
                figures[case, row].append(loop.follow(case, row, told, 1000 * number))
    print(f"{options.scenes} scenes, shift {SHIFT:g}; medians, of frames until the opposite is followed the mean")
    for case in cases:
        print_table(case, {row: figures[case, row] for row in options.rows})
    return 0


def print_table(case: Case, rows: dict[str, list[list[float]]]) -> None:
    chunk = case.chunk
    shaken = f", known frames shaken by {case.shake:g} px" if case.shake else ""
    print(f"\n{case.model}, {case.steps} steps, chunks of {chunk.length} with {chunk.known} shared{shaken}")
    chunks = "".join(f"{index + 1:>6}" for index in range(CHUNKS))
    ends = f"{'degrees off':>13}{'place, %':>10}{'jump, px':>10}{'heed':>8}{'opposite':>10}"
    print(f"{'speed kept in chunk':>22}{chunks}{ends}")
    for row, values in rows.items():
        table = torch.tensor(values)
        *kept, angle, place, jump, heed, _ = table.nanmedian(dim=0).values.tolist()
        words = "".join(f"{value:>6.2f}" for value in kept)
        words += f"{angle:>13.0f}{place:>10.0f}{jump:>10.1f}{heed:>8.2f}{table[:, -1].mean().item():>10.1f}"
        print(f"{row:>22}{words}", flush=True)
