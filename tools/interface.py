"""What saved workflows and scripts rely on: node ids, inputs with their kinds and order, outputs.

``tests/host/interface.json`` has it. ``python dev.py pages`` adds what is new there, and nothing else: what was
published stays where it is.
"""

from __future__ import annotations

import json
from pathlib import Path

from .workflow import ROOT, type_of

PREFIX = "WanMotion"
PATH = ROOT / "tests" / "host" / "interface.json"
FIXED, GROWING = "required", ("optional", "outputs")


def describe(object_info: dict) -> dict:
    """Of each of our nodes by id: name and kind of what it takes and gives, in their order."""
    return {name: _describe(info) for name, info in sorted(object_info.items()) if name.startswith(PREFIX)}


def breaks(before: dict, now: dict) -> list[str]:
    """What is not there any more, or has another kind or place; of nodes that both have, and whose order may only grow
    at its end. A new input must be optional: scripts leave it out.
    """
    found = []
    for node in before.keys() & now.keys():
        old, new = before[node], now[node]
        if old[FIXED] != new[FIXED]:
            found.append(f"{node}: its required inputs are not those that they were")
        found += [
            f"{node}: its {group} do not begin as they did"
            for group in GROWING
            if new[group][: len(old[group])] != old[group]
        ]
    return sorted(found)


def read(path: Path = PATH) -> dict:
    return json.loads(path.read_text(encoding="utf-8"))


def extend(now: dict, path: Path = PATH) -> list[str]:
    """Write what is new, unless something breaks; returns what does."""
    before = read(path) if path.exists() else {}
    found = breaks(before, now)
    if not found:
        path.write_text(_text(before | now), encoding="utf-8")
    return found


def _describe(info: dict) -> dict[str, list[list[str]]]:
    taken = {
        group: [[name, type_of(declared[0])] for name, declared in info["input"].get(group, {}).items()]
        for group in (FIXED, "optional")
    }
    names = info.get("output_name") or info["output"]
    return taken | {"outputs": [[name, type_of(kind)] for name, kind in zip(names, info["output"], strict=True)]}


def _text(interface: dict) -> str:
    """A line for each input and output, so that a change is one line."""
    nodes = []
    for name, node in sorted(interface.items()):
        groups = [
            f'  "{group}": [' + ",".join(f"\n   {json.dumps(each)}" for each in entries) + "]"
            for group, entries in node.items()
        ]
        nodes.append(f' "{name}": {{\n' + ",\n".join(groups) + "\n }")
    return "{\n" + ",\n".join(nodes) + "\n}\n"
