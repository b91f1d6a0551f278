"""How much a seam stands out from the frames around it, against how much any frame of real video does."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import ClassVar, Literal, get_args

from torch import Tensor

from ..motion import FlowEstimator
from .null import NULL
from .pace import expected_speed, position_jump, speed_change
from .pictures import check_levels
from .replay import content_change, is_cut, replayed_frames, small_clip
from .series import PairSeries, measure_pairs

FLOORS = {"motion_jump": 0.08, "warp_error": 1.0, "stall": 0.08, "difference_ratio": 0.1}
"""Added to both sides of a ratio: pixels, squared levels, pixels, levels. Noise over noise is no seam."""
NAMES = {
    "motion_jump": "motion jump",
    "warp_error": "warp error",
    "color_step": "color step",
    "sharpness_step": "sharpness step",
    "stall": "stall",
    "difference_ratio": "difference ratio",
    "position_jump": "position jump",
    "speed_change": "speed change",
}

Grade = Literal["looks uncut", "visible", "obvious"]
GRADES: tuple[Grade, ...] = get_args(Grade)
BOUNDS = (1.0, 2.0)
"""Scores up to which a seam looks uncut, and up to which it is visible. Of 298 places of real, uncut video 15 are above
the first, and none is above 1.43; see ``docs/benchmarks.md``."""


def grade(score: float) -> Grade:
    """What a score means."""
    return GRADES[sum(score > bound for bound in BOUNDS)]


@dataclass(frozen=True)
class SeamReport:
    """A seam against its neighborhood: ``REACH`` frame pairs on either side, or as many in all near a clip's end.

    1 or 0 is like any other.
    """

    REACH: ClassVar[int] = 8

    motion_jump: float
    """Change of velocity at the same point, over its neighbors' median."""
    warp_error: float
    """What the flow leaves unexplained, over its neighbors' median."""
    color_step: float
    """Shift of color along the flow beyond its neighbors' median, in CIE76 units."""
    sharpness_step: float
    """Change of the logarithm of the Laplacian's variance beyond its neighbors' median."""
    stall: float
    """Motion of the neighbors, or what the nearest two lead to if that is less, over that at the seam: large where a
    frame is held, and not where a pan turns back."""
    difference_ratio: float
    """Mean absolute difference across the seam over its neighbors' median."""
    position_jump: float = 0.0
    """How far things land from where they were going, over the farthest of the neighbors."""
    speed_change: float = 0.0
    """Lasting change of velocity, over what the unsteadiness on both sides makes of it."""
    replayed: int = 0
    """Frames behind the seam that repeat those before it."""
    cut: bool = False
    """Whether the two sides are different shots."""

    @property
    def boundary_jump(self) -> float:
        """The worst of motion jump, warp error and difference ratio: one figure for a seam."""
        return max(self.motion_jump, self.warp_error, self.difference_ratio)

    @property
    def flags(self) -> tuple[str, ...]:
        """What is wrong, in words: figures beyond their last percentile in real video, :data:`~blending.null.NULL`."""
        if self.cut:
            return ("cut",)
        if self.replayed > 1:
            return (f"{self.replayed} frames replayed",)
        if self.replayed == 1:
            return ("frozen",)
        return tuple(NAMES[name] for name in NULL if getattr(self, name) > NULL[name][2])

    @property
    def score(self) -> float:
        """The worst figure as a share of its last percentile in real video; up to 1 the seam passes for none."""
        worst = max(getattr(self, name) / NULL[name][2] for name in NULL)
        return max(worst, 10.0 if self.cut or self.replayed else 0.0)

    @property
    def grade(self) -> Grade:
        """The score in words."""
        return grade(self.score)

    @property
    def cost(self) -> float:
        """All that stands out, to compare two versions of a seam by: what both have wrong does not hide what one has.

        The sum over the figures of ``log(1 + s^2)``, s their share of the last percentile: about s^2 where it is small.
        """
        return sum(math.log1p((getattr(self, name) / NULL[name][2]) ** 2) for name in NULL)

    def as_dict(self) -> dict:
        """All figures, for JSON."""
        read = {"score": self.score, "grade": self.grade, "flags": list(self.flags)}
        return asdict(self) | read | {"boundary_jump": self.boundary_jump}

    def __str__(self) -> str:
        values = {words: getattr(self, name) for name, words in NAMES.items()}
        usual = {"boundary jump": self.boundary_jump, "color step": self.color_step}
        figures = [f"{flag} {values[flag]:.2f}" if flag in values else flag for flag in self.flags]
        figures += [f"{words} {value:.2f}" for words, value in usual.items() if words not in self.flags]
        return ", ".join((f"{self.grade}: score {self.score:.2f}", *figures))


def measure_seam(
    frames: Tensor, seam: int, *, estimator: str | FlowEstimator = "auto", checked: bool = False
) -> SeamReport:
    """Measure the seam before frame ``seam``, by eight frame pairs on either side.

    Args:
        frames: ``(T, 3 or 4, H, W)`` RGB in [0, 1].
        seam: index of the first frame after the seam, 1 to T - 1.
        estimator: of flow; see :func:`~motion.estimate_flow`.
        checked: whether the frames are known to be pictures; to look again waits for their device.

    Raises:
        ValueError: if ``seam`` is not inside the clip, or nothing surrounds it.
    """
    if not 1 <= seam < len(frames):
        raise ValueError(f"A seam of {len(frames)} frames lies at 1 to {len(frames) - 1}, got {seam}.")
    if len(frames) < 3:
        raise ValueError(f"A seam needs a neighboring frame pair to compare with, got {len(frames)} frames.")
    # Twice as far for replays: 13 frames are what one pack repeats.
    first = max(0, seam - 2 * SeamReport.REACH)
    near = frames[first : seam + 2 * SeamReport.REACH]
    low, high = _around(seam - 1, len(frames) - 1)
    if not checked:
        check_levels("frames", frames[min(first, low) : max(seam + 2 * SeamReport.REACH, high + 1)])
    series = measure_pairs(frames[low : high + 1], estimator=estimator, checked=True)
    small = small_clip(near, checked=True)
    changed = is_cut(content_change(small), seam - 1 - first)
    return judge(series, seam - 1 - low, replayed=replayed_frames(small, seam - first), changed=changed)


def _around(pair: int, pairs: int) -> tuple[int, int]:
    """The first of the frame pairs that one is held against, and the one behind the last."""
    reach = SeamReport.REACH
    return max(0, min(pair - reach, pairs - 2 * reach - 1)), min(pairs, max(pair + reach, 2 * reach) + 1)


def judge(series: PairSeries, pair: int, *, replayed: int = 0, changed: bool = False) -> SeamReport:
    """Hold one frame pair of a series against those around it.

    Args:
        pair: index of the pair whose second frame is the first after the seam.
        replayed: see :class:`SeamReport`.
        changed: whether the content changes as at a cut, which it is unless the flow explains it.
    """
    first, last = _around(pair, len(series))
    others = [index for index in range(first, last) if abs(index - pair) > 1]
    others = others or [index for index in range(first, last) if index != pair]
    length = series.color.norm(dim=1)
    values = {
        "motion_jump": series.acceleration,
        "warp_error": series.warped,
        "stall": series.speed,
        "difference_ratio": series.difference,
    }
    found = {}
    for name, figures in values.items():
        own, usual, floor = figures[pair].item(), figures[others].median().item(), FLOORS[name]
        if name == "stall":
            found[name] = (min(usual, expected_speed(series, pair)) + floor) / (own + floor)
        else:
            found[name] = (own + floor) / (usual + floor)
    for name, figures in (("color_step", length), ("sharpness_step", series.sharpness.abs())):
        found[name] = max(0.0, (figures[pair] - figures[others].median()).item())
    found["position_jump"] = position_jump(series, pair, others)
    found["speed_change"] = speed_change(series, pair, SeamReport.REACH)
    cut = changed and not replayed and found["warp_error"] > NULL["warp_error"][2]
    return SeamReport(**found, replayed=replayed, cut=cut)
