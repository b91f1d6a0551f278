"""The example workflows and blueprints; ``python dev.py examples`` writes them from the nodes of a running host."""

from __future__ import annotations

from . import example_tiny, example_wan
from .server import Server

WORKFLOWS = (*example_tiny.WORKFLOWS, *example_wan.WORKFLOWS)
BLUEPRINTS = example_wan.BLUEPRINTS


def main(arguments: list[str]) -> int:
    with Server() as server:
        object_info = server.get("/object_info")
    for make in (*WORKFLOWS, *BLUEPRINTS):
        print(make().write(object_info))
    return 0
