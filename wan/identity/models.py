"""The host's models as trees, known by what they have: MODEL, CLIP, GUIDER, and what they are made of.

The modules of a base model are known by their place in it and by a part of its weights: what packs write onto live
modules differs before and after sampling.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from .live import WeakIds
from .tensors import read_weights
from .trees import Branch, Tree, describe

if TYPE_CHECKING:
    from .walk import Walk

PATCHER = {"model", "patches", "object_patches", "model_options"}
CLIP = {"cond_stage_model", "patcher", "tokenizer"}
GUIDER = {"model_patcher", "original_conds"}
RUNNING = {"model", "size", "backup", "backup_buffers", "object_patches_backup", "load_device", "offload_device"}
RUNNING |= {"weight_inplace_update", "patches_uuid", "pinned", "is_injected", "skip_injection", "hook_patches_backup"}
RUNNING |= {"hook_backup", "cached_hook_patches", "current_hooks", "hook_mode", "cached_patcher_init", "parent"}
RUNNING |= {"clone_base_uuid", "is_multigpu_base_clone", "non_dynamic_delegate_model"}
"""Attributes of the host's ModelPatcher that say where a model is and what is loaded, not what it makes."""
VAE = {"first_stage_model", "patcher", "vae_dtype"}
COMPUTING = {"vae_dtype", "working_dtypes", "device", "output_device", "disable_offload", "size"}
COMPUTING |= {"memory_used_encode", "memory_used_decode"}
"""Attributes of a VAE that the host sets by the graphics card and by options such as --fp32-vae."""
SAMPLED = {"model_options", "conds", "inner_model", "loaded_models"}
"""Attributes of a guider that sampling leaves behind; its options are those of its model."""
CONFIG = ("unet_config", "sampling_settings", "optimizations", "manual_cast_dtype", "scaled_fp8", "quant_config")
"""Attributes of a model's configuration by which its layers compute in another way."""


@dataclass
class _Base:
    """A model that patches are put on."""

    weights: str = ""
    cast: bool = False
    """Whether the host chooses in which floating-point type the weights are loaded."""


_places: WeakIds[tuple[str, _Base]] = WeakIds()
"""Where each module is in a base model."""


def _has(value: Any, names: set[str]) -> bool:
    try:
        own = object.__getattribute__(value, "__dict__")
    except AttributeError:
        return False
    return isinstance(own, dict) and names <= own.keys()


def is_patcher(value: Any) -> bool:
    """Whether a value is the host's ModelPatcher: a MODEL, or what is in a CLIP, VAE, OPTICAL_FLOW."""
    return _has(value, PATCHER) and isinstance(vars(value)["model"], torch.nn.Module)


def register(value: Any, walk: Walk) -> None:
    """Know the modules of a model by their places in it, before they are found elsewhere."""
    if is_patcher(value):
        _base_of(value, walk)
    elif _is_vae(value):
        _base_of(value.patcher, walk, cast=True)


def _is_vae(value: Any) -> bool:
    return _has(value, VAE) and is_patcher(vars(value)["patcher"])


def read_special(value: Any) -> Callable[[Any, Walk], Tree] | None:
    """What reads an object of the host's that is more than its attributes; None for others."""
    if is_patcher(value):
        return read_patcher
    if _has(value, GUIDER):
        return read_guider
    if _is_vae(value):
        return read_vae
    return read_clip if _has(value, CLIP) else None


def part_of(module: torch.nn.Module) -> Tree | None:
    """A module of a base model by its place there; None for others."""
    found = _places.get(module)
    return None if found is None else f"module {found[0]} of {found[1].weights}".encode()


def read_patcher(patcher: Any, walk: Walk) -> Tree:
    """Weights, LoRAs, hooks and wrappers of a model, and what nodes such as ModelSamplingSD3 changed."""
    base, model = _base_of(patcher, walk), patcher.model
    config = getattr(model, "model_config", None)
    settings = {name: getattr(config, name) for name in CONFIG if getattr(config, name, None) is not None}
    replaced = getattr(patcher, "object_patches_backup", {})
    sampling = replaced.get("model_sampling", vars(model).get("_modules", {}).get("model_sampling"))
    items = [("weights", base.weights.encode()), ("model", walk.read(type(model))), ("config", walk.read(settings))]
    if isinstance(sampling, torch.nn.Module):
        from .objects import read_module

        items.append(("model_sampling", read_module(sampling, walk)))
    parts = {name: value for name, value in vars(patcher).items() if name not in RUNNING}
    return Branch("model", (*items, *((name, walk.read(value)) for name, value in sorted(parts.items()))))


def read_guider(guider: Any, walk: Walk) -> Tree:
    """A guider by its model and all its attributes but those that sampling leaves behind."""
    from .objects import read_parts

    return read_parts(guider, guider_settings(guider) | {"model_patcher": guider.model_patcher}, walk)


def guider_settings(guider: Any) -> dict[str, Any]:
    """The attributes of a guider besides its model."""
    return {name: value for name, value in vars(guider).items() if name not in SAMPLED | {"model_patcher"}}


def read_clip(clip: Any, walk: Walk) -> Tree:
    """A text encoder by its model and options; of its tokenizer, which reads files of the host's, the class."""
    from .objects import read_parts

    parts = {name: value for name, value in vars(clip).items() if name != "cond_stage_model"}
    return read_parts(clip, parts | {"tokenizer": type(clip.tokenizer)}, walk)


def read_vae(vae: Any, walk: Walk) -> Tree:
    """A VAE by its weights, whatever type they are loaded in, and how it prepares pictures."""
    from .objects import read_parts

    register(vae, walk)
    return read_parts(vae, {name: value for name, value in vars(vae).items() if name not in COMPUTING}, walk)


def _base_of(patcher: Any, walk: Walk, cast: bool = False) -> _Base:
    """The base of a patcher, with its modules' places and a digest of its weights as they are without patches."""
    known = _places.get(patcher.model)
    base = known[1] if known else _Base()
    new_kind, base.cast = cast and not base.cast, cast or base.cast
    if known and not new_kind and (not walk.follow or id(patcher.model) in walk.bases):
        return base
    replaced = getattr(patcher, "object_patches_backup", {})
    named: list[tuple[str, Tensor]] = []
    waiting, met = [("", patcher.model)], set()
    while waiting:
        prefix, module = waiting.pop()
        met.add(id(module))
        _places.put(module, (prefix, base))
        dotted = f"{prefix}." if prefix else ""
        for name, weight in module._parameters.items():
            weight = replaced.get(dotted + name, weight)
            if isinstance(weight, Tensor):
                named.append((dotted + name, weight))
        for name, child in module._modules.items():
            child = replaced.get(dotted + name, child)
            if isinstance(child, torch.nn.Module) and id(child) not in met:
                waiting.append((dotted + name, child))
    backup = {name: _Original(weight) for name, (weight, *_) in (getattr(patcher, "hook_backup", None) or {}).items()}
    weights = read_weights(sorted(named, key=lambda item: item[0]), backup | patcher.backup, cast=base.cast)
    base.weights = describe(weights)[0]
    walk.bases.add(id(patcher.model))
    return base


@dataclass
class _Original:
    weight: Tensor
