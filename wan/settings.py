"""All the knobs of a run in one piece: a preset, and what of it is set otherwise."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field

from .guide import GuideSettings
from .presets import AUTO, KNOBS, PRESETS, STANDARD


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
        own: numbers by the names of :data:`~wan.presets.KNOBS` that stand whatever the preset says.
        more: further fields of :class:`GuideSettings`.

    Raises:
        ValueError: if the preset is unknown or a number is out of range.
    """
    if preset not in (*PRESETS, AUTO):
        raise ValueError(f"preset must be one of {', '.join((*PRESETS, AUTO))}, got {preset!r}.")
    own = own or {}
    numbers = asdict(PRESETS.get(preset, STANDARD)) | own
    overlap = numbers.pop("overlap_frames")
    adaptive = frozenset(KNOBS) - own.keys() if preset == AUTO else frozenset()
    if more.get("level") == "last_frame":
        adaptive -= {"overlap_frames"}  # which is one frame there
    return RunSettings(overlap, GuideSettings(**numbers, **more, adaptive=adaptive), preset)
