"""Frame pairs with known flow, in ``../shared/data`` or a folder of that layout."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
MAGIC, HEADER = 202021.25, 12
UNKNOWN = 1e9
"""Middlebury's mark of a pixel whose flow nobody knows."""
HARD = ("ambush", "market_5", "temple_3")
"""Scenes whose motion is 30 to 90 pixels on average: beyond every method without learned weights."""


@dataclass(frozen=True)
class Pair:
    """Two frames and the flow between them."""

    group: str
    """``chairs``, ``middlebury``, ``sintel`` or ``hard``."""
    name: str
    first: Tensor
    """``(1, 3, H, W)`` RGB in [0, 1]."""
    second: Tensor
    flow: Tensor
    """``(1, 2, H, W)`` pixels."""
    known: Tensor
    """``(1, 1, H, W)`` bool: where the flow is known."""
    occluded: Tensor | None
    """``(1, 1, H, W)`` bool: where the first frame's pixel is hidden in the second; None where nobody knows."""


def read_flow(path: Path) -> Tensor:
    """A Middlebury ``.flo`` file as ``(1, 2, H, W)``.

    Raises:
        ValueError: if it is something else, or cut short.
    """
    raw = path.read_bytes()
    magic, width, height = struct.unpack_from("<fii", raw.ljust(HEADER, b"\0"))
    if magic != MAGIC or len(raw) != HEADER + 8 * width * height:
        raise ValueError(f"{path} is no Middlebury flow file: {len(raw)} bytes, said to be {width} x {height} pixels.")
    vectors = np.frombuffer(raw, "<f4", offset=HEADER).reshape(1, height, width, 2)
    return torch.from_numpy(vectors.copy()).movedim(-1, 1)


def load_pairs(folder: Path = DATA) -> Iterator[Pair]:
    """All pairs of a folder, one at a time.

    Raises:
        FileNotFoundError: if there are none.
    """
    flow = folder / "flow"
    found = False
    for path in sorted(flow.rglob("*.flo")):
        for pair in _pairs_of(path):
            found = True
            yield pair
    if not found:
        raise FileNotFoundError(f"No pairs with known flow in {flow}.")


def _pairs_of(path: Path) -> Iterator[Pair]:
    if path.stem.endswith("-gt"):
        stem = str(path)[: -len("-gt.flo")]
        yield _pair("chairs", path.stem[:-3], Path(stem + "-img0.ppm"), Path(stem + "-img1.ppm"), path)
    elif path.stem == "flow10":
        yield _pair("middlebury", path.parent.name, path.parent / "frame10.png", path.parent / "frame11.png", path)
    else:
        scene, number = path.parents[1], int(path.stem.removeprefix("frame_"))
        group = "hard" if scene.name.startswith(HARD) else "sintel"
        for rendering in ("clean", "final"):
            first, second = (scene / rendering / f"frame_{number + step:04d}.png" for step in (0, 1))
            if first.exists() and second.exists():
                yield _pair(group, f"{scene.name} {number} {rendering}", first, second, path, scene)


def _pair(group: str, name: str, first: Path, second: Path, flow: Path, scene: Path | None = None) -> Pair:
    truth = read_flow(flow)
    known = (truth.abs() < UNKNOWN).all(dim=1, keepdim=True)
    occluded = None
    if scene is not None:
        picture = f"{flow.stem}.png"
        if (scene / "invalid" / picture).exists():
            known = known & ~_mask(scene / "invalid" / picture)
        if (scene / "occlusions" / picture).exists():
            occluded = _mask(scene / "occlusions" / picture)
    return Pair(group, name, _frame(first), _frame(second), truth, known, occluded)


def _frame(path: Path) -> Tensor:
    return torch.from_numpy(np.array(Image.open(path).convert("RGB"))).movedim(-1, 0)[None].float() / 255


def _mask(path: Path) -> Tensor:
    return torch.from_numpy(np.array(Image.open(path).convert("L")) > 127)[None, None]
