"""What operations of torch do on a card: which give Python a value or a size, and which meet the wrong device."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

INDEXED = (torch.ops.aten.index.Tensor, torch.ops.aten.index_put.default, torch.ops.aten.index_put_.default)
ALLOCATIONS = {"detach", "empty", "empty_like", "empty_strided", "lift_fresh", "new_empty", "new_empty_strided"}
UNSAFE_VIEWS = {"_unsafe_view", "_reshape_alias", "_reshape_copy"}
"""Views that their schema does not call so."""
NOTHING = ALLOCATIONS | UNSAFE_VIEWS


def gives_value(func: Any) -> bool:
    """Whether Python gets a value of a tensor."""
    return torch.Tag.data_dependent_output in func.tags


def gives_size(func: Any, args: tuple) -> bool:
    """Whether the size of the result depends on values."""
    if func in INDEXED:
        return func is INDEXED[0] and any(index is not None and index.dtype == torch.bool for index in args[1])
    return torch.Tag.dynamic_output_shape in func.tags


def dtype_of(func: Any, tensor: Tensor) -> torch.dtype:
    """Of what has a size that depends on the values of ``tensor``."""
    return torch.int64 if "nonzero" in str(func) else tensor.dtype


def check_devices(func: Any, args: tuple, tensors: list[Tensor]) -> None:
    """Errors of a card that fake tensors let pass."""
    if gives_value(func) and len({tensor.device for tensor in tensors}) > 1:
        raise RuntimeError("reads tensors on different devices")
    if func not in INDEXED or args[0].device.type == "cuda":
        return
    if any(index is not None and index.device.type == "cuda" for index in args[1]):
        raise RuntimeError("indices on a card into a tensor on the CPU")
