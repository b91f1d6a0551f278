"""A worker as the driver sees it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .queue import Ticket


@dataclass
class Hand:
    """A worker as the driver sees it."""

    actor: Any
    name: str = ""
    loaded: str = ""
    """The models of its last job."""
    ticket: Ticket | None = None
    since: float = 0.0
    chunks: int = 0
    fresh: int = 0
    """As far as is known, how many its job has made, and how many of these there never were."""
    call: Any = None
    """What is asked of it now; None while it waits for a job."""
    rest: float = 0.0
    """When it may be asked again whether it is there."""
    up: bool = False
