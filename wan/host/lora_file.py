"""One LoRA file, read for the models of a run: what of it they take, and what not."""

from __future__ import annotations

import copy
import re
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

import comfy.lora
import comfy.lora_convert
import comfy.model_management
import comfy.utils
import folder_paths
import torch
from torch import Tensor

from ..identity import digest
from .checks import check_interrupt, describe_model

PART = re.compile(
    r"[._](?:lora_(?:up|down|mid|A|B)|lora\.(?:up|down)|lora_linear_layer\.(?:up|down)|hada_\w+|lokr_\w+|oft_blocks"
    r"|rescale|[ab][12]|[wb]_norm|alpha|dora_scale|diff(?:_b)?|(?:set|reshape)_weight)(?:\.default)?(?:\.weight)?$"
)
"""What stands behind the name of a layer in the names of a file's tensors."""


@dataclass(frozen=True)
class LoraFile:
    """A file's changes that a model or a text encoder takes."""

    patches: dict
    """As the host's ``add_patches`` takes them."""
    digest: str
    note: str
    """How much of the file is taken, for the report."""


def read_lora(name: str, model: Any, clip: Any) -> LoraFile:
    """Read a file below ``models/loras``.

    Args:
        model: the host's MODEL.
        clip: the host's CLIP, or None.

    Raises:
        ValueError: if there is no such file, it cannot be read, or nothing in it is of these models; names it.
    """
    check_interrupt()  # a large file takes seconds, and there may be many
    path = folder_paths.get_full_path("loras", name)
    if path is None:
        raise ValueError(
            f"lora_stack: there is no LoRA {name!r} in models/loras, nor in the folders that extra_model_paths.yaml "
            "adds. Put it there, or take it out of the stack."
        )
    targets = [model.model] if clip is None else [model.model, clip.cond_stage_model]
    keys = comfy.lora.model_lora_keys_unet(model.model, {})
    if clip is not None:
        keys = comfy.lora.model_lora_keys_clip(clip.cond_stage_model, keys)
    try:
        weights = comfy.utils.load_torch_file(path, safe_load=True)
        known = digest(weights)
        tensors = _Tensors(comfy.lora_convert.convert_lora(weights))
        found = comfy.lora.load_lora(tensors, keys)
    except (MemoryError, torch.cuda.OutOfMemoryError, comfy.model_management.InterruptProcessingException):
        raise
    except Exception as error:
        # What the host's readers raise of a broken file has no common kind; its own words may hold the whole path.
        raise ValueError(
            f"lora_stack: the LoRA {name!r} cannot be read ({type(error).__name__}): it is broken, cut short, or no "
            "LoRA. Download it again."
        ) from error
    if not all(torch.isfinite(_exact(tensor)).all() for tensor in tensors.values() if tensor.is_floating_point()):
        raise ValueError(f"lora_stack: the LoRA {name!r} holds NaN or infinite weights. Download it again.")
    names = [set(target.state_dict()) for target in targets]
    fits, misshapen = {}, 0
    foreign = len({PART.sub("", unread) for unread in tensors.keys() - tensors.read})
    for place, patch in found.items():
        key, offset, function = _parts(place)
        owner = next((target for target, known in zip(targets, names, strict=True) if key in known), None)
        if owner is None:
            foreign += 1
        elif applies(patch, logical_shape(owner, key), key, offset, function):
            fits[place] = patch
        else:
            misshapen += 1
    words = f"{misshapen} have another shape" if misshapen else ""
    words += (", " if words else "") + f"{foreign} are of layers that are not there" if foreign else ""
    total = len(fits) + misshapen + foreign
    if not fits:
        raise ValueError(
            f"lora_stack: none of the {total} weights of the LoRA {name!r} fit {describe_model(model)}"
            f"{'' if clip is None else ' or its text encoder'}: {words or 'it is empty'}. Load one that was made for "
            "this model, or take it out of the stack."
        )
    return LoraFile(fits, known, f"LoRA {name!r}: {len(fits)} of {total} weights fit" + (f"; {words}" if words else ""))


def _parts(place: Any) -> tuple[str, Any, Any]:
    """The key of a weight, its part that is changed, and a function of the host's; the host leaves out what is None."""
    if isinstance(place, str):
        return place, None, None
    key, offset, *function = place
    return key, offset, function[0] if function else None


class _Tensors(dict):
    """A file's tensors, and which of them the host has read."""

    def __init__(self, tensors: dict[str, Tensor]):
        super().__init__(tensors)
        self.read: set[str] = set()

    def __getitem__(self, name: str) -> Tensor:
        self.read.add(name)
        return super().__getitem__(name)

    def get(self, name: str, default: Any = None) -> Any:
        if name not in self:
            return default
        return self[name]


def _exact(tensor: Tensor) -> Tensor:
    return tensor.float() if tensor.element_size() == 1 else tensor  # of 8 bits, little can be asked


def logical_shape(model: torch.nn.Module, key: str) -> tuple[int, ...]:
    """The shape of a weight as the layer computes with it: a quantized one is stored in another."""
    layer_name, _, name = key.rpartition(".")
    layer = comfy.utils.get_attr(model, layer_name) if layer_name else model
    if name == "weight" and hasattr(layer, "in_features"):
        return attrgetter("out_features", "in_features")(layer)
    weight = getattr(layer, name)
    return tuple(getattr(weight, "tensor_shape", weight.shape))


def applies(patch: Any, shape: tuple[int, ...], key: str = "", offset: Any = None, function: Any = None) -> bool:
    """Whether the host's own arithmetic of a patch changes a weight of this shape; it only logs where it cannot.

    Args:
        patch: as ``comfy.lora.load_lora`` gives it.
        offset: dimension, start and length of the part that is changed, or None for all.
        function: of the host's, applied to the change, or None.
    """
    if hasattr(patch, "weights"):
        given, patch = patch.weights, copy.copy(patch)
        # Without their scale: shapes do not depend on it, and a tensor without values cannot be compared with it.
        patch.weights = tuple(0.0 if isinstance(part, float) else part for part in given)
        if patch.name == "lora" and offset is None and given[0].shape[0] != shape[0]:
            return given[5] is not None  # the host would bend a transposed one into shape
    with torch.inference_mode(False), torch.no_grad():
        weight = torch.empty(shape, device="meta")
        before = weight._version
        try:
            comfy.lora.calculate_weight([(1.0, patch, 1.0, offset, function)], weight, key)
        except (IndexError, RuntimeError, ValueError):
            return False
        return weight._version > before
