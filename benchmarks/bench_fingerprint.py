"""What it takes to know a model by its weights: seconds and bytes read per GiB, from a memory-mapped safetensors file.

The file is evicted from memory before each measure, and the pages of it that are in memory afterwards are counted with
mincore: ``touched`` without any reading ahead (MADV_RANDOM), ``with ahead`` as the system has it, which reads up to
``read_ahead_kb`` of the disk around each page. All of that is read anyway as soon as the model is loaded. ``again`` is
the same from memory. Linux only.
"""

from __future__ import annotations

import argparse
import ctypes
import hashlib
import mmap
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from ..wan.identity.tensors import identify_weights

GIB = 2**30
WIDTH = 5120
"""Of Wan2.1 14B."""
PAIR = {
    "fp16": 2 * 14.3e9 * 2 / GIB,
    "fp8": 2 * 14.3e9 / GIB,
    "mixed fp8": 2 * 14.3e9 / GIB,
    "gguf": 2 * 14.3e9 * 4.5 / 8 / GIB,
}
"""GiB of the two experts of Wan2.2 A14B."""


class Gguf(torch.Tensor):
    """Packed bytes as ComfyUI-GGUF holds them."""

    tensor_type, tensor_shape = 12, torch.Size((WIDTH, WIDTH))

    @property
    def shape(self):
        return self.tensor_shape


def kinds() -> dict[str, tuple[Tensor, Callable[[Tensor, Tensor], Tensor]]]:
    """What each kind of file stores for one layer, and what the host makes of it and of a scale."""
    from comfy.quant_ops import QuantizedTensor

    def mixed(data: Tensor, scale: Tensor) -> Tensor:
        return QuantizedTensor(data, "TensorCoreFP8Layout", {"scale": scale, "orig_dtype": torch.bfloat16})

    numbers = torch.randn(WIDTH, WIDTH)
    packed = torch.randint(0, 256, (WIDTH, WIDTH * 9 // 16), dtype=torch.uint8)
    return {
        "fp16": (numbers.half(), lambda data, scale: data),
        "fp8": (numbers.to(torch.float8_e4m3fn), lambda data, scale: data),
        "mixed fp8": (numbers.to(torch.float8_e4m3fn), mixed),
        "gguf": (packed, lambda data, scale: data.as_subclass(Gguf)),
    }


def write(path: Path, layer: Tensor, size: int) -> None:
    """A file of as many layers as fit in a size, each with a scale and a norm."""
    count = max(1, size // (layer.numel() * layer.element_size()))
    tensors = {}
    for index in range(count):
        tensors[f"blocks.{index}.weight"] = layer.clone()
        tensors[f"blocks.{index}.scale"] = torch.tensor(0.01 * (index + 1))
        tensors[f"blocks.{index}.norm"] = torch.full((WIDTH,), 1.0 + index)
    save_file(tensors, path)


def mapped(path: Path, make: Callable[[Tensor, Tensor], Tensor], ahead: bool = True) -> Iterator[tuple[str, Tensor]]:
    """The weights of a file, none of which is read yet; ``ahead``: whether the system may read more than asked for."""
    with safe_open(path, framework="pt") as file:
        for name in sorted(name for name in file.keys() if not name.endswith("scale")):  # noqa: SIM118
            tensor = file.get_tensor(name)
            if not ahead:
                before = tensor.data_ptr() % mmap.PAGESIZE
                size = ctypes.c_size_t(tensor.nbytes + before)
                ctypes.CDLL(None).madvise(ctypes.c_void_p(tensor.data_ptr() - before), size, mmap.MADV_RANDOM)
            if name.endswith("weight"):
                tensor = make(tensor, file.get_tensor(name.replace("weight", "scale")))
            yield name, tensor


def evict(path: Path) -> None:
    file = os.open(path, os.O_RDONLY)
    os.fsync(file)
    os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
    os.close(file)


def resident(path: Path) -> int:
    """Bytes of a file that are in memory."""
    libc, size = ctypes.CDLL(None), path.stat().st_size
    libc.mmap.restype = ctypes.c_void_p
    file = os.open(path, os.O_RDONLY)
    place = libc.mmap(None, ctypes.c_size_t(size), mmap.PROT_READ, mmap.MAP_SHARED, file, ctypes.c_long(0))
    pages = (ctypes.c_ubyte * -(-size // mmap.PAGESIZE))()
    libc.mincore(ctypes.c_void_p(place), ctypes.c_size_t(size), pages)
    libc.munmap(ctypes.c_void_p(place), ctypes.c_size_t(size))
    os.close(file)
    return sum(page & 1 for page in pages) * mmap.PAGESIZE


def everything(path: Path) -> None:
    found = hashlib.sha256()
    with path.open("rb") as file:
        while part := file.read(2**20):
            found.update(part)


def timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="dev.py bench fingerprint", description=__doc__)
    parser.add_argument("--gib", type=float, default=1.0, help="size of each file")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    ahead = [path.read_text().strip() for path in Path("/sys/block").glob("*/queue/read_ahead_kb")]
    print(f"{options.gib:g} GiB a file, read_ahead_kb {', '.join(ahead) or 'unknown'}; per GiB:")
    print(f"{'':>10} | by a part of each weight{'':>21} | all bytes")
    print(f"{'':>10} | {'touched':>8}{'with ahead':>12}{'seconds':>10}{'again':>9}{'':>5} | {'seconds':>8}{'again':>8}")
    found = {}
    for name, (layer, make) in kinds().items():
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model.safetensors"
            write(path, layer, int(options.gib * GIB))
            gib = path.stat().st_size / GIB
            evict(path)
            identify_weights(mapped(path, make, ahead=False))
            touched = resident(path) / gib
            evict(path)
            cold = timed(lambda p=path, m=make: identify_weights(mapped(p, m))) / gib
            there = resident(path) / gib
            warm = timed(lambda p=path, m=make: identify_weights(mapped(p, m))) / gib
            evict(path)
            whole = timed(lambda p=path: everything(p)) / gib
            again = timed(lambda p=path: everything(p)) / gib
        found[name] = cold, warm, whole, again
        print(
            f"{name:>10} | {touched / 2**20:>4.1f} MiB{there / 2**20:>8.0f} MiB{cold:>10.3f}{warm:>9.4f}{'':>5} | "
            f"{whole:>8.2f}{again:>8.2f}",
            flush=True,
        )
    print("Two models of 14.3 billion weights, computed: seconds by a part, again; all bytes, again")
    for name, measured in found.items():
        cold, warm, whole, again = (PAIR[name] * each for each in measured)
        print(f"{name:>10}, {PAIR[name]:.1f} GiB: {cold:.1f} s, {warm:.2f} s; {whole:.0f} s, {again:.0f} s")
    return 0
