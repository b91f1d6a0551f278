"""A subgraph that the front end offers as a node of its own: nodes of a workflow, and what leads in and out."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from pathlib import Path

from .graph import Node, Workflow
from .workflow import ROOT, WIDGETS, type_of

SUBGRAPHS = ROOT / "subgraphs"
INPUT, OUTPUT = -10, -20
"""Numbers that the front end gives the two ends of a subgraph."""
END, MARGIN = (140, 80), 260


@dataclass
class Blueprint:
    """A workflow as one node; its name is what the node library shows."""

    workflow: Workflow
    description: str
    inputs: dict[str, tuple[Node, str]]
    """Per name of an input the node that takes it, and that node's input."""
    outputs: dict[str, tuple[Node, str]]
    """Per name of an output the node that gives it, and that node's output."""

    @property
    def path(self) -> Path:
        return SUBGRAPHS / f"{self.workflow.name}.json"

    def write(self, object_info: dict) -> Path:
        self.path.parent.mkdir(exist_ok=True)
        text = json.dumps(self.build(object_info), indent=1, ensure_ascii=False)
        self.path.write_text(text + "\n", encoding="utf-8")
        return self.path

    def build(self, object_info: dict) -> dict:
        """A workflow of one node, and the definition of what is inside it."""
        inside = self.workflow.build(object_info)
        nodes = self.workflow.nodes
        built = {id(node): made for node, made in zip(nodes, inside["nodes"], strict=True)}
        names = ("id", "origin_id", "origin_slot", "target_id", "target_slot", "type")
        links = [dict(zip(names, link, strict=True)) for link in inside["links"]]
        taken, given = [], []
        for node in nodes:
            _open_widgets(built[id(node)], object_info[node.type])
        for slot, (name, (node, key)) in enumerate(self.inputs.items()):
            made = built[id(node)]
            socket = next(each for each in made["inputs"] if each["name"] == key)
            socket["link"] = len(links) + 1
            links.append(
                _link(len(links) + 1, (INPUT, slot), (made["id"], made["inputs"].index(socket)), socket["type"])
            )
            taken.append({"name": name, "type": socket["type"], "link": None})
            taken[-1] |= {"widget": {"name": name}} if "widget" in socket else {}
        for slot, (name, (node, key)) in enumerate(self.outputs.items()):
            made = built[id(node)]
            at = next(index for index, each in enumerate(made["outputs"]) if each["name"] == key)
            made["outputs"][at]["links"].append(len(links) + 1)
            kind = made["outputs"][at]["type"]
            links.append(_link(len(links) + 1, (made["id"], at), (OUTPUT, slot), kind))
            given.append({"name": name, "type": kind, "links": []})
        number = str(uuid.uuid5(uuid.NAMESPACE_URL, f"subgraph {self.workflow.name}"))
        shell = {
            "id": len(nodes) + 1,  # apart from those inside, which newer front ends would number anew
            "type": number,
            "pos": [0, 0],
            "size": [400, 420],
            "flags": {},
            "order": 0,
            "mode": 0,
            "inputs": taken,
            "outputs": given,
            "title": self.workflow.name,
            "properties": {"proxyWidgets": []},
            "widgets_values": [],
        }
        definition = {
            "id": number,
            "version": 1,
            "state": {
                "lastGroupId": len(inside["groups"]),
                "lastNodeId": len(nodes),
                "lastLinkId": len(links),
                "lastRerouteId": 0,
            },
            "revision": 0,
            "config": {},
            "name": self.workflow.name,
            "inputNode": {"id": INPUT, "bounding": _end(nodes, left=True)},
            "outputNode": {"id": OUTPUT, "bounding": _end(nodes, left=False)},
            "inputs": _boundary(number, "in", taken, [link for link in links if link["origin_id"] == INPUT]),
            "outputs": _boundary(number, "out", given, [link for link in links if link["target_id"] == OUTPUT]),
            "widgets": [],
            "nodes": inside["nodes"],
            "groups": inside["groups"],
            "links": links,
            "extra": {},
            "category": "Wan Motion/make",
            "description": self.description,
        }
        return {
            "id": inside["id"],
            "revision": 0,
            "last_node_id": len(nodes) + 1,
            "last_link_id": 0,
            "nodes": [shell],
            "links": [],
            "groups": [],
            "config": {},
            "extra": {},
            "version": 0.4,
            "definitions": {"subgraphs": [definition]},
        }


def _open_widgets(made: dict, info: dict) -> None:
    """Give a built node an input for each of its widgets, in the node's own order, as the front end saves it: the older
    ones go by these when they give the widgets of a node inside a subgraph their values."""
    for group in info["input"].values():
        for key, (kind, *_) in group.items():
            if type_of(kind) in WIDGETS:
                made["inputs"].append({"name": key, "type": type_of(kind), "link": None, "widget": {"name": key}})


def _link(number: int, origin: tuple[int, int], target: tuple[int, int], kind: str) -> dict:
    ends = {"origin_id": origin[0], "origin_slot": origin[1], "target_id": target[0], "target_slot": target[1]}
    return {"id": number, **ends, "type": kind}


def _boundary(number: str, side: str, sockets: list[dict], links: list[dict]) -> list[dict]:
    """The slots of one end of a subgraph."""
    return [
        {
            "id": str(uuid.uuid5(uuid.UUID(number), f"{side} {socket['name']}")),
            "name": socket["name"],
            "type": socket["type"],
            "linkIds": [link["id"]],
        }
        for socket, link in zip(sockets, links, strict=True)
    ]


def _end(nodes: list[Node], left: bool) -> list[int]:
    """Where an end of the subgraph stands: beside all of its nodes."""
    top = min(node.pos[1] for node in nodes)
    edge = min(node.pos[0] for node in nodes) if left else max(node.pos[0] + node.size[0] for node in nodes)
    return [edge - MARGIN if left else edge + MARGIN - END[0], top, *END]
