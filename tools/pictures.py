"""Pictures of the example workflows as the front end shows them: their thumbnails, and what the README shows;
``python dev.py pictures``."""

from __future__ import annotations

import io
import json
import shutil
from pathlib import Path

from .animation import write_animation
from .browser import LOADED, find
from .join_picture import parse, write_join
from .server import Server
from .thumbnails import RESULTS, WIDTH, save, write_results
from .workflow import EXAMPLES, ROOT

DOCS = ROOT / "docs"

SIZE = (1400, 900)
CLEAR = """async () => {
    const { command, setting } = window.app.extensionManager;
    await setting.set("Comfy.Minimap.Visible", false);
    await setting.set("Comfy.Graph.CanvasInfo", false);
    await setting.set("LiteGraph.Canvas.MaximumFps", 0);
    await setting.set("LiteGraph.Canvas.MinFontSizeForLOD", 0); // text on nodes however small
    await command.execute("Workspace.ToggleFocusMode");
}"""
FINISHED = """() => window.app.graph.nodes.some(
    (node) => node.type === "SaveVideo" && window.app.nodeOutputs[node.id]
)"""
LOAD = """async (workflow) => {
    await window.app.loadGraphData(workflow, true, true, "picture");
}"""
FIT = """() => {
    for (const box of document.querySelectorAll(".p-dialog-mask")) box.remove();
    const [left, top, right, bottom] = [...window.app.graph.groups, ...window.app.graph.nodes].reduce(
        ([a, b, c, d], { pos, size }) => [
            Math.min(a, pos[0]), Math.min(b, pos[1]), Math.max(c, pos[0] + size[0]), Math.max(d, pos[1] + size[1]),
        ],
        [1e9, 1e9, -1e9, -1e9],
    );
    const view = window.app.canvas.ds, { width, height } = window.app.canvas.canvas.getBoundingClientRect();
    window.app.canvas.deselectAll?.();
    view.scale = 0.94 * Math.min(width / (right - left), height / (bottom - top));
    view.offset = [(width / view.scale - (right - left)) / 2 - left, (height / view.scale - (bottom - top)) / 2 - top];
    window.app.canvas.setDirty(true, true);
}"""


def main(arguments: list[str]) -> int:
    from playwright.sync_api import sync_playwright

    options = parse(arguments)
    if options.clip is not None:
        print(write_join(options.clip, DOCS / "join.webp"))
    if options.join_only:
        return 0
    path = find()
    if path is None:
        raise SystemExit("Pictures need Chrome, Edge or Chromium; python dev.py test fetches one.")
    with Server() as server, sync_playwright() as playwright:
        shutil.copy(server.comfyui / "input" / "example.png", server.base / "input" / "example.png")
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": SIZE[0], "height": SIZE[1]})
        page.goto(server.url)
        page.wait_for_function(LOADED)
        page.evaluate(CLEAR)
        for path in sorted(EXAMPLES.glob("*.json")):
            if path.stem in RESULTS:
                continue
            _open(page, path)
            print(write(_photograph(page), path.with_suffix(".jpg"), WIDTH))
        _open(page, EXAMPLES / "Tiny_first_run.json")
        page.evaluate("() => window.app.extensionManager.command.execute('Comfy.QueuePrompt')")
        page.wait_for_function(FINISHED, timeout=300_000)
        _fit(page)
        page.evaluate("() => document.querySelector('.wan-motion-timeline .seam').click()")
        page.wait_for_selector(".wan-motion-timeline .media img")
        print(write(_photograph(page), DOCS / "first_run.jpg", SIZE[0]))
        browser.close()
        print(*write_results(server, DOCS / "join.webp"), sep="\n")
        print(write_animation(server, DOCS / "demo.webp"))
    return 0


def _open(page, path: Path) -> None:
    page.evaluate(LOAD, json.loads(path.read_text(encoding="utf-8")))
    page.wait_for_timeout(1200)  # it fits the view itself


def _fit(page) -> None:
    page.evaluate(FIT)
    page.wait_for_timeout(800)


def _photograph(page) -> bytes:
    """A screenshot with all of the workflow in view."""
    _fit(page)
    return page.locator("#graph-canvas").screenshot()


def write(png: bytes, path: Path, width: int) -> Path:
    """A screenshot as a small JPEG."""
    from PIL import Image

    return save(Image.open(io.BytesIO(png)), path, width)
