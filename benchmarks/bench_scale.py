"""What a chunk costs the pack itself as a video gets longer: plan, loop, kept run, timeline, report; no model.

A stand-in for the sampler gives back what the guide holds, one for the VAE averages cells, and one for the flow says
that nothing moves, so that what is left is the pack's own. Core-seconds and MiB are those of this process; kept chunks
go to a temporary folder.
"""

from __future__ import annotations

import argparse
import json
import logging
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from ..tiny.training import import_host
from ..wan import ChunkState, GuideSettings, Tools, generate, plan_chunks
from ..wan.motion_tools import MotionTools
from ..wan.protocols import Vae
from ..wan.runs.fingerprint import fingerprint_chunk
from ..wan.runs.store import open_run
from .bench_flow import peak_memory

CHUNK, OVERLAP, HEIGHT, WIDTH = 17, 9, 32, 48
COUNTS = (100, 1000, 10_000)
WINDOW = 50
"""Chunks at the end of a video over which a cost is taken."""


@torch.inference_mode()
def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="dev.py bench scale", description=__doc__)
    parser.add_argument("--counts", type=int, nargs="+", default=COUNTS)
    options = parser.parse_args(arguments)
    import_host()
    logging.getLogger().setLevel(logging.ERROR)
    print(f"{WIDTH} x {HEIGHT} pixels, chunks of {CHUNK} frames, overlap {OVERLAP}; core-ms a chunk")
    columns = ("chunks", "plan", f"first {WINDOW} made", f"last {WINDOW} made", f"last {WINDOW} taken")
    columns += ("timeline", "report", "run.json, KiB", "peak, MiB")
    print("".join(f"{column:>16}" for column in columns))
    for count in options.counts:
        print(f"{count:>16}" + "".join(f"{figure:>16.3f}" for figure in measure(count)), flush=True)
    return 0


def measure(count: int) -> list[float]:
    """The columns for a video of so many chunks."""
    from ..nodes.timeline import Timeline

    total = CHUNK + (count - 1) * (CHUNK - OVERLAP)
    began = time.process_time()
    plan = plan_chunks(total, chunk_frames=CHUNK, overlap_frames=OVERLAP)
    planning = time.process_time() - began
    start = torch.rand(1, 3, HEIGHT, WIDTH, generator=torch.Generator().manual_seed(0))
    state = ChunkState(plan, start, GuideSettings("overlap_pinned"))
    vae, motion = Cells(), MotionTools(at_rest)
    with tempfile.TemporaryDirectory() as folder:
        moments: list[list[float]] = []
        for _ in ("made", "taken"):
            times: list[float] = []

            def note(*_: object, times: list[float] = times) -> None:
                times.append(time.process_time())

            tools = Tools(vae, lambda guide: guide.samples, motion=motion, watch=note)
            with open_run(Path(folder), "run", fingerprint_chunk) as store:
                final = generate(state, tools, store)
                shown = _clock(lambda timeline, state: json.dumps(timeline.describe(state)), Timeline(store), final)
                told = _clock(ChunkState.report, final)
            moments.append([*times, time.process_time()])
        size = (Path(folder) / "run" / "run.json").stat().st_size / 2**10
    made, taken = (torch.tensor(each, dtype=torch.float64).diff() for each in moments)
    window = min(WINDOW, count // 2)
    each = [planning / count, made[:window].median().item(), made[-window:-1].median().item()]
    each += [taken[-window:-1].median().item(), shown / count, told / count]
    return [*(1000 * seconds for seconds in each), size, peak_memory()]


class Cells(Vae):
    """Averages cells of 8 x 8 pixels and groups of four frames, and gives each cell back flat."""

    def encode(self, pixels: Tensor) -> Tensor:
        frames = pixels.movedim(-1, 1)  # (T, 3, H, W)
        cells = F.avg_pool2d(frames, 8)
        groups = [cells[:1], *(group.mean(dim=0, keepdim=True) for group in cells[1:].split(4))]
        latent = torch.cat(groups).movedim(1, 0)
        return F.pad(latent, (0, 0, 0, 0, 0, 0, 0, 13))[None]

    def decode(self, latent: Tensor) -> Tensor:
        cells = latent[0, :3].movedim(0, 1)
        frames = torch.cat((cells[:1], cells[1:].repeat_interleave(4, dim=0)))
        return F.interpolate(frames, scale_factor=8).movedim(1, -1).clamp(0, 1)[None]


def at_rest(first: Tensor, second: Tensor) -> Tensor:
    """Flow ``(N, 2, H, W)`` of pictures in which nothing moves."""
    return torch.zeros_like(first[:, :2])


def _clock(work: Callable, *values: object) -> float:
    began = time.process_time()
    work(*values)
    return time.process_time() - began
