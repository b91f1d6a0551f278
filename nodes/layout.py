"""Between ComfyUI's tensors and the core's."""

from __future__ import annotations

from torch import Tensor


def to_image(frames: Tensor) -> Tensor:
    """Frames ``(T, 3, H, W)`` to an IMAGE ``(T, H, W, 3)``."""
    return frames.movedim(1, -1).contiguous()


def to_frames(name: str, image: Tensor) -> Tensor:
    """The IMAGE ``(T, H, W, 3)`` of input ``name`` to frames ``(T, 3, H, W)``.

    Raises:
        ValueError: if it is no batch of RGB pictures.
    """
    if image.ndim != 4 or image.shape[-1] != 3:
        raise ValueError(f"{name}: expected RGB pictures (T, H, W, 3), got {tuple(image.shape)}.")
    return image.movedim(-1, 1)
