"""What motion guidance and a seam cost a chunk, stage by stage, next to the VAE decode that it needs anyway."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import torch

from ..blending import SeamReport, measure_seam
from ..motion.prediction import predict_clip_motion, render
from ..tiny.training import import_host
from ..wan.guidance_schedule import end_percent_map
from ..wan.join import join_chunk
from ..wan.latents import TEMPORAL_STRIDE, frame_length, latent_length
from ..wan.levels.motion import LATENTS
from .bench_flow import peak_memory
from .layers import waves

WIDTH, HEIGHT, CHUNK, OVERLAP = 832, 480, 81, 17
AHEAD = LATENTS * TEMPORAL_STRIDE
SMALLER = 4
"""Of each side, for the VAE: its convolutions take time by the pixel, and whole frames would take half an hour."""
DIM = 96
"""Width of Wan2.1's VAE; its weights are random here, which does not change what they cost."""


@torch.inference_mode()
def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="dev.py bench cost", description=__doc__)
    parser.parse_args(arguments)
    clip = torch.cat([waves(HEIGHT, WIDTH, (2.0 * t, t)) for t in range(OVERLAP)])
    print(f"{WIDTH} x {HEIGHT}, {CHUNK} frames, overlap {OVERLAP}, {torch.get_num_threads()} threads")
    print(f"{'':>30}{'seconds':>10}{'peak, MiB more':>16}")
    motion, analysis = clock(
        "flow and trajectory, 8 ahead", lambda: predict_clip_motion(clip, AHEAD, period=TEMPORAL_STRIDE)
    )
    (frames, confidence), rendering = clock("predicted frames", lambda: render(clip[-1:], motion))
    _, mapping = clock("map of end_percent", lambda: end_percent_map(confidence, 0.3, 0.35))
    spent = analysis + rendering + mapping
    # A chunk whose overlap is off in color and place, so that every stage has something to do.
    video = torch.cat([waves(HEIGHT, WIDTH, (2.0 * t, t)) for t in range(-SeamReport.REACH, OVERLAP)])
    chunk = torch.cat([waves(HEIGHT, WIDTH, (2.0 * t + 2, t)) for t in range(2 * OVERLAP)]) * 0.97
    joined, joining = clock("color, join, what is better", lambda: join_chunk(video, chunk, OVERLAP))
    whole = torch.cat((video[:-OVERLAP], joined.tail, joined.added))
    _, measuring = clock("measure the seam", lambda: measure_seam(whole, len(video)))
    seam = joining + measuring
    vae = real_vae()
    pixels = torch.cat((clip, frames))[..., ::SMALLER, ::SMALLER].movedim(0, 1)[None] * 2 - 1
    latent = torch.randn(1, 16, 3, HEIGHT // 8 // SMALLER, WIDTH // 8 // SMALLER)
    encode = cost("encode", lambda n: vae.encode(pixels[:, :, : frame_length(n)]), latent_length(OVERLAP + AHEAD))
    decode = cost("decode", lambda n: vae.decode(latent[:, :, :n]), latent_length(CHUNK))
    print(f"motion analysis {spent:.1f} s, {100 * spent / decode:.1f} % of the chunk's decode ({decode:.0f} s);")
    print(f"with the encode of overlap and prediction ({encode:.0f} s) {100 * (spent + encode) / decode:.0f} %")
    print(f"the seam {seam:.0f} s, {seam / (decode / latent_length(CHUNK)):.2f} of the decode of one latent")
    return 0


def cost(name: str, code: Callable, latents: int) -> float:
    """Seconds to code ``latents`` latents, one after another, from what two and three take of smaller frames."""
    _, two = clock(f"{name}, 2 latents of 1/{SMALLER**2}", lambda: code(2))
    _, three = clock(f"{name}, 3 latents of 1/{SMALLER**2}", lambda: code(3))
    return (two + (three - two) * (latents - 2)) * SMALLER**2


def clock(name: str, work: Callable) -> tuple:
    """What ``work`` returns, and the seconds that it took."""
    before, began = peak_memory(), time.perf_counter()
    result = work()
    took = time.perf_counter() - began
    print(f"{name:>30}{took:10.2f}{peak_memory() - before:16.0f}", flush=True)
    return result, took


def real_vae():
    import_host()
    from comfy.ldm.wan.vae import WanVAE

    torch.manual_seed(0)
    return WanVAE(dim=DIM, z_dim=16, temperal_downsample=[False, True, True]).eval()
