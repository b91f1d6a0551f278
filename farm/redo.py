"""Some chunks of a finished video made again at once, each between its kept neighbors, on as many workers."""

from __future__ import annotations

import copy
import hashlib
import re
from dataclasses import replace

from .graph import GraphError
from .jobs import Job, Line
from .names import JOBS, KEEP, KEEP_LATER, RUN_NAME, RUNS, STOP_AFTER, TAKE, USE_TAKES, VARIATION, VARY_FROM
from .storage import Storage

PLAIN = {VARY_FROM: 0, KEEP_LATER: False, STOP_AFTER: 0, USE_TAKES: ""}
VARIATIONS = 1_000_000
"""How many there are besides the first."""


def redo(job: Job, line: Line, storage: Storage) -> list[Job]:
    """The jobs that make a line's chunks again, and behind them the one that puts the video together.

    Each of them has a run of its own, which begins as a copy of the finished one.

    Raises:
        GraphError: if the finished run is not on the storage, or does not have the chunks.
    """
    takes = kept_takes(storage, line.of)
    if not takes:
        raise GraphError(
            f"of: no chunk of {line.of!r} is on the storage. It names the run whose chunks are made again."
        )
    for chunk in line.redo:
        if chunk not in takes:
            raise GraphError(f"redo: {line.of} has no chunk {chunk}, it has {max(takes)}.")
    chosen = _chosen(storage, line.of)
    parts = [_part(job, line, chunk, chosen) for chunk in line.redo]
    whole = _with_keep(job, job.name, {USE_TAKES: _words(chosen | {chunk: takes[chunk] + 1 for chunk in line.redo})})
    pulls = {line.of: job.name} | {part.name: job.name for part in parts}
    return [*parts, replace(whole, after=tuple(part.name for part in parts), pulls=pulls)]


def kept_takes(storage: Storage, run: str) -> dict[int, int]:
    """By the number of a chunk how many takes of it a run has on the storage."""
    found: dict[int, int] = {}
    for name in storage.list(RUNS, run):
        if re.fullmatch(TAKE, name):
            words = name.split("_")
            found[int(words[1])] = max(found.get(int(words[1]), 0), int(words[3]))
    return found


def _part(job: Job, line: Line, chunk: int, chosen: dict[int, int]) -> Job:
    name = f"{job.name} (chunk {chunk})"
    # Of the name, so that two jobs that make the same chunk again make two others.
    variation = 1 + int(hashlib.sha256(name.encode()).hexdigest(), 16) % VARIATIONS
    part = _with_keep(job, name, {VARY_FROM: chunk, VARIATION: variation, KEEP_LATER: True, USE_TAKES: _words(chosen)})
    return replace(part, pulls={line.of: name})


def _chosen(storage: Storage, run: str) -> dict[int, int]:
    """By the number of a chunk the take that a finished run has of it, where its job chose one."""
    found = storage.read(JOBS, f"{run}.json")
    keeps = [node["inputs"] for node in found["prompt"].values() if node["class_type"] == KEEP] if found else []
    texts = [inputs.get(USE_TAKES) for inputs in keeps if inputs.get(RUN_NAME) == run]
    return {int(chunk): int(take) for text in texts for chunk, take in re.findall(r"(\d+)\s*:\s*(\d+)", str(text))}


def _words(takes: dict[int, int]) -> str:
    return ", ".join(f"{chunk}: {take}" for chunk, take in sorted(takes.items()))


def _with_keep(job: Job, name: str, inputs: dict) -> Job:
    prompt = copy.deepcopy(job.prompt)
    keeps = [node for node in prompt.values() if node["class_type"] == KEEP]
    if len(keeps) != 1:
        raise GraphError(f"redo: expected a workflow with one video, this one has {len(keeps)}.")
    keeps[0]["inputs"] |= PLAIN | inputs | {RUN_NAME: name}
    return replace(job, name=name, prompt=prompt)
