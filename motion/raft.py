"""RAFT (Teed and Deng 2020), as torchvision has it."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .flow import resize_flow
from .warp import exact

STRIDE, SMALLEST = 8, 128
"""Pixels: sides are padded to a multiple of the first, and to no less than the second, for its correlation pyramid."""
LARGEST = 1024 * 1024
"""Pixels: larger frames are shrunk to this, since memory grows with the square of their number."""
MEMORY = 2 * 1024**3
"""Bytes of correlation volumes at once."""


def build_raft(weights: dict[str, Tensor]) -> nn.Module:
    """RAFT large or small in evaluation mode, from torchvision's state dict of either.

    Raises:
        ValueError: if the weights are another model's.
    """
    from torchvision.models.optical_flow import raft_large, raft_small

    large = any(name.startswith("mask_predictor.") for name in weights)  # the small one upsamples without
    model = (raft_large if large else raft_small)(weights=None)
    missing = model.state_dict().keys() - weights.keys()
    if missing:
        raise ValueError(
            f"These are no weights of torchvision's RAFT: {len(missing)} of its tensors are missing, "
            f"{min(missing)} for one. Take raft_large or raft_small."
        )
    model.load_state_dict(weights)
    return model.eval()


def estimate_raft(model: nn.Module, first: Tensor, second: Tensor) -> Tensor:
    """Flow by RAFT, on the model's device and in its precision, a few pairs at a time.

    Args:
        first: ``(N, 3, H, W)`` RGB in [0, 1]; beyond a megapixel it is shrunk and the flow enlarged.
        second: ``(N, 3, H, W)``.

    Returns:
        ``(N, 2, H, W)`` pixels, float32, on the device of ``first``.
    """
    height, width = first.shape[-2:]
    size = _working_size(height, width)
    group = max(1, MEMORY // correlation_memory(height, width))
    with torch.inference_mode():
        parts = [
            _estimate(model, *(_shrink(frames[start : start + group], size) for frames in (first, second)))
            for start in range(0, len(first), group)
        ]
    return resize_flow(torch.cat(parts).to(first.device), (height, width))


def correlation_memory(height: int, width: int) -> int:
    """Bytes that the correlation pyramid of one pair takes, with the copy that is made of it."""
    h, w = (max(SMALLEST, side) // STRIDE + 1 for side in _working_size(height, width))
    return (h * w) ** 2 * 4 * 3


def _estimate(model: nn.Module, first: Tensor, second: Tensor) -> Tensor:
    """Pad around, and cut the padding off the flow."""
    height, width = first.shape[-2:]
    down, right = (max(SMALLEST, -(-side // STRIDE) * STRIDE) - side for side in (height, width))
    top, left = down // 2, right // 2
    weight = next(model.parameters())

    def prepare(frames: Tensor) -> Tensor:
        return F.pad(frames * 2 - 1, (left, right - left, top, down - top), mode="replicate").to(weight)

    flow = model(prepare(first), prepare(second))[-1]
    return flow[..., top : top + height, left : left + width].float()


def _working_size(height: int, width: int) -> tuple[int, int]:
    shrink = min(1.0, math.sqrt(LARGEST / (height * width)))
    return round(height * shrink), round(width * shrink)


def _shrink(frames: Tensor, size: tuple[int, int]) -> Tensor:
    if tuple(frames.shape[-2:]) == size:
        return frames
    return F.interpolate(exact(frames), size, mode="bilinear", align_corners=False, antialias=True)
