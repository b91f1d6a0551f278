"""Families of models, each conditioned in its own way. A new one is a module here and a line in ``FAMILIES``."""

from __future__ import annotations

from typing import Any

from ..protocols import Family
from .i2v import WAN_I2V
from .products import name_model
from .vace import WAN_VACE

FAMILIES: tuple[Family, ...] = (WAN_I2V, WAN_VACE)


def find_family(model: Any, name: str = "model") -> Family:
    """The family that the host's MODEL of input ``name`` is of.

    Raises:
        ValueError: if it is of none.
    """
    for family in FAMILIES:
        if family.takes(model):
            return family
    expected = _any_of([each for family in FAMILIES for each in family.expected])
    files = _any_of([each for family in FAMILIES for each in family.files])
    raise ValueError(f"{name}: expected {expected}, got {name_model(model)}. Load a file such as {files}.")


def _any_of(names: list[str]) -> str:
    return f"{', '.join(names[:-1])} or {names[-1]}"
