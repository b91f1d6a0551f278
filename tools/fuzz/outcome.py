"""What became of one queued prompt, and whether an error of ours is one that a user can act on."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from ..server import PACK
from .catalog import Catalog

REFUSALS = ("ValueError", "RunError", "FlowError")
"""Types of errors that the pack raises on purpose."""
OURS_IN = f"custom_nodes/{PACK}/"
"""Of the path of each of the pack's files in a host; a cache folder may be named like the pack."""
MADE, REFUSED, RAW, HOST = "made", "refused", "raw error", "error of the host"
INVALID, INTERRUPTED, SLOW, HANGS, DIED = "invalid", "interrupted", "over the bound", "hangs", "host died"
BAD = (RAW, SLOW, HANGS, DIED)
"""Kinds that are faults whatever the prompt was."""


@dataclass
class Outcome:
    """How a prompt ended."""

    kind: str
    detail: str = ""
    """The error in one line."""
    node_type: str = ""
    made: dict[str, list[np.ndarray]] = field(default_factory=dict)
    """Pictures and latents, by the id of the node that saved them."""
    seconds: float = 0.0
    deep: bool = False
    """Whether the error was raised outside of the pack, below a node of ours."""

    def __str__(self) -> str:
        return f"{self.kind} {self.detail}".strip()


def read_error(catalog: Catalog, prompt: dict, data: dict) -> Outcome:
    """Sort what the host says of an error: ours and clear, ours and raw, or its own."""
    kind, message, node_type = data["exception_type"], data["exception_message"].strip(), data["node_type"]
    said = f"{node_type}: {kind}: {message}"
    if node_type not in catalog.known or not catalog.known[node_type].ours:
        return Outcome(HOST, said, node_type)
    ours = [line for line in data.get("traceback", []) if "File " in line]
    deep = bool(ours) and OURS_IN not in ours[-1].replace("\\", "/")
    clear = kind.rpartition(".")[2] in REFUSALS and names_input(message, _our_inputs(catalog, prompt))
    if clear or not ours:
        return Outcome(REFUSED if clear else RAW, said, node_type)
    return Outcome(RAW, f"{said} ({_place(ours[-1])})", node_type, deep=deep)


def _place(line: str) -> str:
    """Where a line of a traceback points to: ``nodes/join.py line 20, in execute``."""
    path, _, rest = line.strip().removeprefix('File "').partition('", ')
    return f"{'/'.join(path.split('/')[-2:])} {rest.splitlines()[0]}"


def names_input(message: str, names: Iterable[str]) -> bool:
    """Whether a message has one of the names, as a word."""
    return any(re.search(rf"(?<!\w){re.escape(name)}(?!\w)", message) for name in names)


def _our_inputs(catalog: Catalog, prompt: dict) -> set[str]:
    kinds = (catalog.known[node["class_type"]] for node in prompt.values())
    return {each.name for kind in kinds if kind.ours for each in kind.inputs}


def difference(got: Outcome, fresh: Outcome) -> str:
    """How a run differs from a fresh one of the same prompt; nothing where it does not."""
    if got.kind != fresh.kind or got.node_type != fresh.node_type:
        return f"{got} instead of {fresh}"
    if got.made.keys() != fresh.made.keys():
        return f"saved by nodes {sorted(got.made)} instead of {sorted(fresh.made)}"
    return "; ".join(
        f"node {number}: {words}"
        for number, arrays in got.made.items()
        if (words := _arrays_differ(arrays, fresh.made[number]))
    )


def _arrays_differ(got: list[np.ndarray], fresh: list[np.ndarray]) -> str:
    if [each.shape for each in got] != [each.shape for each in fresh]:
        return f"{len(got)} of {_shapes(got)} instead of {len(fresh)} of {_shapes(fresh)}"
    off = [
        float(np.abs(np.nan_to_num(a.astype(np.float64)) - np.nan_to_num(b.astype(np.float64))).max())
        if a.size
        else 0.0
        for a, b in zip(got, fresh, strict=True)
    ]
    wrong = [index for index, each in enumerate(off) if each > 0]
    if not wrong:
        return ""
    return f"{len(wrong)} of {len(off)} differ, from number {wrong[0]} on, by up to {max(off):.3g}"


def _shapes(arrays: list[np.ndarray]) -> str:
    return ", ".join(sorted({str(each.shape) for each in arrays})) or "nothing"
