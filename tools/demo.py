"""The demo: the bundled tiny workflow, run by a real ComfyUI through its HTTP API."""

from __future__ import annotations

import argparse
import shutil
import time
from pathlib import Path

from .contact_sheet import write_contact_sheet
from .environment import ROOT
from .server import Server
from .workflow import EXAMPLES, load_prompt

WORKFLOW = EXAMPLES / "Tiny_first_run.json"


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="dev.py demo", description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "demo", help="folder for the results")
    options = parser.parse_args(arguments)
    options.out.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    with Server() as server:
        print(f"ComfyUI is up after {time.monotonic() - began:.0f} s", flush=True)
        prompt = load_prompt(WORKFLOW, server.get("/object_info"))
        began = time.monotonic()
        outputs = server.execute(prompt, watch=_show_progress)
        print(f"The video is made after {time.monotonic() - began:.0f} s", flush=True)
        video, report = _results(outputs, server.base / "output")
        shutil.copy(video, options.out / "video.mp4")
    (options.out / "report.txt").write_text(report + "\n", encoding="utf-8")
    write_contact_sheet(options.out / "video.mp4", options.out / "contact_sheet.png")
    print(report)
    for name in ("video.mp4", "contact_sheet.png", "report.txt"):
        print(options.out / name)
    return 0


def _show_progress(line: str) -> None:
    if line.startswith("chunk "):
        print(f"  {line}", flush=True)


def _results(outputs: dict, folder: Path) -> tuple[Path, str]:
    """The video file and the report among a prompt's outputs."""
    video, report = None, None
    for output in outputs.values():
        for saved in output.get("images", []):
            video = folder / saved["subfolder"] / saved["filename"]
        for text in output.get("text", []):
            report = text
    if video is None or report is None:
        raise RuntimeError(f"The workflow should give a video and a report, got {outputs}.")
    return video, report
