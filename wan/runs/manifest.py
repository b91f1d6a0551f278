"""``run.json``: which take of each chunk makes the video, and which others there are."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .files import write_text
from .takes import Take, parse_take

NAME = "run.json"
FORMAT = 3
LONGEST = 2**26
"""Bytes of a manifest: far more than ten thousand takes need."""


@dataclass(frozen=True)
class Manifest:
    """The video of a run, as the job that made it last left it."""

    takes: tuple[Take, ...]
    """Of each chunk, in order."""
    making: Take | None = None
    """What was being made: it belongs to the video if it is there."""


def write_manifest(folder: Path, words: dict[str, Any], chunks: Iterable[str]) -> None:
    """Write a manifest as a whole or not at all.

    Args:
        chunks: the chunks of the video in order, as JSON objects.

    Raises:
        OSError: if the disk does not take it.
    """
    head = json.dumps({"format": FORMAT, **words}, indent=1, ensure_ascii=False).removesuffix("\n}")
    lines = ",\n  ".join(chunks)
    write_text(folder / NAME, f'{head},\n "chunks": [\n  {lines}\n ]\n}}\n')


def remove_manifest(folder: Path) -> None:
    """Raise OSError unless there is none any more."""
    (folder / NAME).unlink(missing_ok=True)


def read_manifest(folder: Path) -> Manifest | None:
    """The video that a manifest tells of; None if there is none, or what there is is none of ours.

    Only names of files are read, each of the place that it stands at: what the files hold they say themselves.
    """
    path = folder / NAME
    try:
        if path.is_symlink() or not path.is_file() or path.stat().st_size > LONGEST:
            return None
        found = json.loads(path.read_text(encoding="utf-8", errors="replace"))
        if found["format"] != FORMAT:
            return None
        takes = [parse_take(chunk["file"]) for chunk in found["chunks"] if chunk["file"] is not None]
        making = None if found["making"] is None else parse_take(found["making"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    whole = tuple(take for take in takes if take is not None)
    if len(whole) < len(takes) or [take.index for take in whole] != list(range(len(whole))):
        return None
    return Manifest(whole, making if making is not None and making.index == len(whole) else None)
