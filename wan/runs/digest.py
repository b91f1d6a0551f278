"""Digests of whatever a chunk is made from."""

from __future__ import annotations

from typing import Any

from .tensors import identify_weights
from .walk import describe_values

__all__ = ["digest", "identify_weights"]


def digest(*values: Any) -> str:
    """A digest of any values: equal for equal ones, in every process; see :func:`~wan.runs.identity.identify`."""
    return describe_values(values)[0]
