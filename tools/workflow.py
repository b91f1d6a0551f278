"""Workflows as the front end saves them, turned into prompts as the host's API takes them."""

from __future__ import annotations

import json
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = ROOT / "example_workflows"

CONTROL = "control_after_generate"
SEEDS = ("seed", "noise_seed")
"""A widget of the front end alone, what becomes of a seed after a run; integers of these names always have one."""
WIDGETS = ("BOOLEAN", "COMBO", "FLOAT", "FLOAT,INT", "INT", "STRING", "COMFY_DYNAMICCOMBO_V3")
"""Types of inputs that are typed in; the last, on newer hosts, is a choice that brings inputs of its own."""

RUNS, BYPASSED = 0, 4
"""Modes of a node."""


SWITCH = "with Ctrl+B)"
"""How the title of a group ends whose nodes are bypassed, or not, all together."""


def switch(workflow: dict, on: bool) -> dict:
    """A saved workflow whose switched groups are on or off."""
    frames = [group["bounding"] for group in workflow["groups"] if group["title"].endswith(SWITCH)]

    def turned(node: dict) -> dict:
        (x, y), note = node["pos"], node["type"] == "MarkdownNote"
        within = any(left <= x < left + across and top <= y < top + down for left, top, across, down in frames)
        return node | {"mode": RUNS if on else BYPASSED} if within and not note else node

    return workflow | {"nodes": [turned(node) for node in workflow["nodes"]]}


def type_of(kind) -> str:
    """The type of an input as the front end names it: a host may give a choice as the list of its options."""
    return "COMBO" if isinstance(kind, list) else kind


def load_prompt(path: Path, object_info: dict) -> dict:
    """The API prompt of a saved workflow (format 0.4, without subgraphs)."""
    return to_prompt(json.loads(path.read_text(encoding="utf-8")), object_info)


def to_prompt(workflow: dict, object_info: dict) -> dict:
    """Convert a workflow; notes and bypassed nodes are left out.

    Raises:
        ValueError: if a node's class is unknown to this host, or is muted.
    """
    links = {link[0]: (link[1], link[2]) for link in workflow["links"]}
    nodes = {node["id"]: node for node in workflow["nodes"]}
    prompt = {}
    for node in workflow["nodes"]:
        if node["type"] in ("MarkdownNote", "Note"):
            continue
        if node["type"] not in object_info:
            raise ValueError(f"Node {node['id']} is a {node['type']}, which this host does not know.")
        mode = node.get("mode", RUNS)
        if mode == BYPASSED:
            continue
        if mode != RUNS:
            raise ValueError(f"Node {node['id']} ({node['type']}) is muted.")
        inputs = dict(_widgets(node, object_info[node["type"]]))
        for socket in node.get("inputs", []):
            origin = _origin(socket, links, nodes)
            if origin is not None:
                inputs[socket["name"]] = origin
        prompt[str(node["id"])] = {"class_type": node["type"], "inputs": inputs}
    return prompt


def _origin(socket: dict | None, links: dict, nodes: dict) -> list | None:
    """Where an input's value comes from: past bypassed nodes, by the first of their inputs that is of the output's
    type. None where nothing is connected there; a widget then has its own value."""
    while socket is not None and socket.get("link") is not None:
        number, slot = links[socket["link"]]
        node = nodes[number]
        if node.get("mode", RUNS) != BYPASSED:
            return [str(number), slot]
        kind = node["outputs"][slot]["type"]
        socket = next((each for each in node.get("inputs", []) if each["type"] == kind), None)
    return None


def _widgets(node: dict, info: dict):
    """Name and value of each widget, by name where the workflow has names, else by position."""
    named = node.get("widgets_values_named")
    values = list(node.get("widgets_values", []))
    for group in ("required", "optional"):
        for name, declared in info["input"].get(group, {}).items():
            kind, options = declared[0], declared[1] if len(declared) > 1 else {}
            if type_of(kind) not in WIDGETS:
                continue
            if options.get("forceInput"):
                continue
            if named is not None:
                if name in named:
                    yield name, named[name]
                continue
            if not values:
                return
            yield name, values.pop(0)
            if (options.get(CONTROL) or name in SEEDS) and values:
                values.pop(0)
