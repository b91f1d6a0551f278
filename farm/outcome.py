"""What a finished job gives: its files on the storage, and how each seam came out."""

from __future__ import annotations

import hashlib
from pathlib import Path

from .jobs import Job
from .names import TIMELINE, VIDEOS
from .storage import Storage


def collect(storage: Storage, job: Job, outputs: dict, output: Path, temporary: Path) -> dict:
    """Bring the files that a prompt saved to the storage; returns the job's result.

    Args:
        outputs: what the output nodes showed, by id, as ComfyUI's history has it.
        output: ComfyUI's folder of what is saved; what is only shown lies in ``temporary`` and is left out.
    """
    files, chunks, texts = [], [], []
    for number in sorted(outputs):
        for kind, shown in outputs[number].items():
            if kind == TIMELINE:
                chunks += [_chunk(chunk) for timeline in shown for chunk in timeline["chunks"]]
            elif kind == "text":
                texts += [text for text in shown if isinstance(text, str)]
            elif isinstance(shown, list):
                saved = [each for each in shown if isinstance(each, dict) and each.get("type") == "output"]
                files += [_send(storage, job.name, output, each) for each in saved]
    return {"name": job.name, "runs": job.runs, "files": files, "chunks": chunks, "texts": texts}


def _send(storage: Storage, name: str, folder: Path, saved: dict) -> dict:
    path = folder / saved.get("subfolder", "") / saved["filename"]
    content = path.read_bytes()
    kept = f"{hashlib.sha256(content).hexdigest()[:12]}_{path.name}"
    storage.upload(path, VIDEOS, name, kept)
    path.unlink()
    return {"name": path.name, "path": f"{VIDEOS}/{name}/{kept}", "bytes": len(content)}


def _chunk(chunk: dict) -> dict:
    return {"chunk": chunk["index"] + 1} | {key: chunk.get(key) for key in ("start", "score", "grade", "origin")}
