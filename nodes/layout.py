"""Between ComfyUI's tensors and the core's."""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
from einops import rearrange
from torch import Tensor

from ..wan.host.checks import fit_frames

RINGING = 0.5
"""How far outside [0, 1] a picture's values may lie, as they do where a picture was scaled by a sharp filter. What is
farther out is on another scale, 8 bits or [-1, 1]."""
NOISE = 1e-3
"""How far outside [0, 1] a mask's values may lie from rounding."""


def to_image(frames: Tensor) -> Tensor:
    """Frames ``(T, 3, H, W)`` to an IMAGE ``(T, H, W, 3)``."""
    return rearrange(frames, "t c h w -> t h w c").contiguous()


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
            image[done : done + len(part)] = rearrange(part, "t c h w -> t h w c")
        done += len(part)
    if image is None or done != count:
        raise ValueError(f"expected {count} frames, got {done}.")
    return image


def to_frames(name: str, image: Tensor) -> Tensor:
    """The IMAGE of input ``name`` to frames ``(T, 3, H, W)``; see :func:`to_clip`. Alpha is dropped, as the host's Wan
    nodes do: what was transparent shows the colors that it has."""
    return to_clip(name, image)[:, :3]


def to_clip(name: str, image: Tensor) -> Tensor:
    """The IMAGE of input ``name`` to float32 frames ``(T, 3 or 4, H, W)``: gray is repeated, alpha is kept.

    Args:
        image: ``(T, H, W, C)`` of any floating type: gray, gray and alpha, RGB, or RGB and alpha, in [0, 1] or a little
            outside, where values stay as they are.

    Raises:
        ValueError: if it is no batch of such pictures, is empty, or holds values that are not finite or not of [0, 1].
    """
    if not isinstance(image, Tensor) or image.ndim != 4 or not image.is_floating_point():
        raise ValueError(f"{name}: expected pictures (T, H, W, C) of floats in [0, 1], got {_describe(image)}.")
    if 0 in image.shape[:3]:
        raise ValueError(f"{name}: expected at least one picture (T, H, W, C), got {tuple(image.shape)}.")
    if not 1 <= image.shape[-1] <= 4:
        raise ValueError(
            f"{name}: expected 1 to 4 channels (gray, gray and alpha, RGB, or RGB and alpha), got {image.shape[-1]}."
        )
    low, high = (value.item() for value in image.aminmax())
    if not (math.isfinite(low) and math.isfinite(high)):
        raise ValueError(f"{name}: holds NaN or infinite pixels. Check the node that made it.")
    if low < -RINGING or high > 1 + RINGING:
        raise ValueError(f"{name}: expected values in [0, 1], got {low:.3g} to {high:.3g}. Scale them to that range.")
    frames = rearrange(image, "t h w c -> t c h w").float()
    if image.shape[-1] > 2:
        return frames
    return torch.cat((frames[:, :1].expand(-1, 3, -1, -1), frames[:, 1:]), dim=1)


def add_alpha(frames: Tensor) -> Tensor:
    """Frames ``(T, 3 or 4, H, W)`` with alpha: opaque where they have none."""
    return frames if frames.shape[1] == 4 else torch.cat((frames, torch.ones_like(frames[:, :1])), dim=1)


def to_masks(name: str, mask: Tensor) -> Tensor:
    """The MASK of input ``name`` as float32 ``(N, h, w)`` in [0, 1]; ``(h, w)`` is one mask.

    Raises:
        ValueError: if it is no batch of masks, is empty, or holds values outside [0, 1].
    """
    if isinstance(mask, Tensor) and mask.ndim == 2:
        mask = mask[None]
    if not isinstance(mask, Tensor) or mask.ndim != 3 or mask.is_complex():
        raise ValueError(f"{name}: expected masks (N, H, W), got {_describe(mask)}.")
    if 0 in mask.shape:
        raise ValueError(f"{name}: expected at least one mask (N, H, W), got {tuple(mask.shape)}.")
    mask = mask.float()
    low, high = (value.item() for value in mask.aminmax())
    if not (low >= -NOISE and high <= 1 + NOISE):  # NaN is neither
        raise ValueError(f"{name}: expected values in [0, 1], got {low:.3g} to {high:.3g}.")
    return mask.clamp(0, 1)


def to_region(
    name: str, mask: Tensor, height: int, width: int, picture: Tensor | None = None, of: str = "start_image"
) -> Tensor:
    """The MASK of input ``name`` over a video's frame: ``(1, 1, height, width)`` in [0, 1].

    A mask of the video's size stays as it is. One of the picture's size or proportions is scaled and cropped as the
    picture is, one of the video's proportions scaled.

    Args:
        picture: ``(N, 3, H, W)`` as it was before it was scaled and cropped to the video, if the mask may be of it.
        of: the input that it came from.

    Raises:
        ValueError: if it is no single mask in [0, 1], or could be of neither.
    """
    masks = to_masks(name, mask)
    if len(masks) != 1:
        raise ValueError(f"{name}: expected one mask (1, H, W), got {len(masks)}. Pick one, or merge them.")
    sizes = [(height, width)] if picture is None else [(height, width), (picture.shape[-2], picture.shape[-1])]
    if not any(_same_proportions((masks.shape[1], masks.shape[2]), size) for size in sizes):
        expected = f"the video, {width} x {height}"
        if picture is not None:
            expected += f", or of {of}, {picture.shape[-1]} x {picture.shape[-2]}"
        raise ValueError(
            f"{name}: expected a mask of {expected}, or of such proportions, got {masks.shape[2]} x {masks.shape[1]}. "
            "Make it of the same picture."
        )
    return fit_frames(name, masks[None], width, height)


def _same_proportions(a: tuple[int, int], b: tuple[int, int]) -> bool:
    """Whether one size is the other scaled, but for whole pixels."""
    (small, large) = sorted((a, b))
    scale = large[0] / small[0] if small[0] >= small[1] else large[1] / small[1]
    return all(abs(side * scale - other) <= scale for side, other in zip(small, large, strict=True))


def _describe(value) -> str:
    return f"{value.dtype} {tuple(value.shape)}" if isinstance(value, Tensor) else type(value).__name__
