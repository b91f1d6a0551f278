"""Results brought home from the device that they were worked out on."""

from __future__ import annotations

import torch
from torch import Tensor


def to_device(device: torch.device, *tensors: Tensor) -> tuple[Tensor, ...]:
    """Tensors of one device on another, in one copy: each copy from a card waits for all that it has still to do.

    Args:
        tensors: floating point, integers below 2^24, or bool; any shapes.

    Returns:
        The same in the same order; those that are on the device already as they are.
    """
    if all(tensor.device == device for tensor in tensors):
        return tensors
    kind = torch.float64 if any(tensor.dtype == torch.float64 for tensor in tensors) else torch.float32
    packed = torch.cat([tensor.detach().to(kind).flatten() for tensor in tensors]).to(device)
    parts = packed.split([tensor.numel() for tensor in tensors])
    return tuple(part.view(tensor.shape).to(tensor.dtype) for part, tensor in zip(parts, tensors, strict=True))
