"""Real clips, in ``../shared/data`` or a folder of that layout, and windows of them without a cut."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

SHORTER_SIDE = 240
"""Pixels that clips are shrunk to."""
CUT = 0.12
"""Mean absolute difference of two frames beyond which they belong to two shots."""
NO_VIDEO = ("scene_cuts",)
"""A screen recording: another clip beside curves drawn of it."""


@dataclass(frozen=True)
class Shot:
    """A clip between two cuts."""

    clip: str
    frames: Tensor
    """``(T, 3, H, W)`` RGB in [0, 1]."""


def load_shots(folder: Path, *, at_least: int) -> Iterator[Shot]:
    """All shots of all clips that have ``at_least`` frames.

    Raises:
        FileNotFoundError: if there are no clips.
    """
    paths = [path for path in sorted((folder / "clips").glob("*.*")) if path.stem not in NO_VIDEO]
    if not paths:
        raise FileNotFoundError(f"No clips in {folder / 'clips'}.")
    for path in paths:
        frames = read_clip(path)
        change = frames.diff(dim=0).abs().mean(dim=(1, 2, 3))
        starts = [0, *(1 + index for index in range(len(change)) if change[index] > CUT), len(frames)]
        for start, stop in pairwise(starts):
            if stop - start >= at_least:
                yield Shot(path.stem, frames[start:stop])


def read_clip(path: Path) -> Tensor:
    """A video file as ``(T, 3, H, W)`` RGB in [0, 1], its shorter side no more than 240 pixels."""
    import av

    frames = []
    with av.open(str(path)) as container:
        for decoded in container.decode(video=0):
            frame = torch.from_numpy(decoded.to_ndarray(format="rgb24")).movedim(-1, 0)[None].float() / 255
            shrink = SHORTER_SIDE / min(frame.shape[-2:])
            if shrink < 1:
                size = [round(side * shrink) for side in frame.shape[-2:]]
                frame = F.interpolate(frame, size, mode="bilinear", align_corners=False, antialias=True)
            frames.append(frame)
    return torch.cat(frames)
