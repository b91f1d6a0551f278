"""Thumbnails of the templates: what they make, where the tiny models can make it, else their graphs."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import av
from PIL import Image

from .server import Server
from .workflow import EXAMPLES, to_prompt

WIDTH, QUALITY = 700, 82
"""Of a thumbnail, in pixels, and of its compression."""
COLUMNS, ROWS, GAP = 4, 2, 6
BACKGROUND = "#161b22"
FILMS = ("Tiny_first_run", "Tiny_prompts", "Tiny_split_nodes")
FLOW, MEASURE, JOIN = "Tiny_optical_flow", "Measure_any_video", "Join_two_clips"
RESULTS = (*FILMS, FLOW, MEASURE, JOIN)
"""Templates whose thumbnail is what they make; of any other it is the graph."""
SEAMS = "41, 73"
"""Of the first run."""


def write_results(server: Server, join: Path) -> list[Path]:
    """Run the templates that run anywhere, and lay out what they made.

    Args:
        join: the README's picture of a join on real footage.
    """
    written = []
    for name in FILMS:
        made = _execute(server, name, filename_prefix=f"thumbnails/{name}")  # else the host has it already
        film = next(path for path in made if path.suffix == ".mp4")
        with av.open(str(film)) as container:
            frames = [frame.to_image() for frame in container.decode(video=0)]
        count = COLUMNS * ROWS
        shown = [frames[round(index * (len(frames) - 1) / (count - 1))] for index in range(count)]
        written.append(save(_grid(shown, COLUMNS), _place(name)))
        if name == FILMS[0]:
            shutil.copy(film, server.base / "input" / "video.mp4")
    made = [path for path in _execute(server, FLOW) if path.suffix == ".png"]
    third = len(made) // 3  # the pictures of each style, one behind the other
    written.append(save(_grid([Image.open(made[at * third + third // 2]) for at in range(3)], 3), _place(FLOW)))
    plot = _execute(server, MEASURE, seams=SEAMS)[0]
    written.append(save(Image.open(plot), _place(MEASURE)))
    return [*written, save(Image.open(join), _place(JOIN))]


def save(picture: Image.Image, path: Path, width: int = WIDTH) -> Path:
    """A picture as a small JPEG."""
    picture = picture.convert("RGB")
    picture = picture.resize((width, round(width * picture.height / picture.width)), Image.Resampling.LANCZOS)
    picture.save(path, quality=QUALITY, optimize=True)
    return path


def _place(name: str) -> Path:
    return EXAMPLES / f"{name}.jpg"


def _execute(server: Server, name: str, **inputs) -> list[Path]:
    """The files that a template saves or shows; ``inputs`` are set wherever a node has them."""
    workflow = json.loads((EXAMPLES / f"{name}.json").read_text(encoding="utf-8"))
    prompt = to_prompt(workflow, server.get("/object_info"))
    for node in prompt.values():
        node["inputs"].update({key: value for key, value in inputs.items() if key in node["inputs"]})
    files = [file for output in server.execute(prompt).values() for file in output.get("images", [])]
    return [server.base / file["type"] / file["subfolder"] / file["filename"] for file in files]


def _grid(pictures: list[Image.Image], columns: int) -> Image.Image:
    width, height = pictures[0].size
    rows = -(-len(pictures) // columns)
    whole = Image.new("RGB", (columns * (width + GAP) + GAP, rows * (height + GAP) + GAP), BACKGROUND)
    for index, picture in enumerate(pictures):
        down, across = divmod(index, columns)
        whole.paste(picture, (GAP + across * (width + GAP), GAP + down * (height + GAP)))
    return whole
