"""Quantiles of whole pictures."""

from __future__ import annotations

from torch import Tensor


def nearest_rank(values: Tensor, share: float) -> Tensor:
    """The value that a share of those along the last axis do not exceed, one of them; ``torch.quantile`` takes at most
    16 million.

    Args:
        values: ``(..., n)``.
        share: [0, 1].

    Returns:
        ``(...)``.
    """
    count = max(1, round(share * values.shape[-1]))
    if values.device.type == "mps":  # whose kthvalue came late
        return values.sort(dim=-1).values[..., count - 1]
    return values.kthvalue(count, dim=-1).values
