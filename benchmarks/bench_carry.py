"""What reusing latents saves: a picture held for ten chunks, encoded again at every seam or reused."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor

from ..tiny.scenes import draw_scenes
from ..wan import ChunkGuide, ChunkState, GuideSettings, Tools, generate, plan_chunks
from .bench_flow import mean
from .tiny_host import TinyHost

SEED = 9_800_000
CHUNK, OVERLAP, CHUNKS = 17, 9, 10


@torch.inference_mode()
def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="dev.py bench carry", description=__doc__)
    parser.add_argument("--scenes", type=int, default=16)
    options = parser.parse_args(arguments)
    host = TinyHost()
    logging.getLogger().setLevel(logging.WARNING)
    starts = draw_scenes(options.scenes, 1, torch.Generator().manual_seed(SEED)).frames
    print(f"{options.scenes} scenes held for {CHUNKS} chunks of {CHUNK} frames, overlap {OVERLAP}, by the tiny VAE:")
    print("last frame of each chunk against that of the first; PSNR in dB / CIEDE2000, mean over scenes")
    plain = GuideSettings("overlap_pinned", color_match="none", blend_strength=1.0)
    rows = {
        "encoded": replace(plain, reuse_latents=False),
        "reused": plain,
        "as by default": GuideSettings("overlap_pinned"),
    }
    print_drift(starts, rows, lambda start, settings: hold(host, start, settings), (0, 1))
    return 0


def print_drift(
    starts: Tensor,
    rows: dict[str, GuideSettings],
    make: Callable[[Tensor, GuideSettings], Tensor],
    columns: tuple[int, int],
) -> None:
    """Two columns of :func:`drift`, means over the start images, for each chunk and row of settings."""
    print(f"{'':>20}" + "".join(f"{chunk:>14}" for chunk in range(2, CHUNKS + 1)))
    for name, settings in rows.items():
        figures = [drift(make(start, settings)) for start in starts]  # [scene][chunk][column]
        cells = []
        for chunk in range(CHUNKS - 1):
            first, second = (mean([scene[chunk][column] for scene in figures]) for column in columns)
            cells.append(f"{first:.2f} / {second:.2f}")
        print(f"{name:>20}" + "".join(f"{cell:>14}" for cell in cells), flush=True)


def hold(host: TinyHost, start: Tensor, settings: GuideSettings) -> Tensor:
    """A video ``(F, 3, H, W)`` whose model repeats the last latent that it is given."""

    def sample(guide: ChunkGuide) -> Tensor:
        if guide.noise_mask is None:  # the first chunk: a still clip of the start
            return host.encode(start.expand(CHUNK, -1, -1, -1)[None])
        pinned = guide.samples[:, :, : (OVERLAP - 1) // 4 + 1]
        free = guide.samples.shape[2] - pinned.shape[2]
        return torch.cat((pinned, pinned[:, :, -1:].expand(-1, -1, free, -1, -1)), dim=2)

    plan = plan_chunks(CHUNK + (CHUNKS - 1) * (CHUNK - OVERLAP), chunk_frames=CHUNK, overlap_frames=OVERLAP)
    return generate(ChunkState(plan, start, settings), Tools(host.vae, sample)).video


def drift(video: Tensor) -> list[tuple[float, float, float]]:
    """Of each later chunk's last frame from the first chunk's: PSNR, CIEDE2000, and that of the mean color."""
    from skimage.color import deltaE_ciede2000, rgb2lab

    last = video[CHUNK - 1 :: CHUNK - OVERLAP]
    first, *later = (rgb2lab(frame.movedim(0, -1).numpy()) for frame in last)
    errors = (last[1:] - last[0]).square().mean(dim=(1, 2, 3)).clamp(min=1e-10)
    found = []
    for error, lab in zip(errors, later, strict=True):
        means = (clip.mean(axis=(0, 1)) for clip in (first, lab))
        found.append((-10 * error.log10().item(), deltaE_ciede2000(first, lab).mean(), deltaE_ciede2000(*means)))
    return found
