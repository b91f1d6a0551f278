"""What goes in as pictures, checked once for all that takes some."""

from __future__ import annotations

import math

from torch import Tensor


def check_pictures(name: str, frames: Tensor) -> None:
    """Raise ValueError unless ``frames`` are ``(T, 3 or 4, H, W)`` in floating point, with at least one pixel."""
    if frames.ndim != 4 or frames.shape[1] not in (3, 4) or 0 in frames.shape:
        raise ValueError(
            f"{name}: expected RGB frames (T, 3, H, W), or RGB and alpha (T, 4, H, W), got {tuple(frames.shape)}."
        )
    if not frames.is_floating_point():
        raise ValueError(f"{name}: expected floating point in [0, 1], got {frames.dtype}; divide 8-bit frames by 255.")


def check_levels(name: str, frames: Tensor) -> None:
    """Raise ValueError unless ``frames`` are pictures, finite, and in [0, 1] for the most part."""
    check_pictures(name, frames)
    level = frames[:, :3].float().mean().item()
    if not math.isfinite(level):
        raise ValueError(f"{name}: hold NaN or infinite pixels. Check what made them.")
    if not -0.5 <= level <= 1.5:  # single pixels beyond are usual in decoded video
        raise ValueError(f"{name}: expected [0, 1], got {level:.3g} on average; divide 8-bit frames by 255.")
