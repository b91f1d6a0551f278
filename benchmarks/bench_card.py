"""What the pack takes of a graphics card, stage by stage, beside the model and the VAE that a chunk needs anyway.

On a card: seconds, peak memory, whether twin runs are equal to the bit, and how far they are from the CPU's. Without
one, --fake counts launches, copies and waits on a card that is not there, and the FLOPs of model and VAE.
"""

from __future__ import annotations

import argparse
import logging
import sys
import time
from collections.abc import Callable

import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from ..tiny.training import import_host
from ..wan.latents import CHANNELS, SPATIAL_STRIDE, latent_length
from .architectures import ARCHITECTURES, detect
from .bench_cost import SIZES
from .card_loop import OVERLAP, Places, host_device
from .card_sampling import FEATURES, TEXT, TOKENS
from .card_stages import FRAMES, STAGES, prepare
from .fake_card import CARD, record, replay

AHEAD = 8
MODEL, WIDTH_OF_VAE = "Wan2.1 I2V 14B", 96
LAYERS = (2, 4)
"""Blocks of the models that are timed: from these, what 40 take, on a card of any size."""
CHUNKS = {"20 steps, cfg": 40, "4 steps": 4}
"""Evaluations of the model in a chunk."""
WORST = 8
"""Lines of ours that are shown of a stage."""


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="dev.py bench card", description=__doc__)
    parser.add_argument("--fake", action="store_true", help="count on a card that is not there")
    parser.add_argument("--sizes", nargs="+", choices=SIZES, default=list(SIZES))
    options = parser.parse_args(arguments)
    sizes = {name: SIZES[name] for name in options.sizes}
    if options.fake:
        import_host()
        logging.getLogger().setLevel(logging.ERROR)
        count(sizes)
        weigh(sizes)
        return 0
    if not torch.cuda.is_available():
        print("torch finds no CUDA device here. --fake counts without one.", file=sys.stderr)
        return 2
    import_host(cpu=False)
    logging.getLogger().setLevel(logging.ERROR)
    with torch.inference_mode():
        measure(sizes)
    return 0


def count(sizes: dict[str, tuple[int, int]]) -> None:
    """Launches, waits, copies and memory of each stage, and the lines that ask for most."""
    places, small = Places(host=CARD), prepare((64, 96))
    print(f"{'':>6}{'':>30}{'launches':>10}{'waits':>7}{'to, MiB':>9}{'from, MiB':>11}{'peak, MiB':>11}")
    for name, stage in STAGES.items():
        recording = record(small, stage, Places())
        for label, size in sizes.items():
            with host_device(CARD):
                found = replay(recording, prepare(size), stage, places, scaled=True)
            total = found.total()
            up, down, peak = (value / 2**20 for value in (total.up_bytes, total.down_bytes, found.peak))
            print(f"{label:>6}{name:>30}{total.launches:10}{total.syncs:7}{up:9.1f}{down:11.1f}{peak:11.1f}")
            lines = sorted(found.ours().items(), key=lambda item: (-item[1].syncs, -item[1].launches))
            for line, counts in lines[:WORST]:
                print(f"{line:>46}: {counts.launches} launches, {counts.syncs} waits, {counts.up} copies there")


def weigh(sizes: dict[str, tuple[int, int]]) -> None:
    """FLOPs of one evaluation of the model and of the VAE, and the share of what motion guidance encodes."""
    second = OVERLAP + AHEAD
    for label, (height, width) in sizes.items():
        with FakeTensorMode(), torch.no_grad():
            vae, model = _vae(), _model(40, "cpu", torch.float32)
            evaluation = _flops(lambda m=model, h=height, w=width: _evaluate(m, h, w, "cpu", torch.float32))
            canvas, more = (
                _flops(lambda f=frames, v=vae, h=height, w=width: v.encode(torch.empty(1, 3, f, h, w)))
                for frames in (FRAMES, second)
            )
            decode = _flops(lambda v=vae, h=height, w=width: v.decode(_latent(h, w)))
        print(f"{label}, TFLOP: {MODEL} {evaluation:.0f}, canvas {canvas:.1f}, {second} frames {more:.1f}, ", end="")
        print(f"decode {decode:.0f}")
        for chunk, evaluations in CHUNKS.items():
            share = more / (evaluations * evaluation + canvas + more + decode)
            print(f"{chunk:>20}: {second} frames encoded again are {100 * share:.3f} % of a chunk", flush=True)


def measure(sizes: dict[str, tuple[int, int]]) -> None:
    """Seconds and peak memory on the card, and what became of bits."""
    print(f"{torch.cuda.get_device_name()}, torch {torch.__version__}, {torch.get_num_threads()} threads")
    print(f"{'':>6}{'':>30}{'seconds':>10}{'peak, MiB':>11}{'twins':>8}{'from CPU':>12}")
    for label, size in sizes.items():
        for name, stage in STAGES.items():
            inputs = prepare(size)(Places(host=CARD))
            first, _, _ = clock(lambda s=stage, i=inputs: s(i))
            again, seconds, peak = clock(lambda s=stage, i=inputs: s(i))
            with host_device("cpu"):
                slow = stage(prepare(size)(Places()))
            equal = all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
            off = max((a.cpu() - b).abs().max().item() for a, b in zip(first, slow, strict=True))
            print(f"{label:>6}{name:>30}{seconds:10.3f}{peak:11.0f}{'equal' if equal else 'DIFFER':>8}{off:12.2e}")
        _measure_bare(label, *size)


def _measure_bare(label: str, height: int, width: int) -> None:
    """The model and the VAE alone."""
    dtype, device = torch.bfloat16, CARD
    taken = []
    for layers in LAYERS:
        model = _model(layers, device, dtype)
        work = lambda m=model: _evaluate(m, height, width, device, dtype)  # noqa: E731
        clock(work)
        taken.append(clock(work)[1:])
        del model
    each = (taken[1][0] - taken[0][0]) / (LAYERS[1] - LAYERS[0])
    evaluation = taken[0][0] + (40 - LAYERS[0]) * each
    for chunk, evaluations in CHUNKS.items():
        print(f"{label:>6}{f'{MODEL}, {chunk}':>30}{evaluations * evaluation:10.1f}{taken[1][1]:11.0f}")
    vae = _vae().to(device, dtype)
    for name, frames in (("encode the canvas", FRAMES), ("encode overlap and prediction", OVERLAP + AHEAD)):
        pixels = torch.zeros(1, 3, frames, height, width, device=device, dtype=dtype)
        _, seconds, peak = clock(lambda p=pixels: vae.encode(p))
        print(f"{label:>6}{name:>30}{seconds:10.2f}{peak:11.0f}")
    _, seconds, peak = clock(lambda: vae.decode(_latent(height, width).to(device, dtype)))
    print(f"{label:>6}{'decode':>30}{seconds:10.2f}{peak:11.0f}", flush=True)


def clock(work: Callable) -> tuple:
    """What ``work`` returns, its seconds, and MiB on the card that were alive at once."""
    torch.cuda.synchronize()
    torch.cuda.reset_peak_memory_stats()
    began = time.perf_counter()
    result = work()
    torch.cuda.synchronize()
    return result, time.perf_counter() - began, torch.cuda.max_memory_allocated() / 2**20


def _vae():
    """Wan2.1's, with random weights, which cost what others do."""
    from comfy.ldm.wan.vae import WanVAE

    return WanVAE(dim=WIDTH_OF_VAE, z_dim=CHANNELS, temperal_downsample=[False, True, True]).eval()


def _model(layers: int, device: str, dtype: torch.dtype):
    """The layers of a model, with random weights where there is a device for them."""
    model = detect(ARCHITECTURES[MODEL].state_dict(layers), device, dtype).diffusion_model
    for weight in model.parameters():
        weight.normal_(std=0.02)
    return model


def _evaluate(model, height: int, width: int, device: str, dtype: torch.dtype) -> Tensor:
    latent = _latent(height, width).to(device, dtype)
    shown = torch.zeros(1, 20, *latent.shape[2:], device=device, dtype=dtype)
    text, features = (torch.zeros(shape, device=device, dtype=dtype) for shape in ((1, TOKENS, TEXT), FEATURES))
    return model(torch.cat((latent, shown), dim=1), torch.ones(1, device=device), text, clip_fea=features)


def _latent(height: int, width: int) -> Tensor:
    return torch.zeros(1, CHANNELS, latent_length(FRAMES), height // SPATIAL_STRIDE, width // SPATIAL_STRIDE)


def _flops(work: Callable) -> float:
    """TFLOP, a multiplication and an addition counted apart."""
    # The counter knows the matrices of attention, and not every operation that fuses them.
    with FlopCounterMode(display=False) as counter, sdpa_kernel(SDPBackend.MATH):
        work()
    return counter.get_total_flops() / 1e12
