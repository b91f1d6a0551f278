"""Where the nodes of a workflow stand: rows and columns of boxes.

A box is as high as its node is in the renderer that needs most, and after a run, which
``tests/browser/test_layout.py`` measures. A wire leaves a node at the top of its right side; a row that falls to the
right lets the wires of its nodes pass above their neighbors.
"""

from __future__ import annotations

from .graph import Node

SIDE, BELOW = 60, 60
"""Pixels between neighbors: the second has the title of the node below in it, which stands above that node's place."""
GROUP = 120
"""Between nodes of two groups, one above the other."""
STAIR = 60
"""By how much each node of a falling row stands lower than the one before."""


def column(left: int, top: int, *nodes: Node, gap: int = BELOW) -> int:
    """Put nodes below each other; returns where the last one ends."""
    for node in nodes:
        node.pos = (left, top)
        top += node.size[1] + gap
    return top - gap


def row(left: int, top: int, *nodes: Node, stair: int = 0) -> int:
    """Put nodes beside each other; returns where the last one ends.

    Args:
        stair: pixels by which each stands lower than the one before.
    """
    for node in nodes:
        node.pos = (left, top)
        left, top = left + node.size[0] + SIDE, top + stair
    return left - SIDE


def right(*nodes: Node) -> int:
    """Where the right one of some nodes ends."""
    return max(node.pos[0] + node.size[0] for node in nodes)


def bottom(*nodes: Node) -> int:
    """Where the lowest of some nodes ends."""
    return max(node.pos[1] + node.size[1] for node in nodes)
