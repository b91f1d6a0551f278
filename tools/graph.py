"""A workflow written from a few lines per node: what it is called and connected to; the host knows the rest."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import tomllib

from .environment import HOST_VERSION
from .workflow import BYPASSED, CONTROL, EXAMPLES, ROOT, RUNS, SEEDS, WIDGETS, type_of

OURS = "WanMotion"
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
NOTES = ("MarkdownNote",)
COLORS = {"models": "#5b9bd5", "prompt": "#d9b44a", "video": "#7fb77e", "result": "#c86bd0"}
"""Of groups, by what is in them; the same in every workflow."""
MARGIN, HEAD = 20, 60
SIZES = {
    "CLIPLoader": (340, 130),
    "CLIPTextEncode": (300, 130),
    "CLIPVisionLoader": (340, 70),
    "CreateVideo": (300, 90),
    "GetVideoComponents": (280, 80),
    "ImageScale": (300, 160),
    "KSampler": (300, 660),
    "LoadImage": (300, 400),
    "LoadVideo": (320, 420),
    "LoraLoaderModelOnly": (380, 100),
    "ModelSamplingSD3": (300, 80),
    "PreviewAny": (420, 680),
    "PreviewImage": (320, 380),
    "PrimitiveFloat": (260, 90),
    "PrimitiveInt": (260, 90),
    "SaveVideo": (420, 640),
    "UNETLoader": (380, 100),
    "VAELoader": (340, 70),
    "WanMotionAssembleVideo": (300, 90),
    "WanMotionBridgeClips": (400, 820),
    "WanMotionEstimateFlow": (300, 140),
    "WanMotionFinishChunk": (300, 130),
    "WanMotionFlowToImage": (300, 160),
    "WanMotionGuideNextChunk": (300, 210),
    "WanMotionJoinClips": (380, 250),
    "WanMotionKeepRun": (340, 340),
    "WanMotionLoadRun": (340, 200),
    "WanMotionLongVideo": (400, 1520),
    "WanMotionLoraStack": (380, 150),
    "WanMotionMeasureSeams": (420, 520),
    "WanMotionPlanVideo": (340, 360),
    "WanMotionPromptStack": (380, 390),
    "WanMotionSettings": (340, 430),
    "WanMotionTinyModels": (300, 110),
    "WanMotionTinyScene": (300, 140),
}
"""Width and height that a node keeps to in both renderers, before a run and after it."""


@dataclass(eq=False)
class Node:
    """A node of a workflow, by what differs from its defaults."""

    type: str
    values: dict = field(default_factory=dict)
    """Of widgets, by name."""
    links: dict = field(default_factory=dict)
    """Input names to ``(node, output name)``."""
    title: str = ""
    models: list[dict] = field(default_factory=list)
    """Files that it loads: ``name``, ``url``, ``directory``."""
    bypassed: bool = False
    size: tuple[int, int] = (0, 0)
    """Of its own; by default that of its type."""
    pos: tuple[int, int] = (0, 0)

    def __post_init__(self) -> None:
        if self.size == (0, 0):
            self.size = SIZES[self.type]


def note(size: tuple[int, int], text: str, title: str = "") -> Node:
    """A note in Markdown."""
    return Node("MarkdownNote", {"text": text}, title=title, size=size)


class Group(NamedTuple):
    """Nodes in a frame with a title."""

    title: str
    kind: str
    """Of :data:`COLORS`."""
    nodes: list[Node]
    inside: Sequence[Node] = ()
    """Nodes of another group, which lies within this one."""


@dataclass
class Workflow:
    """Nodes in the groups that a user sees, and notes beside them."""

    name: str
    groups: list[Group]
    notes: list[Node] = field(default_factory=list)
    scale: float = 0.5

    @property
    def nodes(self) -> list[Node]:
        return [*(node for group in self.groups for node in group.nodes), *self.notes]

    def write(self, object_info: dict, folder: Path = EXAMPLES) -> Path:
        path = folder / f"{self.name}.json"
        text = json.dumps(self.build(object_info), indent=1, ensure_ascii=False)
        path.write_text(text + "\n", encoding="utf-8")
        return path

    def build(self, object_info: dict) -> dict:
        """The workflow as the front end saves it, format 0.4."""
        nodes = self.nodes
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
            "groups": [_frame(number, group) for number, group in enumerate(self.groups, 1)],
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


def _frame(number: int, group: Group) -> dict:
    nodes, margin = [*group.nodes, *group.inside], MARGIN + (HEAD if group.inside else 0)
    left, top = min(node.pos[0] for node in nodes) - margin, min(node.pos[1] for node in nodes) - HEAD - margin
    right = max(node.pos[0] + node.size[0] for node in nodes) + margin
    bottom = max(node.pos[1] + node.size[1] for node in nodes) + margin
    return {
        "id": number,
        "title": f"{number} - {group.title}",
        "bounding": [left, top, right - left, bottom - top],
        "color": COLORS[group.kind],
        "font_size": 32,
        "flags": {},
    }
