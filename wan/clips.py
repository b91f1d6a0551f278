"""Two clips that share frames, made one: colors matched, joined, and the seam measured."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ..blending import Joined, JoinReport, fit_color, join_clips
from ..blending.color import NO_MATCH
from ..blending.seam import SeamReport, measure_seam
from ..blending.series import GROUP
from ..motion.watch import Watch, each, ignore, part, watched
from .join import BEHIND, FEWEST
from .motion_tools import MotionTools
from .presets import STANDARD
from .protocols import Estimator


@dataclass(frozen=True)
class JoinedClips:
    """A clip made of two, and how its seam looks."""

    frames: Tensor
    """``(A + B - overlap, C, H, W)``."""
    join: JoinReport
    color_levels: float | None
    """8-bit levels by which the second clip's colors were changed; None where they were not."""
    seam: SeamReport | None
    """Of the place where the picture passes over; None of an intended cut, and of too few frames to tell."""
    out_of_memory: bool
    """Whether the memory of the device that it was worked out on ran out."""


@torch.no_grad()
def join_pair(
    first: Tensor,
    second: Tensor,
    overlap: int,
    *,
    color_match: str,
    blend_strength: float = STANDARD.blend_strength,
    mask_sigma: float = STANDARD.mask_sigma,
    cut: bool = False,
    motion: MotionTools | None = None,
    watch: Watch = ignore,
) -> JoinedClips:
    """Join two clips and measure the seam.

    Args:
        first: ``(A, C, H, W)`` in [0, 1].
        second: ``(B, C, H, W)``, whose first ``overlap`` frames show the moments of the first clip's last.
        color_match: how the second clip's colors are matched to the first's; see :data:`~blending.color.COLORS`.
        blend_strength: see :func:`~blending.join_clips`.
        mask_sigma: see :func:`~blending.join_clips`.
        cut: an intended cut: nothing is matched, mixed or measured.
        motion: by default the built-in estimator on the CPU.
        watch: told how far it is.

    Raises:
        ValueError: see :func:`~blending.join_clips`.
    """
    motion, levels = motion or MotionTools(), None
    # What does not fit is for the join to name.
    if color_match != NO_MATCH and not cut and overlap and first.shape[1:] == second.shape[1:]:
        transform = fit_color(second[:overlap], first[-overlap:], method=color_match)
        levels = transform.change(second[:overlap])
        second = torch.cat([transform(piece) for piece in each(second.split(GROUP), part(watch, 0, 0.1))])

    def join(estimator: Estimator, one: Tensor) -> Joined:
        return join_clips(
            first,
            second,
            overlap,
            blend_strength=blend_strength,
            mask_sigma=mask_sigma,
            cut=cut,
            estimator=estimator,
            device=one.device,
            watch=part(watch, 0.1, 0.6),
        )

    joined, ran_out = motion.run(join, first[-1:], count=overlap + BEHIND)
    seam = joined.report.cut
    if cut or not 0 < seam < len(joined.frames) or len(joined.frames) < FEWEST:
        return JoinedClips(joined.frames, joined.report, levels, None, ran_out)
    reach = 2 * SeamReport.REACH
    begin = max(0, seam - reach)
    near = joined.frames[begin : seam + reach]

    def measure(estimator: Estimator, near: Tensor) -> SeamReport:
        told = watched(estimator, part(watch, 0.6, 1), len(near) - 1)
        return measure_seam(near, seam - begin, estimator=told)

    report, again = motion.run(measure, near)
    return JoinedClips(joined.frames, joined.report, levels, report, ran_out or again)
