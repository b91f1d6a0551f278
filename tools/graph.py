"""A workflow written from a few lines per node: what it is called and connected to; the host knows the rest."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tomllib

from .environment import HOST_VERSION
from .workflow import BYPASSED, CONTROL, EXAMPLES, ROOT, RUNS, SEEDS, WIDGETS, type_of

OURS = "WanMotion"
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
NOTES = ("MarkdownNote",)
COLORS = ("#3f789e", "#3f5159", "#8A8", "#a1309b")
MARGIN, HEAD = 20, 60


@dataclass(eq=False)
class Node:
    """A node of a workflow, by what differs from its defaults."""

    type: str
    pos: tuple[int, int]
    size: tuple[int, int]
    values: dict = field(default_factory=dict)
    """Of widgets, by name."""
    links: dict = field(default_factory=dict)
    """Input names to ``(node, output name)``."""
    title: str = ""
    models: list[dict] = field(default_factory=list)
    """Files that it loads: ``name``, ``url``, ``directory``."""
    bypassed: bool = False


def note(pos: tuple[int, int], size: tuple[int, int], text: str, title: str = "") -> Node:
    """A note in Markdown."""
    return Node("MarkdownNote", pos, size, {"text": text}, title=title)


@dataclass
class Workflow:
    """Nodes in the groups that a user sees."""

    name: str
    groups: list[tuple[str, list[Node]]]
    scale: float = 0.7

    def write(self, object_info: dict, folder: Path = EXAMPLES) -> Path:
        path = folder / f"{self.name}.json"
        text = json.dumps(self.build(object_info), indent=1, ensure_ascii=False)
        path.write_text(text + "\n", encoding="utf-8")
        return path

    def build(self, object_info: dict) -> dict:
        """The workflow as the front end saves it, format 0.4."""
        nodes = [node for _, members in self.groups for node in members]
        numbers = {id(node): number for number, node in enumerate(nodes, 1)}
        links: list[list] = []
        built = [_build(node, numbers, object_info) for node in nodes]
        for node, target in zip(nodes, built, strict=True):
            for slot, socket in enumerate(target["inputs"]):
                if socket["name"] not in node.links:
                    continue
                source, output = node.links[socket["name"]]
                origin = built[numbers[id(source)] - 1]
                at = next(index for index, each in enumerate(origin["outputs"]) if each["name"] == output)
                links.append([len(links) + 1, origin["id"], at, target["id"], slot, origin["outputs"][at]["type"]])
                origin["outputs"][at]["links"].append(len(links))
                socket["link"] = len(links)
        return {
            "id": str(uuid.uuid5(uuid.NAMESPACE_URL, self.name)),
            "revision": 0,
            "last_node_id": len(nodes),
            "last_link_id": len(links),
            "nodes": built,
            "links": links,
            "groups": [_frame(number, title, members) for number, (title, members) in enumerate(self.groups, 1)],
            "config": {},
            "extra": {"ds": {"scale": self.scale, "offset": [40, 40]}},
            "version": 0.4,
        }


def _build(node: Node, numbers: dict[int, int], object_info: dict) -> dict:
    number = numbers[id(node)]
    base: dict[str, Any] = {
        "id": number,
        "type": node.type,
        "pos": list(node.pos),
        "size": list(node.size),
        "flags": {},
    }
    mode = BYPASSED if node.bypassed else RUNS
    base |= {"order": number - 1, "mode": mode, "inputs": [], "outputs": []}
    if node.title:
        base["title"] = node.title
    if node.type in NOTES:
        text = node.values["text"]
        return base | {"properties": {}, "widgets_values": [text], "widgets_values_named": {"text": text}}
    info = object_info[node.type]
    declared = {name: spec for group in ("required", "optional") for name, spec in info["input"].get(group, {}).items()}
    unknown = (node.values.keys() | node.links.keys()) - declared.keys()
    if unknown:
        raise ValueError(f"{node.type} has no input {', '.join(sorted(unknown))}.")
    named = {}
    for name, (kind, *rest) in declared.items():
        options = rest[0] if rest else {}
        if type_of(kind) in WIDGETS:
            named[name] = node.values.get(name, _default(kind, options))
            if options.get(CONTROL) or name in SEEDS:
                named[CONTROL] = "fixed"
            if name in node.links:
                base["inputs"].append({"name": name, "type": type_of(kind), "link": None, "widget": {"name": name}})
        else:
            base["inputs"].append({"name": name, "type": kind, "link": None})
    names = info.get("output_name") or info["output"]
    base["outputs"] = [
        {"name": name, "type": kind, "links": []} for name, kind in zip(names, info["output"], strict=True)
    ]
    ours = node.type.startswith(OURS)
    properties = {"Node name for S&R": node.type, "cnr_id": "wan-motion-chunks" if ours else "comfy-core"}
    properties["ver"] = VERSION if ours else HOST_VERSION
    base["properties"] = properties | ({"models": node.models} if node.models else {})
    if named:
        base |= {"widgets_values": list(named.values()), "widgets_values_named": named}
    return base


def _default(kind, options: dict):
    choices = kind if isinstance(kind, list) else options.get("options")
    if "default" in options:
        return options["default"]
    if choices:
        return choices[0]["key"] if isinstance(choices[0], dict) else choices[0]
    if choices is not None:
        return ""
    return {"INT": 0, "FLOAT": 0.0, "BOOLEAN": False}.get(str(kind), "")


def _frame(number: int, title: str, members: list[Node]) -> dict:
    left, top = min(node.pos[0] for node in members) - MARGIN, min(node.pos[1] for node in members) - HEAD - MARGIN
    right = max(node.pos[0] + node.size[0] for node in members) + MARGIN
    bottom = max(node.pos[1] + node.size[1] for node in members) + MARGIN
    return {
        "id": number,
        "title": f"{number} - {title}",
        "bounding": [left, top, right - left, bottom - top],
        "color": COLORS[(number - 1) % len(COLORS)],
        "font_size": 24,
        "flags": {},
    }
