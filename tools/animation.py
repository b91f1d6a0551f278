"""The README's animation: a longer first run, and the same continued from one frame at a time, side by side."""

from __future__ import annotations

from pathlib import Path

import av
from PIL import Image, ImageDraw, ImageFont

from .server import Server
from .workflow import EXAMPLES, load_prompt

WAYS = {"from one last frame": "last_frame", "Wan Motion Chunks": "auto"}
LENGTH = {"length": 169.0, "chunk_frames": 41}
"""Five chunks that share nine frames."""
GAP, HEAD, FOOT = 8, 26, 16
QUALITY = 80


def write_animation(server: Server, path: Path) -> Path:
    """Make both videos in a running host and lay them side by side; seams are marked below."""
    prompt = load_prompt(EXAMPLES / "Tiny_first_run.json", server.get("/object_info"))
    for node in prompt.values():
        if node["class_type"] == "WanMotionLongVideo":
            node["inputs"].update(LENGTH)
    columns = []
    for title, continuity in WAYS.items():
        for node in prompt.values():
            if node["class_type"] == "WanMotionSettings":
                node["inputs"]["continuity"] = continuity
                # One frame is all that last_frame passes.
                node["inputs"]["overlap_frames"] = 0 if continuity == "last_frame" else 8
        outputs = server.execute(prompt)
        timeline = next(found["wan_motion_timeline"][0] for found in outputs.values() if "wan_motion_timeline" in found)
        saved = next(found["images"][0] for found in outputs.values() if "images" in found)
        frames = _read(server.base / "output" / saved["subfolder"] / saved["filename"])
        columns.append((title, frames, [chunk["seam"] for chunk in timeline["chunks"][1:]]))
    pictures = [_lay_out(columns, index) for index in range(len(columns[0][1]))]
    lasting = round(1000 / timeline["fps"])
    pictures[0].save(
        path, save_all=True, append_images=pictures[1:], duration=lasting, loop=0, quality=QUALITY, method=6
    )
    return path


def _read(video: Path) -> list[Image.Image]:
    with av.open(str(video)) as container:
        return [frame.to_image() for frame in container.decode(video=0)]


def _lay_out(columns: list[tuple[str, list[Image.Image], list[int]]], index: int) -> Image.Image:
    width, height = columns[0][1][0].size
    whole = Image.new("RGB", (len(columns) * (width + GAP) - GAP, HEAD + height + FOOT), "#161b22")
    draw, font = ImageDraw.Draw(whole), ImageFont.load_default(14)
    for place, (title, frames, seams) in enumerate(columns):
        left = place * (width + GAP)
        whole.paste(frames[index], (left, HEAD))
        draw.text((left + 4, 5), title, fill="white", font=font)
        top, per = HEAD + height + 4, width / len(frames)
        draw.rectangle((left, top, left + width - 1, top + 7), fill="#30363d")
        draw.rectangle((left, top, left + round((index + 1) * per) - 1, top + 7), fill="#3f789e")
        for seam in seams:
            draw.rectangle(
                (left + round(seam * per) - 1, top - 2, left + round(seam * per) + 1, top + 9), fill="#e0a82e"
            )
    return whole
