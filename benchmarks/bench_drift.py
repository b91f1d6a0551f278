"""Color drift over ten chunks of a model that tints all it makes, through the tiny VAE, with and without correction.

Every chunk comes out, its overlap included, with 2 % more red, a little less blue and more contrast than it was told;
where the overlap's latents are pinned, the host's sampler puts them back as they were.
"""

from __future__ import annotations

import argparse
import logging

import torch
from torch import Tensor

from ..blending import ColorTransform
from ..tiny.scenes import draw_scenes
from ..wan import ChunkGuide, ChunkState, GuideSettings, Tools, generate, plan_chunks
from .bench_carry import CHUNK, CHUNKS, OVERLAP, SEED, print_drift
from .tiny_host import TinyHost

TINT = ColorTransform(
    torch.tensor([[1.02, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 0.985]]) * 1.01, torch.tensor([0.0, -0.005, -0.005])
)
ROWS = {
    "no correction": GuideSettings("overlap", color_match="none", blend_strength=1.0),
    "mean": GuideSettings("overlap", color_match="mean"),
    "mkl": GuideSettings("overlap", color_match="mkl"),
    "affine": GuideSettings("overlap"),
    "affine, anchor 0.2": GuideSettings("overlap", color_anchor=0.2),
    "affine, anchor 0.5": GuideSettings("overlap", color_anchor=0.5),
    "affine, anchor 1": GuideSettings("overlap", color_anchor=1.0),
    "pinned": GuideSettings("overlap_pinned"),
    "pinned, anchor 0.2": GuideSettings("overlap_pinned", color_anchor=0.2),
    "pinned, anchor 0.5": GuideSettings("overlap_pinned", color_anchor=0.5),
}


@torch.inference_mode()
def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="dev.py bench drift", description=__doc__)
    parser.add_argument("--scenes", type=int, default=8)
    options = parser.parse_args(arguments)
    host = TinyHost()
    logging.getLogger().setLevel(logging.ERROR)
    starts = draw_scenes(options.scenes, 1, torch.Generator().manual_seed(SEED)).frames
    print(f"{options.scenes} scenes held for {CHUNKS} chunks of {CHUNK} frames, overlap {OVERLAP}, by the tiny VAE")
    print("last frame of each chunk against that of the first: CIEDE2000, mean of the pixels / of the mean color")
    print_drift(starts, ROWS, lambda start, settings: tinted(host, start, settings), (1, 2))
    return 0


def tinted(host: TinyHost, start: Tensor, settings: GuideSettings) -> Tensor:
    """A video ``(F, 3, H, W)`` whose model holds the last known frame and tints it."""

    def sample(guide: ChunkGuide) -> Tensor:
        known = host.decode(guide.conditioning["concat_latent_image"])[0, : guide.known_frames]
        held = torch.cat((known, known[-1:].expand(CHUNK - len(known), -1, -1, -1)))
        latent = host.encode(TINT(held)[None].clamp(0, 1) if guide.request.index else held[None])
        return latent if guide.noise_mask is None else torch.where(guide.noise_mask == 0, guide.samples, latent)

    plan = plan_chunks(CHUNK + (CHUNKS - 1) * (CHUNK - OVERLAP), chunk_frames=CHUNK, overlap_frames=OVERLAP)
    return generate(ChunkState(plan, start, settings), Tools(host.vae, sample)).video
