"""Between ComfyUI's tensors and the core's."""

from __future__ import annotations

from collections.abc import Iterable

import torch
import torch.nn.functional as F
from torch import Tensor


def to_image(frames: Tensor) -> Tensor:
    """Frames ``(T, 3, H, W)`` to an IMAGE ``(T, H, W, 3)``."""
    return frames.movedim(1, -1).contiguous()


def gather_image(count: int, parts: Iterable[Tensor]) -> Tensor:
    """Frames ``(n, 3, H, W)``, part after part, as one IMAGE of ``count`` frames: all the memory that this takes.

    Raises:
        ValueError: if there are more or fewer: the rest of the IMAGE would be whatever was in memory.
    """
    image, done = None, 0
    for part in parts:
        if image is None:
            image = torch.empty(count, *part.shape[-2:], 3)
        if done + len(part) <= count:
            image[done : done + len(part)] = part.movedim(1, -1)
        done += len(part)
    if done != count:
        raise ValueError(f"expected {count} frames, got {done}.")
    return image


def to_frames(name: str, image: Tensor) -> Tensor:
    """The IMAGE ``(T, H, W, 3)`` of input ``name`` to frames ``(T, 3, H, W)``.

    Raises:
        ValueError: if it is no batch of RGB pictures.
    """
    if image.ndim != 4 or image.shape[-1] != 3:
        raise ValueError(f"{name}: expected RGB pictures (T, H, W, 3), got {tuple(image.shape)}.")
    return image.movedim(-1, 1)


def to_clip(name: str, image: Tensor) -> Tensor:
    """The IMAGE of input ``name`` to frames ``(T, 3 or 4, H, W)``: alpha is kept.

    Raises:
        ValueError: if it is no batch of RGB or RGBA pictures.
    """
    if image.ndim != 4 or image.shape[-1] not in (3, 4) or 0 in image.shape:
        raise ValueError(f"{name}: expected RGB or RGBA pictures (T, H, W, 3), got {tuple(image.shape)}.")
    return image.movedim(-1, 1)


def to_region(name: str, mask: Tensor, height: int, width: int) -> Tensor:
    """The MASK ``(1, h, w)`` or ``(h, w)`` of input ``name``, scaled to a video: ``(1, 1, height, width)``.

    Raises:
        ValueError: if it is no single mask in [0, 1].
    """
    if mask.ndim == 2:
        mask = mask[None]
    if mask.ndim != 3 or len(mask) != 1:
        raise ValueError(f"{name}: expected one mask (1, H, W), got {tuple(mask.shape)}.")
    if not (mask.min() >= 0 and mask.max() <= 1):
        raise ValueError(f"{name}: expected values in [0, 1], got {mask.min().item():.3g} to {mask.max().item():.3g}.")
    return F.interpolate(mask[None].float(), (height, width), mode="bilinear", align_corners=False, antialias=True)
