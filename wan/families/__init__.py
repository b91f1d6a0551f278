"""Families of models, each conditioned in its own way. A new one is a module here and a line in ``FAMILIES``."""

from __future__ import annotations

from typing import Any

from ..protocols import Family
from .i2v import WAN_I2V
from .vace import WAN_VACE

FAMILIES: tuple[Family, ...] = (WAN_I2V, WAN_VACE)


def find_family(model: Any, name: str = "model") -> Family:
    """The family that the host's MODEL of input ``name`` is of.

    Raises:
        ValueError: if it is of none.
    """
    refusals = []
    for family in FAMILIES:
        refusal = family.refusal(model)
        if refusal is None:
            return family
        refusals.append(f"expected {family.expected}, got {refusal}")
    raise ValueError(f"{name}: {'; or '.join(refusals)}")
