"""One chunk made again between its neighbors, on the tiny Wan2.1: the seam before it, the place where it passes over to
the end that it keeps, and the seam behind, against the same places of the first take and against a chunk that is put
between its neighbors without being told of its end.
"""

from __future__ import annotations

import argparse
import logging
import tempfile
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from ..blending import measure_seam
from ..tiny import TRANSFORMER
from ..tiny.scenes import draw_scenes
from ..wan import ChunkState, GuideSettings, Tools, generate, plan_chunks
from ..wan.runs.fingerprint import find_reads, fingerprint_chunk
from ..wan.runs.store import open_run
from .tiny_host import CFG, STEPS, TinyHost, make_sampler

SEED = 9_700_000
CHUNK, OVERLAP, CHUNKS, REDONE = 41, 9, 3, 1
PLACES = ("seam before", "where it meets its kept end", "seam behind")


@torch.inference_mode()
def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="dev.py bench redo", description=__doc__)
    parser.add_argument("--scenes", type=int, default=12)
    parser.add_argument("--model", type=Path, default=TRANSFORMER)
    options = parser.parse_args(arguments)
    host = TinyHost(transformer=options.model)
    logging.getLogger().setLevel(logging.ERROR)
    frames = CHUNK + (CHUNKS - 1) * (CHUNK - OVERLAP)
    scenes = draw_scenes(options.scenes, frames, torch.Generator().manual_seed(SEED), two_sprites=0.0)
    print(
        f"{options.scenes} held-out scenes of {CHUNKS} chunks of {CHUNK} frames, overlap {OVERLAP}, started from "
        f"{OVERLAP} true frames; chunk {REDONE + 1} made again; {options.model.stem}, Euler, {STEPS} steps, cfg {CFG:g}"
    )
    rows: dict[str, list[list[float]]] = {"first take": [], "made again": [], "put between": []}
    exact, changed = 0, []
    for scene in range(options.scenes):
        start = scenes.frames[scene, :OVERLAP]
        sampler = make_sampler(host.model, [(scenes.captions[scene], "")], scene)
        plan = plan_chunks(frames, chunk_frames=CHUNK, overlap_frames=OVERLAP, start_frames=OVERLAP)
        state, tools = ChunkState(plan, start, GuideSettings()), Tools(host.vae, sampler)
        with tempfile.TemporaryDirectory() as folder:
            takes = []
            for more in ({}, {"keep_later": True}, {}):
                varied = {"vary_from": REDONE, "variation": 1, **more} if takes else {}
                with open_run(Path(folder), "run", fingerprint_chunk) as store:
                    generate(replace(state, **varied), tools, store)
                    latents = [kept.read("latent")["latent"] for kept in store.kept]
                    takes.append((torch.cat(list(store.footage())), latents))
        (first, old), (again, new), (varied, _) = takes
        kept = find_reads(_before(state, first, old[REDONE])).frames
        places = [CHUNK, CHUNK + CHUNK - OVERLAP - kept, CHUNK + CHUNK - OVERLAP]
        between = torch.cat((varied[: places[2]], first[places[2] :]))
        for name, video in (("first take", first), ("made again", again), ("put between", between)):
            rows[name].append([measure_seam(video, place).score for place in places])
        exact += torch.equal(old[REDONE][:, :, -(OVERLAP // 4) :], new[REDONE][:, :, -(OVERLAP // 4) :])
        exact += torch.equal(first[places[1] :], again[places[1] :])
        changed.append((first - again)[CHUNK : places[1]].abs().mean().item() * 255)
    print(f"latents and frames that the next chunk continues, the same to the bit: {exact} of {2 * options.scenes}")
    print(f"what was made again differs by {torch.tensor(changed).median():.1f}/255, median")
    print("seam score: median, greatest, above 1")
    print("".join(f"{name:>34}" for name in ("", *PLACES)))
    for name, scores in rows.items():
        print(f"{name:>34}" + "".join(f"{_words(column):>34}" for column in torch.tensor(scores).T))
    return 0


def _before(state: ChunkState, video: Tensor, latent: Tensor) -> ChunkState:
    """The state behind the chunk that is made again, as far as it says what the next one reads."""
    end = CHUNK + REDONE * (CHUNK - OVERLAP)
    return replace(state, pieces=(video[CHUNK:end],), stored=REDONE, latent=latent, exact_frames=CHUNK - OVERLAP)


def _words(scores: Tensor) -> str:
    return f"{scores.median():.2f}, {scores.max():.2f}, {int((scores > 1).sum())} of {len(scores)}"
