"""Largest memory of a process that makes a video of more and more chunks with the tiny Wan2.1, kept on disk and not.

Kept: finished frames are written, let go, and streamed into a video file. Not kept: they are given out as one IMAGE.
Each figure is of a process of its own; the output's own size is what one IMAGE of all frames takes. Pieces as small as
these stay with the allocator when they are let go: the last line is of pieces of full size, which do not.
"""

from __future__ import annotations

import argparse
import logging
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import torch

from ..tiny.scenes import draw_scenes
from ..wan import ChunkState, GuideSettings, Tools, generate, plan_chunks
from ..wan.runs.finder import Options
from ..wan.runs.fingerprint import fingerprint_chunk
from ..wan.runs.store import open_run
from .tiny_host import TinyHost, make_sampler

SIZE, CHUNK, OVERLAP = 96, 17, 5
COUNTS = (4, 16, 64)
PIECES = 8
SCRIPT = Path(__file__).resolve().parents[1] / "tools" / "run.py"


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="dev.py bench memory", description=__doc__)
    parser.add_argument("--counts", type=int, nargs="+", default=COUNTS)
    parser.add_argument("--one", nargs=2, metavar=("WAY", "COUNT"), help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.one:
        way, count = options.one[0], int(options.one[1])
        print(gathered(count) if way == "gathered" else peak(way, count))
        return 0
    print(f"{SIZE} x {SIZE} pixels, chunks of {CHUNK} frames, overlap {OVERLAP}; MiB")
    print(f"{'chunks':>8}{'frames':>8}{'IMAGE itself':>14}{'kept, streamed':>16}{'not kept':>10}")
    found = []
    for count in options.counts:
        frames = CHUNK + (count - 1) * (CHUNK - OVERLAP)
        row = [measure(way, count) for way in ("kept", "not")]
        found.append((count, row))
        own = frames * SIZE * SIZE * 3 * 4 / 2**20
        print(f"{count:>8}{frames:>8}{own:>14.1f}{row[0]:>16.1f}{row[1]:>10.1f}", flush=True)
    (first, few), (last, many) = found[0], found[-1]
    doublings = torch.tensor(last / first).log2().item()
    growth = [100 * ((many[way] / few[way]) ** (1 / doublings) - 1) for way in (0, 1)]
    print(f"growth per doubling: {growth[0]:.2f} % kept, {growth[1]:.2f} % not kept")
    own = PIECES * 64 * 3 * 480 * 832 * 4 / 2**20
    grown = measure("gathered", PIECES)
    print(
        f"{PIECES} pieces of 64 frames, 832 x 480, into an IMAGE of {own:.0f} MiB: the process grew by {grown:.0f} MiB"
    )
    return 0


def measure(way: str, count: int) -> float:
    command = [sys.executable, "-W", "ignore", str(SCRIPT), "benchmarks.bench_memory", "--one", way, str(count)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(done.stdout.splitlines()[-1])


@torch.inference_mode()
def peak(way: str, count: int) -> float:
    """MiB that this process had at most."""
    host = TinyHost()  # first: it tells the host to stay on the CPU
    from ..nodes.layout import gather_image
    from ..nodes.stored_video import StoredVideo
    from ..nodes.thumbnails import show_seams

    logging.getLogger().setLevel(logging.ERROR)
    start = draw_scenes(1, 1, torch.Generator().manual_seed(0), size=SIZE).frames[0]
    sampler = make_sampler(host.model, [("a red ball moves left",) * 2], 0, steps=1, cfg=1.0)
    plan = plan_chunks(CHUNK + (count - 1) * (CHUNK - OVERLAP), chunk_frames=CHUNK, overlap_frames=OVERLAP)
    state, tools = ChunkState(plan, start, GuideSettings()), Tools(host.vae, sampler)
    with tempfile.TemporaryDirectory() as folder:
        if way == "kept":
            with open_run(Path(folder), "run", fingerprint_chunk) as store:
                generate(state, tools, store)
                show_seams(store.footage(), [chunk.seam for chunk in plan.chunks[1:]])
                StoredVideo(store, 16.0).save_to(str(Path(folder) / "video.mp4"))
        else:
            with open_run(Path(folder), "run", fingerprint_chunk, Options(dtype=torch.float32)) as store:
                generate(state, tools, store)
                gather_image(store.frames, store.footage())
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def gathered(count: int) -> float:
    """MiB by which this process grows at most while it fills pieces and gathers them into one IMAGE."""
    TinyHost()  # first: it tells the host to stay on the CPU
    from ..nodes.layout import gather_image

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    gather_image(64 * count, [torch.full((64, 3, 480, 832), 0.5) for _ in range(count)])
    return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
