"""What few videos need: inputs that stand aside of the common ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from .noise import POLICIES, NoisePolicy

BOUNDARY = 0.9
"""The noise level that Wan2.2 I2V A14B was made to change experts at."""
OF_EXPERTS = ("switch_step", "boundary")
"""Of the fields below, those of the second expert."""


@dataclass(frozen=True)
class VideoOptions:
    """What few videos need; as it is by default it changes nothing.

    Raises:
        ValueError: if a number is out of range or a choice is none; names the input.
    """

    positive: Any = None
    """The host's CONDITIONING, instead of the prompt of the node."""
    negative: Any = None
    clip_vision_output: Any = None
    """The host's CLIP_VISION_OUTPUT of the start image."""
    motion_region: Any = None
    """The host's MASK of where motion may guide."""
    optical_flow: Any = None
    """The host's OPTICAL_FLOW; None for the built-in estimator."""
    feature_continuity: float = 0.0
    """[0, 1]: share of the last known frame's features at the video's end."""
    noise: NoisePolicy = POLICIES[0]
    seeds: tuple[int, ...] = ()
    """Of each chunk, for the noise ``list``; the input ``seed_list``."""
    switch_step: int = 0
    """The second expert's first step; 0 finds it by ``boundary``."""
    boundary: float = BOUNDARY
    """The noise level, of 1, below which the second expert takes over."""

    def __post_init__(self) -> None:
        if self.noise not in POLICIES:
            raise ValueError(f"noise must be one of {', '.join(POLICIES)}, got {self.noise!r}.")
        if self.noise == "list" and not self.seeds:
            raise ValueError("seed_list: noise is list, but no seed is named. Name one for each chunk, such as 7, 42.")
        if not 0 <= self.feature_continuity <= 1:
            raise ValueError(f"feature_continuity must be in [0, 1], got {self.feature_continuity}.")
        if self.switch_step < 0:
            raise ValueError(f"switch_step must be 0 or more, got {self.switch_step}.")
        if not 0 < self.boundary < 1:
            raise ValueError(f"boundary must be between 0 and 1, got {self.boundary}.")

    @property
    def used(self) -> tuple[str, ...]:
        """The inputs that are connected, or not as they are by default."""
        names = {"seeds": "seed_list"}
        return tuple(
            names.get(field.name, field.name)
            for field in fields(self)
            if _differ(getattr(self, field.name), field.default)
        )

    def refuse(self, reasons: Mapping[str, str]) -> None:
        """Raise ValueError if an input is used that a node does not take.

        Args:
            reasons: by the name of the input, why not and what to do instead.
        """
        for name in self.used:
            if name in reasons:
                raise ValueError(f"{name}: {reasons[name]}")

    def idle(self, has_second_expert: bool) -> tuple[str, ...]:
        """Warnings of what is set and does nothing."""
        idle = () if has_second_expert else [name for name in OF_EXPERTS if name in self.used]
        words = [f"{name} does nothing without model_low_noise" for name in idle]
        if not idle and {*OF_EXPERTS} <= {*self.used}:
            words.append("boundary does nothing, since switch_step says where model_low_noise takes over")
        return tuple(words)


def _differ(value: Any, default: Any) -> bool:
    return value is not None if default is None else value != default  # the host's tensors have no truth value
