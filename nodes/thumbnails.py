"""Small pictures for the front end: of the frames around each seam, and of a plot. None is worth a result."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterable, Iterator

import torch
import torch.nn.functional as F
from comfy_api.latest import ui
from einops import rearrange
from torch import Tensor

from ..wan.runs.names import RunError, reason
from ._compat import io

logger = logging.getLogger(__name__)

BESIDE = 2
"""Frames shown on each side of a seam."""
SHORTER = 160
"""Pixels of a shown frame's shorter side, at most."""
GAP = 8
"""Pixels between the last frame before a seam and the first behind it."""


def show_seams(pieces: Iterable[Tensor], seams: Iterable[int]) -> dict[int, dict]:
    """Write a picture of each seam among the host's temporary files.

    What cannot be read or written costs the pictures only: the video that they are of is made by then.

    Args:
        pieces: the video's frames, ``(n, 3, H, W)`` in [0, 1] at a time; each is looked at once.
        seams: the first frame behind each.

    Returns:
        Per seam what the front end finds its picture by.
    """
    # Temporary files are numbered from the start by each host process; a browser may still know the last one's.
    name, found = f"wan_motion_{uuid.uuid4().hex[:8]}", {}
    try:
        for seam, strip in cut_strips(pieces, seams):
            picture = rearrange(strip, "c h w -> h w c")
            (saved,) = ui.ImageSaveHelper.save_images([picture], name, io.FolderType.temp, None)
            found[seam] = dict(saved)
    except (OSError, RunError) as error:
        why = reason(error) if isinstance(error, OSError) else error
        logger.warning("The timeline has no pictures of some seams: %s", why)
    return found


def show_picture(image: Tensor) -> ui.PreviewImage | None:
    """A preview of an IMAGE on its node, if the disk takes it."""
    try:
        return ui.PreviewImage(image)
    except OSError as error:
        logger.warning("The node has no preview: %s", reason(error))
        return None


def cut_strips(pieces: Iterable[Tensor], seams: Iterable[int]) -> Iterator[tuple[int, Tensor]]:
    """The frames around each seam, side by side; see :func:`show_seams` for the arguments.

    Yields:
        A seam, and ``(3, h, w)`` in [0, 1]: two frames before it and two behind, or fewer where the video ends; as soon
        as they are there, so that only the frames of one seam are held.
    """
    waiting, small, begin = sorted(seams), {}, 0
    wanted = {frame for seam in waiting for frame in range(seam - BESIDE, seam + BESIDE)}
    for piece in pieces:
        for frame in sorted(wanted.intersection(range(begin, begin + len(piece)))):
            small[frame] = _shrink(piece[frame - begin])
            while waiting and frame == waiting[0] + BESIDE - 1:
                yield waiting[0], _beside(waiting[0], small)
                waiting.pop(0)
                small = {at: kept for at, kept in small.items() if waiting and at >= waiting[0] - BESIDE}
        begin += len(piece)
    for seam in waiting:
        if seam < begin:
            yield seam, _beside(seam, small)


def _shrink(frame: Tensor) -> Tensor:
    height, width = frame.shape[-2:]
    scale = min(1.0, SHORTER / min(height, width))
    size = (max(1, round(height * scale)), max(1, round(width * scale)))
    return F.interpolate(frame[None].float().cpu(), size, mode="area")[0].clamp(0, 1)


def _beside(seam: int, small: dict[int, Tensor]) -> Tensor:
    before = [small[at] for at in range(seam - BESIDE, seam) if at in small]
    behind = [small[at] for at in range(seam, seam + BESIDE) if at in small]
    return torch.cat((*before, torch.ones(3, behind[0].shape[1], GAP), *behind), dim=2)
