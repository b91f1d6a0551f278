"""What the pack reads of the objects that the host passes it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import torch
from torch import Tensor

ConditionParts = dict[str, list[dict[str, Any]]]
"""A guider's own conditions by name, in the host's inner form."""


class Model(Protocol):
    """The host's MODEL, a ModelPatcher."""

    model: Any
    """The host's model itself, whose class says which family it is of."""
    load_device: torch.device
    model_options: dict[str, Any]

    def get_model_object(self, name: str) -> Any: ...


class Guider(Protocol):
    """The host's GUIDER, whatever node made it."""

    model_patcher: Model
    model_options: dict[str, Any]
    original_conds: ConditionParts
    sample: Callable[..., Tensor]


class SamplerObject(Protocol):
    """The host's SAMPLER, a KSAMPLER."""

    sampler_function: Any
    extra_options: dict[str, Any]
    inpaint_options: dict[str, Any]


class VisionOutput(Protocol):
    """The host's CLIP_VISION_OUTPUT."""

    penultimate_hidden_states: Tensor


class ClipVision(Protocol):
    """The host's CLIP_VISION."""

    model: torch.nn.Module

    def encode_image(self, image: Tensor, crop: bool) -> VisionOutput: ...
