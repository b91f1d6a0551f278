"""What motion is worked out with: an estimator of flow, a device, and what is done when its memory runs out."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import torch
from torch import Tensor

from ..motion.estimation import is_out_of_memory
from .protocols import Estimator

logger = logging.getLogger(__name__)

Made = TypeVar("Made")

WORKING_MEMORY = 192
"""Bytes per pixel of the frames that are looked at: what prediction, join and seam measure take at most."""


def _leave_all(*_: Any) -> None:
    """Nobody else uses the device."""


@dataclass(frozen=True)
class MotionTools:
    """An estimator of flow, and the device where flow is estimated and everything that follows from it."""

    estimator: Estimator = "auto"
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    make_room: Callable[[int, torch.device], None] = _leave_all
    """Asks whoever else uses the device to free so many bytes of it."""
    clear: Callable[[], None] = _leave_all
    """Gives back what torch keeps of the device's memory and does not use."""

    def run(self, work: Callable[..., Made], *frames: Tensor, count: int | None = None) -> tuple[Made, bool]:
        """Call ``work(estimator, *frames)`` with the frames on the device.

        Where its memory runs out, ``work`` is called once more with the frames on the CPU and the built-in estimator,
        whose results differ a little, or by more from those of a model.

        Args:
            work: gives out what is on the device that its frames are on, or numbers.
            frames: ``(N, C, H, W)`` each, in the host's memory.
            count: how many frames are looked at, to make room for; by default these.

        Returns:
            What ``work`` gave out, and whether memory ran out.
        """
        try:
            if frames and frames[0].device != self.device:
                number = sum(map(len, frames)) if count is None else count
                pixels = number * frames[0].shape[-2] * frames[0].shape[-1]
                self.make_room(WORKING_MEMORY * pixels, self.device)
            return work(self.estimator, *(clip.to(self.device) for clip in frames)), False
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
            logger.warning("The memory of %s ran out, motion is worked out on the CPU: %s", self.device, error)
        # Not in the handler, whose traceback keeps tensors alive.
        self.clear()
        return work("auto", *(clip.cpu() for clip in frames)), True
