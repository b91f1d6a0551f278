"""The files that graphs may load: the tiny models, two LoRAs for them, and a few pictures."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
from PIL import Image
from safetensors.numpy import save_file

from ..workflow import ROOT

TINY = (("diffusion_models", "wan2.1_i2v_tiny.safetensors"), ("vae", "wan_2.1_vae_tiny.safetensors"))
LORAS = {"a.safetensors": 1, "b.safetensors": 2}
"""Names, and the seed of each."""
RANK, WIDTH = 2, 128
PICTURES = {"square.png": (64, 64, 3), "wide.png": (48, 80, 3), "grey.png": (64, 64), "alpha.png": (64, 64, 4)}
"""Names and shapes."""


def write_models(base: Path) -> None:
    """Fill the ``models`` and ``input`` folders of a host's base folder."""
    for folder, name in TINY:
        target = base / "models" / folder
        target.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / "tiny" / folder / name, target / name)
    (base / "models" / "loras").mkdir(exist_ok=True)
    for name, seed in LORAS.items():
        save_file(_lora(seed), base / "models" / "loras" / name)
    (base / "input").mkdir(exist_ok=True)
    for seed, (name, shape) in enumerate(PICTURES.items()):
        _picture(seed, shape).save(base / "input" / name)


def _lora(seed: int) -> dict[str, np.ndarray]:
    generator = np.random.default_rng(seed)
    tensors = {}
    for block in range(4):
        key = f"diffusion_model.blocks.{block}.self_attn.v"
        for part, shape in (("up", (WIDTH, RANK)), ("down", (RANK, WIDTH))):
            tensors[f"{key}.lora_{part}.weight"] = 0.1 * generator.standard_normal(shape, np.float32)
    return tensors


def _picture(seed: int, shape: tuple[int, ...]) -> Image.Image:
    """A ball on a slope, since noise has no motion to find."""
    y, x = np.mgrid[: shape[0], : shape[1]] / 64
    plane = np.where((x - 0.4) ** 2 + (y - 0.3 - 0.1 * seed) ** 2 < 0.03, 0.9, 0.2 + 0.3 * x)
    planes = [plane] if len(shape) == 2 else [plane, 1 - plane, 0.5 * plane, 0.2 + 0.8 * x.clip(0, 1)][: shape[2]]
    pixels = (255 * np.stack(planes, -1).clip(0, 1)).astype(np.uint8)
    return Image.fromarray(pixels.squeeze(-1) if len(shape) == 2 else pixels)
