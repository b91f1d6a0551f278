"""How much frame pairs of real video stand out from their neighbours where there is no seam.

Measured by ``python dev.py bench null``, which prints this table.
"""

from __future__ import annotations

NULL: dict[str, tuple[float, float, float]] = {
    "motion_jump": (1.03, 1.59, 3.69),
    "warp_error": (1.01, 2.41, 6.32),
    "colour_step": (0.00, 0.15, 0.20),
    "sharpness_step": (0.00, 0.08, 0.14),
    "stall": (0.98, 1.81, 2.30),
    "difference_ratio": (1.03, 1.52, 1.95),
}
"""Median, 95th and 99th percentile of each figure of a :class:`~blending.SeamReport`."""
