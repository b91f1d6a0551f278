"""Between ComfyUI's tensors and the core's."""

from __future__ import annotations

from torch import Tensor


def to_image(frames: Tensor) -> Tensor:
    """Frames ``(T, 3, H, W)`` to an IMAGE ``(T, H, W, 3)``."""
    return frames.movedim(1, -1).contiguous()
