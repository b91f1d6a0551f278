"""RAFT (Teed and Deng 2020), as torchvision has it."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

STRIDE, SMALLEST = 8, 128
"""Pixels: sides are padded to a multiple of the first, and to no less than the second, which its correlation pyramid
needs."""


def build_raft(weights: dict[str, Tensor]) -> nn.Module:
    """RAFT large or small in evaluation mode, from torchvision's state dict of either.

    Raises:
        ValueError: if the weights are another model's.
    """
    from torchvision.models.optical_flow import raft_large, raft_small

    if "feature_encoder.convnormrelu.0.weight" not in weights:
        raise ValueError("These are no weights of torchvision's RAFT; take raft_large or raft_small.")
    large = any(name.startswith("mask_predictor.") for name in weights)  # the small one upsamples without
    model = (raft_large if large else raft_small)(weights=None)
    model.load_state_dict(weights)
    return model.eval()


def estimate_raft(model: nn.Module, first: Tensor, second: Tensor) -> Tensor:
    """Flow by RAFT, on the model's device and in its precision.

    Args:
        first: ``(N, 3, H, W)`` RGB in [0, 1].
        second: ``(N, 3, H, W)``.

    Returns:
        ``(N, 2, H, W)`` pixels, float32, on the device of ``first``.
    """
    height, width = first.shape[-2:]
    down, right = (max(SMALLEST, -(-side // STRIDE) * STRIDE) - side for side in (height, width))
    top, left = down // 2, right // 2
    weight = next(model.parameters())

    def prepare(frames: Tensor) -> Tensor:
        padded = F.pad(frames * 2 - 1, (left, right - left, top, down - top), mode="replicate")
        return padded.to(weight)

    with torch.inference_mode():
        flow = model(prepare(first), prepare(second))[-1]
    return flow[..., top : top + height, left : left + width].to(first.device, torch.float32)
