"""What a finished job gives: its files on the storage, and how each seam came out."""

from __future__ import annotations

import hashlib
from pathlib import Path

from .jobs import Job
from .names import RUNS_FOLDER, TIMELINE, VIDEOS
from .scratch import remove
from .storage import Storage


def collect(storage: Storage, job: Job, outputs: dict, output: Path) -> dict:
    """Bring the files that a prompt saved to the storage; returns the job's result.

    They stay here as well: an equal prompt shows them again, and ComfyUI does not save them anew.

    Args:
        outputs: what the output nodes showed, by id, as ComfyUI's history has it.
        output: ComfyUI's folder of what is saved; what is only shown lies elsewhere and is left out.

    Raises:
        FileNotFoundError: if one of them is gone.
    """
    chunks, texts = [], []
    for number in sorted(outputs):
        for kind, shown in outputs[number].items():
            if kind == TIMELINE:
                chunks += [_chunk(chunk) for timeline in shown for chunk in timeline["chunks"]]
            elif kind == "text":
                texts += [text for text in shown if isinstance(text, str)]
    files = [_send(storage, job.name, path) for path in _saved(outputs, output)]
    return {"name": job.name, "runs": job.runs, "files": files, "chunks": chunks, "texts": texts}


def sweep(outputs: dict, output: Path) -> None:
    """Remove what was saved by prompts before the last, which nothing in ComfyUI names any more."""
    stay = {output / RUNS_FOLDER, *_saved(outputs, output)}
    for path in output.rglob("*"):
        if path.is_file() and not path.is_symlink() and stay.isdisjoint((path, *path.parents)):
            remove(path, output)


def _saved(outputs: dict, output: Path) -> list[Path]:
    lists = [shown for number in sorted(outputs) for shown in outputs[number].values() if isinstance(shown, list)]
    saved = [each for shown in lists for each in shown if isinstance(each, dict) and each.get("type") == "output"]
    return [output / each.get("subfolder", "") / each["filename"] for each in saved]


def _send(storage: Storage, name: str, path: Path) -> dict:
    content = path.read_bytes()
    kept = f"{hashlib.sha256(content).hexdigest()[:12]}_{path.name}"
    storage.upload(path, VIDEOS, name, kept)
    return {"name": path.name, "path": f"{VIDEOS}/{name}/{kept}", "bytes": len(content)}


def _chunk(chunk: dict) -> dict:
    return {"chunk": chunk["index"] + 1} | {key: chunk.get(key) for key in ("start", "score", "grade", "origin")}
