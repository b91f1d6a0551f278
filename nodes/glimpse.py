"""Small pictures of the frames around each seam, for a node's timeline."""

from __future__ import annotations

import logging
from collections.abc import Iterable

import torch
import torch.nn.functional as F
from comfy_api.latest import ui
from torch import Tensor

from ._compat import io
from .layout import to_image

logger = logging.getLogger(__name__)

BESIDE = 2
"""Frames shown on each side of a seam."""
SHORTER = 160
"""Pixels of a shown frame's shorter side, at most."""
GAP = 8
"""Pixels between the last frame before a seam and the first behind it."""


def cut_strips(pieces: Iterable[Tensor], seams: Iterable[int]) -> dict[int, Tensor]:
    """The frames around each seam, side by side.

    Args:
        pieces: the video's frames, ``(n, 3, H, W)`` in [0, 1] at a time; each is looked at once.
        seams: the first frame behind each.

    Returns:
        Per seam ``(3, h, w)`` in [0, 1]: two frames before it and two behind, or fewer where the video ends.
    """
    around = {seam: range(max(0, seam - BESIDE), seam + BESIDE) for seam in seams}
    wanted = set().union(*around.values())
    small, begin = {}, 0
    for piece in pieces:
        for frame in wanted.intersection(range(begin, begin + len(piece))):
            small[frame] = _shrink(piece[frame - begin])
        begin += len(piece)
    return {
        seam: _beside(seam, {frame: small[frame] for frame in frames if frame in small})
        for seam, frames in around.items()
    }


def save_strips(strips: dict[int, Tensor]) -> dict[int, dict]:
    """Write strips as pictures among the host's temporary files; returns what the front end finds each by.

    A disk that does not take them costs the pictures only: they are less than the video that they are of.
    """
    images = [to_image(strip[None])[0] for strip in strips.values()]
    if not images:
        return {}
    try:
        saved = ui.ImageSaveHelper.save_images(images, "wan_motion_seam", io.FolderType.temp, None)
    except OSError as error:
        logger.warning("The timeline has no pictures of the seams: %s", error)
        return {}
    return {seam: dict(found) for seam, found in zip(strips, saved, strict=True)}


def _shrink(frame: Tensor) -> Tensor:
    height, width = frame.shape[-2:]
    scale = min(1.0, SHORTER / min(height, width))
    size = (max(1, round(height * scale)), max(1, round(width * scale)))
    return F.interpolate(frame[None].float().cpu(), size, mode="area")[0].clamp(0, 1)


def _beside(seam: int, frames: dict[int, Tensor]) -> Tensor:
    before = [frame for at, frame in frames.items() if at < seam]
    behind = [frame for at, frame in frames.items() if at >= seam]
    blank = torch.ones(3, before[0].shape[1], GAP)
    return torch.cat((*before, blank, *behind), dim=2)
