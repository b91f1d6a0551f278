"""Joining clips, holding colour steady, and measuring the seam. Torch only, over ``motion``."""

from .color import ColorTransform, fit_color, match_color
from .gaussian import gaussian_blur, gaussian_ramp, gaussian_window
from .join import Joined, JoinReport, join_clips
from .mask import feather_mask
from .seam import SeamReport, measure_seam

__all__ = [
    "ColorTransform",
    "JoinReport",
    "Joined",
    "SeamReport",
    "feather_mask",
    "fit_color",
    "gaussian_blur",
    "gaussian_ramp",
    "gaussian_window",
    "join_clips",
    "match_color",
    "measure_seam",
]
