"""Text as a picture."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

MARGIN = 1
"""White pixels around the text."""


def draw_text(text: str, like: Tensor, *, size: int = 10) -> Tensor:
    """Black on white, in Pillow's built-in font: no font file of the machine is needed.

    Args:
        like: gives dtype and device.
        size: of the font, pixels; digits can be read from 10 on.

    Returns:
        ``(1, 1, h, w)`` in [0, 1], as large as the text and a margin of one pixel.
    """
    from PIL import Image, ImageDraw, ImageFont

    font = ImageFont.load_default(size)
    left, top, right, bottom = (round(side) for side in font.getbbox(text))
    paper = Image.new("L", (right - left + 2 * MARGIN, bottom - top + 2 * MARGIN), "white")
    ImageDraw.Draw(paper).text((MARGIN - left, MARGIN - top), text, fill="black", font=font)
    return torch.from_numpy(np.array(paper))[None, None].to(like) / 255
