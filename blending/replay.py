"""Frames that are shown twice, and shots that are cut."""

from __future__ import annotations

import torch
from torch import Tensor

from .series import shrink

SIDE = 64
"""Pixels along the shorter side of the pictures that are compared."""
LONGEST = 25
"""Frames that are looked for: the largest overlap of the presets."""
ALIKE = 0.25
"""Of the usual difference of neighbouring frames: less, and two frames are the same one."""
STILL = 0.15
"""8-bit levels between neighbouring frames: less moves than any two encodings of a still picture differ by."""
CUT = 27.0
"""Content change of a cut, as PySceneDetect's ContentDetector has it."""


def replayed_frames(frames: Tensor, seam: int) -> int:
    """How many frames behind a seam repeat those before it: frame ``seam + j`` is frame ``seam - n + j``.

    Args:
        frames: ``(T, 3, H, W)`` RGB in [0, 1].
        seam: index of the first frame after it.

    Returns:
        The number n of repeated frames; 1 is a frame that is held, 0 none. A still scene replays nothing.
    """
    clip = shrink(frames, SIDE) * 255
    usual = clip.diff(dim=0).abs().mean(dim=(1, 2, 3))
    usual = torch.cat((usual[: seam - 1], usual[seam:]))
    if not len(usual) or usual.median() < STILL:
        return 0
    limit = ALIKE * usual.median()
    for lag in range(1, min(LONGEST, seam, len(frames) - seam) + 1):
        apart = (clip[seam : seam + lag] - clip[seam - lag : seam]).abs().mean(dim=(1, 2, 3))
        if (apart < limit).all():
            return lag
    return 0


def content_change(frames: Tensor) -> Tensor:
    """``(T - 1,)``: mean change of hue (0 to 180), saturation and value (0 to 255) from each frame to the next.

    What PySceneDetect's ContentDetector goes by: a cut changes it by more than 27.
    """
    from kornia.color import rgb_to_hsv

    clip = shrink(frames, SIDE)
    scale = torch.tensor([180 / (2 * torch.pi), 255.0, 255.0], device=clip.device).view(1, 3, 1, 1)
    return (rgb_to_hsv(clip) * scale).diff(dim=0).abs().mean(dim=(1, 2, 3))


def is_cut(change: Tensor, pair: int) -> bool:
    """Whether a frame pair parts two shots, by the :func:`content_change` of the clip."""
    return change[pair].item() > CUT


def find_cuts(frames: Tensor) -> list[int]:
    """Indices of the first frames of new shots."""
    return [index + 1 for index in (content_change(frames) > CUT).nonzero()[:, 0].tolist()]
