"""How chunks overlap, are guided and are joined: a preset, and what of it is set otherwise."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from ..blending.color import COLORS, NO_MATCH
from ..motion.estimation import AUTO as AUTO_ESTIMATOR
from ..motion.estimation import named_estimators
from .levels import AUTO, HIGHEST, LEVELS
from .presets import AUTO as BY_SPEED
from .presets import KNOBS, PRESETS, STANDARD
from .protocols import Level


@dataclass(frozen=True)
class GuideSettings:
    """How chunks are guided and joined: the seed's knobs with its defaults.

    Raises:
        ValueError: if the level is unknown or a number is not in [0, 1].
    """

    continuity: str = AUTO
    """A name of :data:`~wan.levels.LEVELS`, or ``auto``."""
    blend_strength: float = STANDARD.blend_strength
    motion_weight: float = STANDARD.motion_weight
    mask_sigma: float = STANDARD.mask_sigma
    step_gain: float = 1.0
    """[0, 1]: the share of the velocity that is left 16 frames ahead."""
    reuse_latents: bool = True
    """Reuse the overlap's latents as they are rather than encode its frames again."""
    color_match: str = COLORS[0]
    """How a chunk's colors are matched to those of the chunk before."""
    color_anchor: float = 0.0
    """[0, 1]: how far colors are led back to the start image; so far from the fifth chunk on, less before."""
    seam_retries: int = 0
    """Times that a chunk is regenerated, with another seed, while its seam stands out."""
    adaptive: frozenset[str] = frozenset()
    """Names of :data:`~wan.presets.KNOBS` that follow the measured speed from chunk to chunk."""
    lora_at_rest: float = 1.0
    lora_in_motion: float = 1.0
    """How strong LoRAs are by speed; see :func:`~wan.presets.lora_factor`. 1 and 1 leave them as they are."""

    estimator: str = AUTO_ESTIMATOR
    """Of optical flow, by name; ``auto``: a model if one is connected, else the built-in one."""

    def __post_init__(self) -> None:
        for name, options in (
            ("continuity", (AUTO, *LEVELS)),
            ("color_match", COLORS),
            ("estimator", named_estimators()),
        ):
            if getattr(self, name) not in options:
                raise ValueError(f"{name} must be one of {', '.join(options)}, got {getattr(self, name)!r}.")
        if self.seam_retries < 0:
            raise ValueError(f"seam_retries must be 0 or more, got {self.seam_retries}.")
        if not self.adaptive <= set(KNOBS):
            raise ValueError(f"adaptive must be of {', '.join(KNOBS)}, got {', '.join(sorted(self.adaptive))}.")
        for name in ("lora_at_rest", "lora_in_motion"):
            if not -10 <= getattr(self, name) <= 10:
                raise ValueError(f"{name} must be in [-10, 10], got {getattr(self, name)}.")
        for name in ("blend_strength", "motion_weight", "mask_sigma", "step_gain", "color_anchor"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} must be in [0, 1], got {getattr(self, name)}.")

    @property
    def moves_loras(self) -> bool:
        """Whether LoRAs follow the measured speed."""
        return (self.lora_at_rest, self.lora_in_motion) != (1, 1)

    @property
    def level(self) -> Level:
        """The level that is asked for; ``auto`` asks for the highest."""
        return HIGHEST if self.continuity == AUTO else LEVELS[self.continuity]

    @property
    def fixed_overlap(self) -> int | None:
        """How many frames chunks continue from, whatever the overlap is asked to be; None: as many as are asked for."""
        return self.level.overlap

    @property
    def anchored(self) -> bool:
        """Whether every chunk is told of the picture that its scene began with."""
        return self.level.starts_scenes

    @property
    def by_step(self) -> bool:
        """Whether chunks may follow a prediction for some of the sampling steps."""
        return self.level.by_step

    def describe(self) -> str:
        """Every number in words, those that follow the speed apart."""
        numbers = ", ".join(
            f"{name} {'by speed' if name in self.adaptive else format(getattr(self, name), 'g')}"
            for name in ("motion_weight", "mask_sigma", "step_gain", "blend_strength")
        )
        words = f"continuity {self.continuity}, {numbers}, color_match {self.color_match}"
        if self.color_anchor:
            words += f", color_anchor {self.color_anchor:g}"
        if self.seam_retries:
            words += f", seam_retries {self.seam_retries}"
        if self.anchored:
            words += ", for models with its LoRA alone, which nothing here can tell"
        if self.estimator != AUTO_ESTIMATOR:
            words += f", flow by {self.estimator}"
        if self.moves_loras:
            words += f", LoRAs {self.lora_at_rest:g} at rest to {self.lora_in_motion:g} in motion"
        return words


@dataclass(frozen=True)
class RunSettings:
    """How chunks overlap, are guided and are joined."""

    overlap_frames: int = STANDARD.overlap_frames
    """Of the plan; from chunk to chunk it may follow the speed, see :attr:`GuideSettings.adaptive`."""
    guide: GuideSettings = field(default_factory=GuideSettings)
    preset: str = "Standard"

    def describe(self) -> str:
        """The preset and every number in use, in words."""
        overlap = "by speed" if "overlap_frames" in self.guide.adaptive else str(self.overlap_frames)
        return f"settings {self.preset}: overlap_frames {overlap}, {self.guide.describe()}"


def choose_settings(preset: str = "Standard", *, own: dict[str, float] | None = None, **more) -> RunSettings:
    """A preset with some numbers of one's own.

    Args:
        preset: a name of :data:`~wan.presets.PRESETS`, or ``Auto``: by the speed of what was made last.
        own: numbers by the names of :data:`~wan.presets.KNOBS` and ``step_gain``, whatever the preset says.
        more: further fields of :class:`GuideSettings`.

    Raises:
        ValueError: if the preset is unknown or a number is out of range.
    """
    if preset not in (*PRESETS, BY_SPEED):
        raise ValueError(f"preset must be one of {', '.join((*PRESETS, BY_SPEED))}, got {preset!r}.")
    own = own or {}
    numbers: dict[str, Any] = asdict(PRESETS.get(preset, STANDARD)) | own
    overlap = numbers.pop("overlap_frames")
    guide = GuideSettings(**numbers, **more)
    for name in guide.level.ignored:
        if name in own:
            raise ValueError(f"{name}: continuity {guide.continuity} does not use it. Leave it to the preset.")
        if name in more and more[name] not in (NO_MATCH, usual := getattr(GuideSettings, name)):
            raise ValueError(
                f"{name}: continuity {guide.continuity} does not use it, got {more[name]!r}. Leave it at {usual!r}."
            )
    if preset == BY_SPEED:
        # A level's own overlap stays, however fast things move.
        fixed = {*own, "overlap_frames"} if guide.fixed_overlap else set(own)
        guide = GuideSettings(**numbers, **more, adaptive=frozenset(KNOBS) - fixed)
    return RunSettings(overlap, guide, preset)
