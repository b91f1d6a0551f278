"""How far models follow their known frames, by their first output: exact denoisers under H1 (the first known frame
only), H2 (all nine) and between, and the tiny model, told of all nine frames or of the first while nine are pinned. A
second tiny model, trained on one known frame alone, is told of nine.

1 is all the way, 0 at rest in the first frame: in the last known latent, by which guidance goes. Beside it the same in
the second model call, of all known latents, and of the first free one toward the prediction.
"""

from __future__ import annotations

import argparse
import contextlib
import logging
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from ..tiny.scenes import draw_scenes
from ..wan import ChunkGuide, ChunkRequest, GuideSettings
from ..wan.continuity import guide_chunk
from ..wan.heed import measure_heed
from ..wan.latents import latent_length
from ..wan.levels.motion import clip_at_rest
from ..wan.protocols import Vae
from .bench_guidance import guide_level
from .ideal_denoiser import KNOWN, LENGTH, TeacherVae, continuations, draw_world, ideal_model, known_evidence, mixed
from .tiny_host import FIRST_FRAME, TinyHost, make_sampler

SEED = 9_900_000
SHIFT = 5.0
SCHEDULES = {"4": (4, 0), "2 + 2": (4, 2), "8": (8, 0), "20": (20, 0)}
"""Steps, and those of the high-noise expert."""
SHARES = {"H1": 0.0, "1 in 4 H2": 0.25, "1 in 2 H2": 0.5, "3 in 4 H2": 0.75, "H2": 1.0}
CFGS = (1.0, 3.0, 6.0)
CALLS = 2
"""Of the model, that are looked at."""
Case = tuple[str, object, Vae, ChunkGuide, str, float]
"""A row's name, a MODEL and its VAE, a guide, a prompt and a cfg."""


class Enough(Exception):
    """All has been seen of a chunk."""


@torch.inference_mode()
def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="dev.py bench heed", description=__doc__)
    parser.add_argument("--scenes", type=int, default=24)
    options = parser.parse_args(arguments)
    host = TinyHost(SHIFT)
    logging.getLogger().setLevel(logging.ERROR)
    to_model = host.model.model.latent_format.process_in
    figures = defaultdict(list)
    first_frame = TinyHost(SHIFT, FIRST_FRAME)
    draws = (
        exact_cases(host, options.scenes),
        tiny_cases("tiny", host, options.scenes, ("nine", "one")),
        tiny_cases("first frame", first_frame, options.scenes, ("nine",)),
    )
    for cases in draws:
        for number, (name, model, vae, guide, text, cfg) in enumerate(cases):
            for schedule, (steps, switch) in SCHEDULES.items():
                outputs = sample(model, guide, text, number, steps=steps, switch=switch, cfg=cfg)
                assert guide.heed is not None  # cases are guided
                figures[name, schedule].append(guide.heed.read())
                if schedule == "4":
                    figures[name, "second call"].append(heed_of(outputs[1], guide, to_model))
                    figures[name, "all known"].append(whole_heed(outputs[0], guide, vae, to_model))
                    figures[name, "first free"].append(free_heed(outputs[0], guide, to_model))
    columns = (*SCHEDULES, "second call", "all known", "first free")
    print(f"{options.scenes} scenes, shift {SHIFT:g}: median [10th, 90th percentile]")
    print(f"{'':>30}" + "".join(f"{column:>22}" for column in columns))
    for name in dict.fromkeys(name for name, _ in figures):
        print(f"{name:>30}" + "".join(f"{summary(figures[name, column]):>22}" for column in columns), flush=True)
    print(f"\na still clip of 33 frames, its latents repeated from the third on: {still_error(host):.4f} of the square")
    print("of what motion makes of nine frames")
    return 0


def exact_cases(host: TinyHost, scenes: int) -> Iterator[Case]:
    generator = torch.Generator().manual_seed(SEED)
    vae = TeacherVae(host.model.model.latent_format)
    for _ in range(scenes):
        world = draw_world(generator)
        bank = vae.code(world.render(torch.cat((continuations(), world.velocity[None]))))
        known = world.render(world.velocity[None])[:, :KNOWN]
        seen = known_evidence(bank, vae.code(known), latent_length(KNOWN))
        for name, share in SHARES.items():
            guide = guide_level("motion", known[0], vae)
            if guide.heed is not None:
                yield f"exact, {name}", ideal_model(host.model, bank, mixed(seen, share)), vae, guide, "", 1.0


def tiny_cases(kind: str, host: TinyHost, scenes: int, told: Sequence[str]) -> Iterator[Case]:
    drawn = draw_scenes(scenes, KNOWN, torch.Generator().manual_seed(SEED), turn=0.0)
    for clip, caption in zip(drawn.frames, drawn.captions, strict=True):
        request = ChunkRequest(1, LENGTH, clip, (64, 64), continues=True, settings=GuideSettings("motion"))
        blind = replace(request, known=clip[:1], continues=False, index=0)
        requests = {"nine": request, "one": blind}
        for cfg in CFGS:
            for name in told:
                guide = guide_chunk(request, host.vae)
                if guide.heed is not None:
                    guide = replace(guide, conditioning=guide_chunk(requests[name], host.vae).conditioning)
                    yield f"{kind}, told of {name}, cfg {cfg:g}", host.model, host.vae, guide, caption, cfg


def sample(model, guide: ChunkGuide, text: str, seed: int, **settings) -> list[Tensor]:
    """What the model makes in its first calls, ``(1, 16, T, h, w)`` in its space."""
    watched, outputs = model.clone(), []

    def watch(arguments):
        outputs.append(arguments["denoised"])
        if len(outputs) > CALLS:  # the guide's own meter has seen the first one, behind this
            raise Enough
        return arguments["denoised"]

    watched.set_model_sampler_post_cfg_function(watch)
    with contextlib.suppress(Enough):
        make_sampler(watched, [(text, "")], seed, **settings)(guide)
    return outputs


def heed_of(output: Tensor, guide: ChunkGuide, to_model: Callable[[Tensor], Tensor]) -> float:
    """What the guide's meter would say of a model's output."""
    meter = guide.heed
    assert meter is not None  # cases are guided
    last = slice(meter.index, meter.index + 1)
    return measure_heed(output[:, :, last], to_model(meter.known), to_model(meter.rest)).item()


def whole_heed(output: Tensor, guide: ChunkGuide, vae: Vae, to_model: Callable[[Tensor], Tensor]) -> float:
    """The same of all known latents but the first."""
    known = slice(1, latent_length(KNOWN))
    rest = clip_at_rest(guide.request.known[:1], latent_length(KNOWN), vae)
    return measure_heed(output[:, :, known], to_model(guide.samples[:, :, known]), to_model(rest[:, :, known])).item()


def free_heed(output: Tensor, guide: ChunkGuide, to_model: Callable[[Tensor], Tensor]) -> float:
    """The same of the first free latent: 1 where it is as motion predicts, 0 where it is at rest."""
    meter, free = guide.heed, slice(latent_length(KNOWN), latent_length(KNOWN) + 1)
    assert meter is not None  # cases are guided
    return measure_heed(output[:, :, free], to_model(guide.samples[:, :, free]), to_model(meter.rest)).item()


def still_error(host: TinyHost) -> float:
    """By how much repeated latents of a still clip are off, over how much motion makes of them."""
    wrong, moved = 0.0, 0.0
    for clip in draw_scenes(8, KNOWN, torch.Generator().manual_seed(SEED), turn=0.0).frames:
        whole = host.encode(clip[None, :1].expand(-1, 33, -1, -1, -1))
        wrong += (clip_at_rest(clip[:1], 9, host.vae) - whole)[:, :, 3:].square().mean().item()
        moved += (host.encode(clip[None]) - whole[:, :, :3])[:, :, 1:].square().mean().item()
    return wrong / moved


def summary(values: list[float]) -> str:
    median, low, high = torch.tensor(values).quantile(torch.tensor([0.5, 0.1, 0.9])).tolist()
    return f"{median:.2f} [{low:.2f}, {high:.2f}]"
