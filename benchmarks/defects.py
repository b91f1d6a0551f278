"""What goes wrong at a seam, put into real clips on purpose."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from ..motion.pyramid import gaussian_blur
from ..motion.warp import backward_warp

Defect = Callable[[Tensor, int, torch.Generator], "tuple[Tensor, int] | None"]
"""A clip ``(T, 3, H, W)`` in [0, 1] and the first frame behind a place, to a clip with a seam there and its first frame
behind it; None where the clip is too short on either side."""

SIDE = 12
"""Frames on either side of a seam, at the least."""


def none(clip: Tensor, place: int, generator: torch.Generator) -> tuple[Tensor, int] | None:
    return _join(clip[:place], clip[place:])


def replay(count: int) -> Defect:
    """The last ``count`` frames once more; 1 is a held frame."""
    return lambda clip, place, _: _join(clip[:place], clip[max(0, place - count) :]) if place >= count else None


def hold(count: int) -> Defect:
    """The last frame ``count`` times more."""
    return lambda clip, place, _: _join(
        clip[:place], torch.cat((clip[place - 1 : place].repeat(count, 1, 1, 1), clip[place:]))
    )


def drop(count: int) -> Defect:
    """``count`` frames are missing."""
    return lambda clip, place, _: _join(clip[:place], clip[place + count :])


def speed(before: int, behind: int) -> Defect:
    """Every ``before``-th frame up to the seam and every ``behind``-th from there on: no frame is made up."""

    def change(clip: Tensor, place: int, _: torch.Generator) -> tuple[Tensor, int] | None:
        return _join(clip[:place].flip(0)[::before].flip(0), clip[place - 1 + behind :: behind], fewest=7)

    return change


def judder(clip: Tensor, place: int, _: torch.Generator) -> tuple[Tensor, int] | None:
    """Half the speed behind the seam, each frame shown twice."""
    return _join(clip[:place], clip[place:].repeat_interleave(2, dim=0))


def reverse(clip: Tensor, place: int, _: torch.Generator) -> tuple[Tensor, int] | None:
    """Behind the seam the clip runs back."""
    return _join(clip[:place], clip[: place - 1].flip(0))


def change(look: Callable[[Tensor], Tensor], frames: int | None = None) -> Defect:
    """All frames behind the seam look otherwise, or the first ``frames`` of them."""

    def apply(clip: Tensor, place: int, _: torch.Generator) -> tuple[Tensor, int] | None:
        behind = clip[place:]
        return _join(clip[:place], torch.cat((look(behind[:frames]), behind[len(behind[:frames]) :])).clamp(0, 1))

    return apply


def jump(pixels: float, share: float = 1.0) -> Defect:
    """The picture behind the seam is elsewhere, in a random direction; or a square of it of that share of its area."""

    def move(clip: Tensor, place: int, generator: torch.Generator) -> tuple[Tensor, int] | None:
        height, width = clip.shape[-2:]
        angle = 2 * math.pi * torch.rand(1, generator=generator).item()
        way = torch.tensor([math.cos(angle), math.sin(angle)]) * pixels
        behind = clip[place:]
        moved = backward_warp(behind, way.view(1, 2, 1, 1).expand(len(behind), 2, height, width), mode="bicubic").clamp(
            0, 1
        )
        if share < 1:
            side = int((share * height * width) ** 0.5)
            y, x = (int(torch.randint(size - side, (1,), generator=generator)) for size in (height, width))
            part = behind.clone()
            part[..., y : y + side, x : x + side] = moved[..., y : y + side, x : x + side]
            moved = part
        return _join(clip[:place], moved)

    return move


def cut(clip: Tensor, place: int, generator: torch.Generator) -> tuple[Tensor, int] | None:
    """Another shot: the clip's colors inverted and turned upside down."""
    return _join(clip[:place], (1 - clip[place:]).flip(-2))


def both(first: Defect, second: Defect) -> Defect:
    """Two defects at one seam."""

    def apply(clip: Tensor, place: int, generator: torch.Generator) -> tuple[Tensor, int] | None:
        found = first(clip, place, generator)
        return None if found is None else second(*found, generator)

    return apply


def _tint(frames: Tensor) -> Tensor:
    return frames + torch.tensor([2.0, 0.0, -2.0]).view(1, 3, 1, 1) / 255


DEFECTS: dict[str, Defect] = {
    "replay 1 (held)": replay(1),
    "replay 4": replay(4),
    "replay 13": replay(13),
    "freeze, 3 frames": hold(3),
    **{f"drop {count}": drop(count) for count in (1, 2, 3, 4)},
    "flash": change(lambda frames: frames * 0.8 + 0.2, frames=1),
    "brightness +1/255": change(lambda frames: frames + 1 / 255),
    "tint 2/255": change(_tint),
    "blur 0.8 px": change(lambda frames: gaussian_blur(frames, 0.8)),
    **{f"jump {pixels:g} px": jump(pixels) for pixels in (0.5, 1, 2, 3)},
    "speed x0.5": speed(2, 1),
    "speed x1.5": speed(2, 3),
    "speed x2": speed(1, 2),
    "cut": cut,
    "speed x0.67": speed(3, 2),
    "speed x3": speed(1, 3),
    "x0.5, frames twice": judder,
    "running back": reverse,
    "jump 2 px of 10 %": jump(2, share=0.1),
    "jump 4 px of 10 %": jump(4, share=0.1),
    "drop 1 + brightness": both(drop(1), change(lambda frames: frames + 1 / 255)),
}
"""What the panel should see; behind ``cut``, what it was not asked for."""


def small(frames: Tensor, side: int = 64) -> Tensor:
    """A clip at the size of the tiny model's."""
    scale = side / min(frames.shape[-2:])
    return F.interpolate(frames, [round(edge * scale) for edge in frames.shape[-2:]], mode="area")


def grain(frames: Tensor, generator: torch.Generator, levels: float = 2.0) -> Tensor:
    """A clip with noise of its own in each frame."""
    return (frames + torch.randn(frames.shape, generator=generator) * levels / 255).clamp(0, 1)


def _join(before: Tensor, behind: Tensor, fewest: int = 9) -> tuple[Tensor, int] | None:
    if len(before) < fewest or len(behind) < fewest:
        return None
    return torch.cat((before, behind)), len(before)
