"""Joining clips, holding color steady, and measuring the seam. Torch and kornia, over ``motion``."""

from .color import ColorTransform, fit_color, match_color
from .gaussian import gaussian_blur, gaussian_ramp, gaussian_window
from .join import Joined, JoinReport, join_clips
from .mask import feather_mask
from .plot import plot_seams
from .seam import SeamReport, grade, measure_seam
from .survey import VideoReport, survey_video

__all__ = [
    "ColorTransform",
    "JoinReport",
    "Joined",
    "SeamReport",
    "VideoReport",
    "feather_mask",
    "fit_color",
    "gaussian_blur",
    "gaussian_ramp",
    "gaussian_window",
    "grade",
    "join_clips",
    "match_color",
    "measure_seam",
    "plot_seams",
    "survey_video",
]
