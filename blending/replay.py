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
"""Of the usual difference of neighboring frames: less, and two frames are the same one."""
STILL = 0.15
"""8-bit levels between neighboring frames: less moves than any two encodings of a still picture differ by."""
NEAR = 2
"""Frame pairs on either side of a replay that say what is usual just there."""
STRAIGHT = 0.75
"""Of the larger step beside a held frame: less from its one side to the other, and the motion has turned back."""
OFTEN = 0.25
"""Share of frame pairs that are held, in what is drawn or shown at another rate: there a held frame is usual."""
CUT = 27.0
"""Content change of a cut, as PySceneDetect's ContentDetector has it."""


def replayed_frames(frames: Tensor, seam: int) -> int:
    """How many frames behind a seam repeat those before it: frame ``seam + j`` is frame ``seam - n + j``.

    They do where they differ by a small share of what neighboring frames do, in the clip and just there. Motion that
    turns back passes the same place twice, and a clip that repeats itself does so everywhere: neither is a replay.

    Args:
        frames: ``(T, 3 or 4, H, W)`` RGB in [0, 1]; :func:`small_clip` of them, or themselves.
        seam: index of the first frame after it.

    Returns:
        The number n of repeated frames; 1 is a frame that is held, 0 none. A still scene replays nothing.
    """
    clip = shrink(frames, SIDE) * 255
    steps = _apart(clip[1:], clip[:-1])
    usual = torch.cat((steps[: seam - 1], steps[seam:]))
    if not len(usual) or usual.median() < STILL:
        return 0
    if _is_held(clip, steps, seam, usual):
        return 1
    for lag in range(2, min(LONGEST, seam, len(clip) - seam) + 1):
        beside = steps[max(0, seam - lag - NEAR) : seam - 1], steps[seam : seam + lag + NEAR - 1]
        limit = ALIKE * min(side.median().item() for side in (*beside, usual))
        if not _alike(clip, seam, seam - lag, lag, limit):
            continue
        # A motion in circles is as like what it was a lag earlier before the seam.
        if not _alike(clip, max(lag, seam - lag), max(0, seam - 2 * lag), min(lag, seam - lag), limit):
            return lag
    return 0


def _apart(a: Tensor, b: Tensor) -> Tensor:
    """``(N,)``: mean absolute difference of frames."""
    return (a - b).abs().mean(dim=(1, 2, 3))


def _alike(clip: Tensor, one: int, other: int, count: int, limit: float) -> bool:
    """Whether ``count`` frames from ``one`` on are those from ``other`` on; none are like nothing."""
    return count > 0 and bool((_apart(clip[one : one + count], clip[other : other + count]) < limit).all())


def _is_held(clip: Tensor, steps: Tensor, seam: int, usual: Tensor) -> bool:
    """Whether the frame behind a seam is the one before it, among frames that move on before and behind."""
    own = steps[seam - 1].item()
    # A frame may be held for longer: what is usual begins where that ends.
    tiny = max(STILL, 2 * own)
    first = last = seam - 1
    while first > 0 and steps[first - 1] <= tiny:
        first -= 1
    while last + 1 < len(steps) and steps[last + 1] <= tiny:
        last += 1
    expected = [_reach(steps[max(0, first - 2) : first].flip(0)), _reach(steps[last + 1 : last + 3])]
    expected = [step for step in expected if step is not None]
    if not expected:
        return False
    limit = ALIKE * min(sum(expected) / len(expected), usual.median().item())
    if steps[first : last + 1].max() >= limit or (usual < limit).float().mean() > OFTEN:
        return False
    if first == 0 or last + 1 == len(steps):
        return True
    around = _apart(clip[first - 1 : first], clip[last + 2 : last + 3])
    return bool(around > STRAIGHT * torch.maximum(steps[first - 1], steps[last + 1]))


def _reach(steps: Tensor) -> float | None:
    """The step that comes before the nearest of ``steps``, nearest first, if it slows down as it did; None of none."""
    if not len(steps):
        return None
    near, far = steps[0], steps[-1]
    return (near - (far - near).clamp(min=0)).clamp(min=0).item()


def small_clip(frames: Tensor, *, checked: bool = False) -> Tensor:
    """``(T, 3, h, w)`` in the host's memory, its shorter side no more than 64 pixels: all that is looked at here."""
    return shrink(frames, SIDE, checked=checked).cpu()


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
