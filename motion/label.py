"""Numbers drawn into a picture, without a font library: five by three dots a character."""

from __future__ import annotations

import torch
from torch import Tensor

GLYPHS = {
    "0": "### #.# #.# #.# ###",
    "1": ".#. ##. .#. .#. ###",
    "2": "### ..# ### #.. ###",
    "3": "### ..# .## ..# ###",
    "4": "#.# #.# ### ..# ..#",
    "5": "### #.. ### ..# ###",
    "6": "### #.. ### #.# ###",
    "7": "### ..# .#. .#. .#.",
    "8": "### #.# ### #.# ###",
    "9": "### #.# ### ..# ###",
    ".": "... ... ... ... .#.",
    "p": "... ##. #.# ##. #..",
    "x": "... #.# .#. .#. #.#",
    " ": "... ... ... ... ...",
}
HEIGHT, WIDTH = 5, 3


def draw_text(text: str, like: Tensor, *, dot: int = 1) -> Tensor:
    """Black on white, with a margin of one dot.

    Args:
        text: of the characters in :data:`GLYPHS`.
        like: gives dtype and device.
        dot: side of a dot, pixels.

    Returns:
        ``(1, 1, 7 dot, (4 n + 1) dot)`` in [0, 1].
    """
    rows = [".".join(glyphs) for glyphs in zip(*(GLYPHS[character].split() for character in text), strict=True)]
    ink = [[character == "#" for character in f".{row}."] for row in rows]
    paper = torch.ones(1, 1, HEIGHT + 2, (WIDTH + 1) * len(text) + 1)
    paper[..., 1:-1, :] -= torch.tensor(ink, dtype=paper.dtype)
    return paper.repeat_interleave(dot, dim=2).repeat_interleave(dot, dim=3).to(like)
