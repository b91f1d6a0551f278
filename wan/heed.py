"""How far a model follows the known frames, read off its first output, and how much guidance that leaves.

In the first sampling step the model sees noise everywhere, in pinned cells too: what it then shows in the known
latents, before the host puts them back, it has from its conditioning alone. The last of them is the farthest from the
first frame, and tells models best apart; a prompt that says how things move lets any model come near the others.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor

LOW, HIGH = 0.9, 0.97
"""Heed up to which all of the guidance stays, and from which on none is left (``bench heed``)."""
STILL = 1e-3
"""Mean square difference from rest, of latents of about unit variance, below which there is no motion to follow."""


def measure_heed(denoised: Tensor, known: Tensor, rest: Tensor) -> Tensor:
    """``1 - |denoised - known|^2 / |rest - known|^2``: 1 for the known frames, 0 for a clip at rest in the first.

    Args:
        denoised: ``(B, 16, n, h, w)``, the model's space: what it makes of known latents.
        known: ``(1, 16, n, h, w)``: these latents as they are.
        rest: ``(1, 16, n, h, w)``: the same latents of a clip at rest in the first known frame.

    Returns:
        A scalar, at most 1; NaN where hardly anything moves.
    """
    moved = (rest - known).float().square().mean()
    wrong = (denoised - known).float().square().mean()
    return torch.where(moved > STILL, 1 - wrong / moved, math.nan)


def guidance_left(heed: Tensor) -> Tensor:
    """The share of its guidance that a chunk keeps, [0, 1]: 1 where the model does not follow, or nothing tells."""
    return torch.nan_to_num((HIGH - heed) / (HIGH - LOW), nan=1.0).clamp(0, 1)


@dataclass
class HeedMeter:
    """Measures one chunk in its first model call. No value leaves the model's device before it is read."""

    known: Tensor
    """``(1, 16, 1, h, w)``: the last known latent, in ComfyUI's LATENT space."""
    rest: Tensor
    """The same of a clip at rest in the first known frame."""
    index: int
    """Its place among the sampled latents."""
    decides: bool
    """Whether guidance lets go by what is measured."""
    left: Tensor | None = field(init=False, default=None)
    """A scalar: the share of its guidance that the chunk keeps; None until it is measured, or where it keeps all."""
    _aims: tuple[Tensor, Tensor] | None = field(init=False, default=None)
    _heed: Tensor | None = field(init=False, default=None)

    def start(self, to_model_space: Callable[[Tensor], Tensor], like: Tensor) -> None:
        """Measure anew, with the next model call, on the device of ``like``."""
        self._aims = to_model_space(self.known.to(like)), to_model_space(self.rest.to(like))
        self._heed = self.left = None

    def stop(self) -> None:
        """Measure nothing in this run, and forget what the last one was measured as."""
        self._aims = self._heed = self.left = None

    def watch(self, denoised: Tensor) -> None:
        """Look at what the model has made, ``(B, 16, T, h, w)`` in its space; only the first time counts."""
        if self._aims is None or self._heed is not None:
            return
        known, rest = self._aims
        self._heed = measure_heed(denoised[:, :, self.index : self.index + 1], known, rest)
        if self.decides:
            self.left = guidance_left(self._heed)

    def read(self) -> float | None:
        """What was measured in the last run; None where nothing moves, or no model call was seen."""
        value = math.nan if self._heed is None else self._heed.item()
        return None if math.isnan(value) else value
