"""The example workflows and blueprints; ``python dev.py examples`` writes them from the nodes of a running host."""

from __future__ import annotations

from . import example_clips, example_tiny, example_wan21, example_wan22
from .server import Server

WORKFLOWS = tuple(
    make for part in (example_tiny, example_wan21, example_wan22, example_clips) for make in part.WORKFLOWS
)
BLUEPRINTS = example_wan21.BLUEPRINTS


def main(arguments: list[str]) -> int:
    with Server() as server:
        object_info = server.get("/object_info")
    for make in (*WORKFLOWS, *BLUEPRINTS):
        print(make().write(object_info))
    return 0
