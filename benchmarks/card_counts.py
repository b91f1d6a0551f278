"""What a card is asked for, by the line that asks."""

from __future__ import annotations

import os
import sys
from dataclasses import astuple, dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SHIPPED = ("blending", "motion", "nodes", "wan")
"""Folders whose lines are ours."""
WATCHERS = tuple(str(Path(__file__).with_name(f"{name}.py")) for name in ("card_counts", "fake_card"))
"""Files whose lines ask for nothing: they look on."""


@dataclass(frozen=True)
class Counts:
    """What a card is asked for."""

    launches: int = 0
    reads: int = 0
    """Times that Python reads a value, or the size of a result that depends on values."""
    down: int = 0
    """Copies from the card."""
    up: int = 0
    """Copies to the card."""
    down_bytes: int = 0
    up_bytes: int = 0

    @property
    def syncs(self) -> int:
        """Times that the host waits until the card has done all that it was asked for."""
        return self.reads + self.down

    def __add__(self, other: Counts) -> Counts:
        return Counts(*(a + b for a, b in zip(astuple(self), astuple(other), strict=True)))


def line_now() -> str:
    """The innermost line that is neither of a library nor of this file: ``wan/loop.py:12`` of the pack,
    ``host/comfy/samplers.py:34`` of the host."""
    frame = sys._getframe(1)
    while frame is not None:
        name = _short_name(frame.f_code.co_filename)
        if name:
            return f"{name}:{frame.f_lineno}"
        frame = frame.f_back
    return "elsewhere:0"


@cache
def _short_name(file: str) -> str:
    """A file of the pack or the host within it; empty for any other."""
    path = Path(file)
    if file in WATCHERS or "site-packages" in path.parts:
        return ""
    if path.is_relative_to(ROOT):
        return path.relative_to(ROOT).as_posix()
    host = os.environ.get("COMFYUI_PATH")
    if host is not None and path.is_relative_to(host):
        return f"host/{path.relative_to(host).as_posix()}"
    return ""
