"""Levels of continuity, in rising demand on the model. A new one is a module here and a line in ``LEVELS``."""

from __future__ import annotations

from ..protocols import Level
from .free import LAST_FRAME, OVERLAP
from .motion import MOTION
from .pinned import OVERLAP_PINNED
from .svi import SVI

HIGHEST: Level = MOTION
"""What ``auto`` takes, as far as its checks allow."""
LEVELS: dict[str, Level] = {level.name: level for level in (LAST_FRAME, OVERLAP, OVERLAP_PINNED, MOTION, SVI)}
AUTO = "auto"
