"""What a finished chunk was, in numbers; words are made of them where they are read."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import torch

from ..blending.join import JoinReport
from ..blending.seam import Grade, SeamReport
from .heed import guidance_left
from .prompts import ChunkPrompt

Color = tuple[float, float, float]
"""LAB of a color: lightness in [0, 100], a and b about [-100, 100]."""


class Reason(Enum):
    """Why a chunk has the level of continuity that it has."""

    FIRST = "first chunk"
    CUT = "a cut to its own picture"
    CHOSEN = "as set"
    HIGHEST = "the highest level"
    ONE_FRAME = "an overlap of one frame carries no motion"
    NO_MODEL = "no model is connected to Guide Next Chunk"
    NO_WEIGHT = "motion_weight is 0"
    STILL = "nothing moves"
    UNTRUSTED = "the motion can be trusted in {trusted:.0f} % of the frame only"
    NOWHERE = "no part of the frame has a motion to be trusted"
    NO_REGION = "motion_region is 0 in all of the frame"
    FLOW_FAILED = "motion analysis failed: {error}"


@dataclass(frozen=True)
class ContinuityRecord:
    """How a chunk was tied to the one before it."""

    level: str
    """A name of :data:`~wan.levels.LEVELS`."""
    reason: Reason
    trusted: float | None = None
    """Share of the frame whose motion can be trusted, where that was too little."""
    guided: float | None = None
    """Share of the cells that follow predicted motion, where some do."""
    predicted: int = 0
    """Frames that were predicted for them."""
    error: str = ""
    """Of the flow estimator, where it failed."""
    out_of_memory: bool = False
    """Whether the prediction was worked out on the CPU since the device's memory ran out."""
    heed: float | None = None
    """How far the model follows the known frames, at most 1, where it is guided and something moves; see
    :func:`~wan.heed.measure_heed`."""

    def describe(self) -> str:
        words = self.reason.value.format(trusted=100 * (self.trusted or 0), error=self.error)
        if self.guided is not None:
            words += f", guides {100 * self.guided:.0f} % of {self.predicted} frames"
        if self.heed is not None:
            words += f", follows the known frames: {self.heed:.2f}"
            if self.reason is Reason.HIGHEST:  # auto, which goes by it
                words += f", keeps {100 * guidance_left(torch.tensor(self.heed)).item():.0f} % of the guidance"
        return f"level {self.level} ({words})"


class Joining(Enum):
    """What became of a chunk's first frames."""

    AS_MADE = "as made"
    NO_BETTER = "kept as made: no correction measures better"
    CORRECTED = "corrected"
    FAILED = "cut as made, since joining failed"


@dataclass(frozen=True)
class JoinRecord:
    """How a chunk was joined to the video."""

    joining: Joining
    color_levels: float | None = None
    """8-bit levels by which its colors were changed; None where they were not."""
    join: JoinReport | None = None
    """Where frames were moved and blended; None where they were not."""

    def describe(self) -> str:
        if self.joining is not Joining.CORRECTED:
            return self.joining.value
        color = () if self.color_levels is None else (f"color matched by {self.color_levels:.1f}/255",)
        return ", ".join((*color, *(() if self.join is None else (str(self.join),))))


@dataclass(frozen=True)
class ChunkRecord:
    """A finished chunk."""

    index: int
    added: int
    """Frames that it added to the video."""
    cut: bool = False
    """Whether it starts from a picture of its own, behind a cut."""
    prompt: ChunkPrompt | None = None
    """Its prompt; None where all chunks have the same."""
    speed: float | None = None
    """Pixels per frame of the frames that it continues, if measured; see :func:`~wan.presets.measure_speed`."""
    adapted: tuple[tuple[str, float], ...] = ()
    """Settings that followed the speed, as they were for this chunk."""
    continuity: ContinuityRecord | None = None
    join: JoinRecord | None = None
    seam: SeamReport | None = None
    """None, as the two above, for the first chunk and behind a cut."""
    end_seam: SeamReport | None = None
    """Where it passes over to the end that it kept, if it kept one; see :class:`~wan.kept_end.KeptEnd`."""
    attempts: int = 1
    """Times that it was made; the best is kept."""
    failures: tuple[tuple[str, str], ...] = ()
    """What failed after it was sampled, ``joining`` or ``measuring``, and the kind of error."""
    out_of_memory: tuple[str, ...] = ()
    """What was worked out on the CPU since the card's memory ran out: ``prediction``, ``joining`` or ``measuring``."""
    color: Color | None = None
    """Mean color of its last frames; see :func:`~wan.tint.mean_color`. None until it is measured."""

    @property
    def score(self) -> float | None:
        """How far its seam stands out, 1 being as far as one in a hundred places of real video does; None without."""
        return None if self.seam is None else self.seam.score

    @property
    def grade(self) -> Grade | None:
        """The score in words."""
        return None if self.seam is None else self.seam.grade

    @property
    def worst(self) -> float | None:
        """The score of the worse of its two seams; None without either."""
        scores = [seam.score for seam in (self.seam, self.end_seam) if seam is not None]
        return max(scores, default=None)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the report says first: failures that cost the chunk its join or its measure, and memory that ran out."""
        out = tuple(
            f"chunk {self.index + 1}: the card's memory ran out in {what}, which was done on the CPU. Free some of it"
            for what in self.out_of_memory
        )
        return out + tuple(
            f"chunk {self.index + 1}: {what} failed ({error}), it is "
            + ("cut as made" if what == "joining" else "not measured")
            + (
                ". Free some memory on the card"
                if error == "OutOfMemoryError"
                else ". Please report the traceback in the log"
            )
            for what, error in self.failures
        )

    def describe(self, count: int | None = None) -> str:
        """A line of the report.

        Args:
            count: chunks of the whole video, where that is known.
        """
        line = f"chunk {self.index + 1}{f'/{count}' if count else ''}: {self.added} new frames"
        if self.prompt is not None:
            line += f", {self.prompt.describe()}"
        if self.speed is not None:
            line += f", speed {self.speed:.1f} px/frame"
        line += "".join(f", {name} {value:.3g}" for name, value in self.adapted)
        if self.cut:
            line += ", a cut: its seam is left alone"
        if self.continuity is not None:
            line += f", {self.continuity.describe()}"
        if self.join is not None:
            line += f", {self.join.describe()}"
        if self.seam is not None:
            line += f", its seam {self.seam}"
        if self.end_seam is not None:
            line += f", meets what it was made to end with: {self.end_seam}"
        return line + (f", best of {self.attempts} attempts" if self.attempts > 1 else "")
