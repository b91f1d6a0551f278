"""The size of a video: as asked for, or by the proportions of its picture."""

from __future__ import annotations

import math
from typing import NamedTuple

from .latents import LARGEST_SIDE, PIXEL_STEP, check_size
from .numbers import check_whole

WIDTH, HEIGHT = 832, 480
"""Of a video by default; both 0 asks for as many pixels."""
MUCH = 0.1
"""Share of a picture that may be cut off without a word."""


class Picture(NamedTuple):
    """A picture's size in pixels, and the input that it came from."""

    name: str
    width: int
    height: int


def choose_size(width: int, height: int, picture: Picture | None) -> tuple[int, int]:
    """Width and height of a video, in pixels, multiples of 16.

    Args:
        width: as asked for; 0 follows the height in the picture's proportions, and with a height of 0 makes a video of
            about as many pixels as the default size.
        height: likewise.
        picture: the one whose proportions count; None where there is none.

    Raises:
        ValueError: if one is no multiple of 16 or out of range, or 0 without a picture.
    """
    sides = {"width": width, "height": height}
    for name, pixels in sides.items():
        sides[name] = check_whole(name, pixels, 0, LARGEST_SIDE)
        if sides[name]:
            check_size(name, sides[name])
    width, height = sides["width"], sides["height"]
    if width and height:
        return width, height
    if picture is None:
        name = "height" if width else "width"
        raise ValueError(
            f"{name}: 0 goes by the proportions of a picture, and there is no start_image or source. Connect one, or "
            f"set width and height, such as {WIDTH} and {HEIGHT}."
        )
    aspect = picture.width / picture.height
    if not width and not height:
        return _fit(math.sqrt(WIDTH * HEIGHT * aspect)), _fit(math.sqrt(WIDTH * HEIGHT / aspect))
    return (width, _fit(width / aspect)) if width else (_fit(height * aspect), height)


def cut_share(picture: Picture, width: int, height: int) -> float:
    """The share of a picture, in [0, 1], that is outside of a video of some size when it is scaled to fill that."""
    have, wanted = picture.width * height, width * picture.height
    return 1 - min(have, wanted) / max(have, wanted)


def crop_warning(picture: Picture, width: int, height: int) -> str:
    """That much of a picture is cut off, and how to avoid it; empty where little is."""
    share = cut_share(picture, width, height)
    if share <= MUCH:
        return ""
    where = "left and right" if picture.width * height > width * picture.height else "top and bottom"
    return (
        f"{picture.name} is {picture.width} x {picture.height}: {100 * share:.0f} % of it is cut off at {where} for "
        f"{width} x {height}. For its own proportions set width or height, or both, to 0"
    )


def _fit(pixels: float) -> int:
    """The nearest side that a video may have."""
    return min(max(round(pixels / PIXEL_STEP), 1) * PIXEL_STEP, LARGEST_SIDE)
