"""Every few frames of a video on one picture, the frames numbered."""

from __future__ import annotations

import math
from pathlib import Path

import av
from PIL import Image, ImageDraw

COLUMNS, SHOWN, WIDTH = 8, 48, 128
"""Pictures to a row, at most in all, and their width in pixels."""


def write_contact_sheet(video: Path, sheet: Path) -> None:
    with av.open(str(video)) as container:
        frames = [frame.to_image() for frame in container.decode(video=0)]
    step = max(1, math.ceil(len(frames) / SHOWN))
    chosen = list(range(0, len(frames), step))
    height = round(WIDTH * frames[0].height / frames[0].width)
    picture = Image.new("RGB", (COLUMNS * WIDTH, math.ceil(len(chosen) / COLUMNS) * height))
    draw = ImageDraw.Draw(picture)
    for place, index in enumerate(chosen):
        corner = (place % COLUMNS * WIDTH, place // COLUMNS * height)
        picture.paste(frames[index].resize((WIDTH, height), Image.Resampling.LANCZOS), corner)
        draw.text((corner[0] + 4, corner[1] + 2), str(index), fill="white", stroke_width=1, stroke_fill="black")
    picture.save(sheet)
