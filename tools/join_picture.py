"""The README's picture of a join on real footage: hard cut, crossfade and this pack, with their seam scores.

Two overlapping clips are taken from one video. The second one is a frame ahead and tinted, as a chunk may be.
``python dev.py pictures --join-only --clip cockatoo.mp4`` draws it; the clip is not in the repository.
"""

from __future__ import annotations

import argparse
import itertools
from pathlib import Path

import av
import torch
import torch.nn.functional as F
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from ..blending import join_clips, match_color, survey_video

WIDTH, HEIGHT = 832, 480
STARTS = (215, 200, 222)
"""First frames of the first clip; at the first of them the picture is drawn, all are measured."""
FIRST, OVERLAP, AFTER = 29, 17, 24
"""The first clip's length; frames both clips show; frames that the second one adds."""
FALL = 12
"""Frames after the overlap over which a join may still move things."""
AHEAD = (1, 2)
"""Frames by which the second clip is ahead of the first; the first is drawn, both are measured."""
GAIN, OFFSET = (1.05, 1.0, 0.94), (0.012, 0.0, -0.012)
"""Of the second clip's red, green and blue."""
SHOWN = (20, 24, 28, 29)
BOX = (416, 20, 416 + 384, 20 + 288)
"""Of each frame, in pixels: left, top, right, bottom."""
TILE, GAP, HEAD, SIDE = (272, 204), 4, 22, 150
QUALITY = 88
UNCUT, CUT, FADE, OURS = "uncut", "hard cut", "crossfade", "Wan Motion Chunks"


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="dev.py pictures")
    parser.add_argument("--clip", type=Path, help="cockatoo.mp4 of imageio-binaries; draws docs/join.webp")
    parser.add_argument("--join-only", action="store_true", help="draw nothing else")
    options = parser.parse_args(arguments)
    if options.join_only and options.clip is None:
        parser.error("--join-only needs --clip")
    return options


@torch.inference_mode()
def write_join(clip: Path, path: Path) -> Path:
    """Draw the picture, and print the seam scores that are in it and those of other places."""
    for start, ahead in itertools.product(STARTS, AHEAD):
        ways = join_ways(read(clip, start, FIRST + AFTER + ahead), ahead)
        scores = {name: worst_score(video) for name, video in ways.items()}
        words = ", ".join(f"{name} {score:.2f}" for name, score in scores.items())
        print(f"from frame {start}, ahead by {ahead}: {words}", flush=True)
        if (start, ahead) == (STARTS[0], AHEAD[0]):
            draw(ways, scores).save(path, quality=QUALITY, method=6)
    return path


def join_ways(frames: Tensor, ahead: int) -> dict[str, Tensor]:
    """The same two clips joined in each way, and the video that they were taken from."""
    first, second = frames[:FIRST], tint(frames[FIRST - OVERLAP + ahead : FIRST + AFTER + ahead])
    pair = (second[:OVERLAP], first[-OVERLAP:])
    weight = ((torch.arange(OVERLAP) + 1) / (OVERLAP + 1)).view(-1, 1, 1, 1)
    faded = torch.lerp(pair[1], pair[0], weight)
    return {
        CUT: torch.cat((first, second[OVERLAP:])),
        FADE: torch.cat((first[:-OVERLAP], faded, second[OVERLAP:])),
        OURS: join_clips(first, match_color(second, pair), OVERLAP).frames.clamp(0, 1),
        UNCUT: frames[: FIRST + AFTER],
    }


def tint(frames: Tensor) -> Tensor:
    gain, offset = (torch.tensor(values).view(1, 3, 1, 1) for values in (GAIN, OFFSET))
    return (frames * gain + offset).clamp(0, 1)


def worst_score(video: Tensor) -> float:
    """The highest seam score from the overlap's first frame to twelve frames after its last, wherever a join lies."""
    around = tuple(range(FIRST - OVERLAP, FIRST + FALL + 1))
    return max(report.score for report in survey_video(video, around).reports)


def read(clip: Path, start: int, count: int) -> Tensor:
    """``(count, 3, 480, 832)`` RGB in [0, 1], cropped at the center."""
    found = []
    with av.open(str(clip)) as container:
        for index, decoded in enumerate(container.decode(video=0)):
            if index >= start:
                frame = torch.from_numpy(decoded.to_ndarray(format="rgb24")).movedim(-1, 0)[None].float() / 255
                scale = max(HEIGHT / frame.shape[2], WIDTH / frame.shape[3])
                size = [round(side * scale) for side in frame.shape[2:]]
                frame = F.interpolate(frame, size, mode="bicubic", align_corners=False, antialias=True).clamp(0, 1)
                top, left = (size[0] - HEIGHT) // 2, (size[1] - WIDTH) // 2
                found.append(frame[..., top : top + HEIGHT, left : left + WIDTH])
            if len(found) == count:
                return torch.cat(found)
    raise ValueError(f"{clip}: expected {start + count} frames, got {start + len(found)}.")


def draw(ways: dict[str, Tensor], scores: dict[str, float]) -> Image.Image:
    """A row per way, a column per frame."""
    rows = [CUT, FADE, OURS]
    width, height = SIDE + len(SHOWN) * (TILE[0] + GAP), HEAD + len(rows) * (TILE[1] + GAP)
    whole = Image.new("RGB", (width, height), "#161b22")
    pen, font, bold = ImageDraw.Draw(whole), ImageFont.load_default(13), ImageFont.load_default(15)
    for column, index in enumerate(SHOWN):
        where = "overlap" if index < FIRST else "second clip"
        pen.text((SIDE + column * (TILE[0] + GAP) + 4, 4), f"frame {index}, {where}", fill="#adbac7", font=font)
    for row, name in enumerate(rows):
        top = HEAD + row * (TILE[1] + GAP)
        color = "#57ab5a" if scores[name] <= 1 else "#e0a82e" if scores[name] <= 2 else "#e5534b"
        pen.text((8, top + 40), name, fill="white", font=bold)
        pen.text((8, top + 64), f"seam score {scores[name]:.2f}", fill=color, font=font)
        for column, index in enumerate(SHOWN):
            pixels = (ways[name][index].movedim(0, -1) * 255).round().byte().numpy()
            tile = Image.fromarray(pixels).crop(BOX).resize(TILE, Image.Resampling.LANCZOS)
            whole.paste(tile, (SIDE + column * (TILE[0] + GAP), top))
    return whole
