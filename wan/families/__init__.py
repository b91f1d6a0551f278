"""Families of models, each conditioned in its own way. A new one is a module here and a line in ``FAMILIES``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..protocols import Family
from .i2v import WAN_I2V
from .products import name_model
from .vace import WAN_VACE

if TYPE_CHECKING:
    from ..state import ChunkState

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


def check_start(state: ChunkState, family: Family) -> None:
    """Raise ValueError unless a family can make the video that a state plans, before anything of it is made."""
    kinds = _any_of(family.expected)
    if not len(state.start):
        if not family.starts_from_prompt:
            raise ValueError(
                f"start_image: {kinds} models start from a picture or a video. Connect start_image or source; Wan VACE "
                "models alone start from a prompt."
            )
        if state.settings.color_anchor:
            raise ValueError("color_anchor: without start_image there are no colors to lead back to. Set it to 0.")
    if state.reference is not None and not family.takes_reference:
        raise ValueError(f"reference_image: {kinds} models take none, Wan VACE models do. Disconnect it.")


def _any_of(names: Sequence[str]) -> str:
    return " or ".join(filter(None, (", ".join(names[:-1]), names[-1])))
