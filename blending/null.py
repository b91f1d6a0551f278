"""How much frame pairs of real video stand out from their neighbors where there is no seam.

Measured by ``python dev.py bench null``, which prints this table.
"""

from __future__ import annotations

LEVELS = (0.5, 0.95, 0.994)
"""Of the table's columns. Beyond the last a figure stands out; it is so high that all figures together give no more
false alarms than six did at the 99th percentile."""
NULL: dict[str, tuple[float, float, float]] = {
    "motion_jump": (1.03, 1.59, 4.12),
    "warp_error": (1.01, 2.41, 8.31),
    "color_step": (0.00, 0.15, 0.21),
    "sharpness_step": (0.00, 0.08, 0.15),
    "stall": (0.84, 1.23, 1.62),
    "difference_ratio": (1.03, 1.52, 2.09),
    "position_jump": (0.92, 1.38, 1.60),
    "speed_change": (0.51, 1.26, 1.94),
}
"""Median, 95th and 99.4th percentile of each figure of a :class:`~blending.SeamReport`."""
