"""What a chunk is made from, in a form that can be compared: digests of models, pictures, prompts and numbers."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, is_dataclass
from fractions import Fraction
from functools import partial
from hashlib import sha256
from pathlib import PurePath
from types import FunctionType, MethodType
from typing import Any

import torch
from torch import Tensor

from ..state import ChunkState
from .plain import to_plain

VERSION = "0.1.0"
"""Of the pack, for people; no chunk is regenerated because of it."""
RESULTS = 1
"""Counts what chunks may look like: raise it with every change after which the same inputs may make other frames or
another latent (plan, noise, guidance, sampling, encoding, joining, colors, what a seam's measure decides), and with no
other. Kept chunks of another number are regenerated. 0.1.0 had none."""
EXACT = (complex, range, slice, Fraction, PurePath, torch.dtype, torch.device)
"""Kinds of values that their own notation tells apart."""
DEEPEST = 6
"""Steps from a model's options to the values in them that are followed."""
SMALL_MODULE = 10_000_000
"""Numbers of a module, put on a model by a node, up to which all of them are compared."""
SAMPLES = 16
"""Numbers of each weight that a model is known by: all of them would take minutes for the large ones."""


def digest(*values: Any) -> str:
    """A digest of plain values, tensors, and containers of them."""
    found = sha256()
    for value in values:
        _feed(found, value)
    return found.hexdigest()


def _feed(found, value: Any) -> None:
    """Add a value to a digest: what kind it is and how much, so that no two values are the same row of bytes."""
    if isinstance(value, Tensor):
        plain = value.detach().cpu().contiguous()
        found.update(f"{plain.dtype}{tuple(plain.shape)}".encode())
        found.update(plain.reshape(-1).view(torch.uint8).numpy().tobytes() if plain.numel() else b"")
    elif isinstance(value, Mapping):
        found.update(f"{{{len(value)}".encode())
        for key in sorted(value, key=lambda key: (str(key), type(key).__name__)):
            _feed(found, key)
            _feed(found, value[key])
    elif not isinstance(value, type) and is_dataclass(value):
        found.update(f"{type(value).__qualname__};".encode())
        _feed(found, {name: getattr(value, name) for name in value.__dataclass_fields__})
    elif isinstance(value, (list, tuple)):
        found.update(f"[{len(value)}".encode())
        for item in value:
            _feed(found, item)
    elif isinstance(value, (set, frozenset)):
        _feed(found, sorted(value, key=repr))
    elif value is None or isinstance(value, (str, int, float, bool)):
        found.update(f"{json.dumps(value)};".encode())
    elif isinstance(value, (bytes, bytearray)):
        found.update(f"b{len(value)}".encode() + bytes(value))
    elif isinstance(value, EXACT):
        found.update(f"{type(value).__name__}{value!r};".encode())
    elif hasattr(value, "dtype") and hasattr(value, "tobytes"):  # NumPy's
        found.update(f"{value.dtype}{value.shape}".encode() + value.tobytes())
    else:
        # An object of the host's or of another pack: by its kind, for its address is another in every run.
        found.update(f"{type(value).__module__}.{type(value).__qualname__};".encode())
        kinds = (Tensor, str, int, float)
        _feed(found, {name: item for name, item in getattr(value, "__dict__", {}).items() if isinstance(item, kinds)})
        _feed(found, [item for item in getattr(value, "weights", None) or () if item is not None])


def identify_weights(named: Iterable[tuple[str, Tensor]], backup: Mapping[str, Any] | None = None) -> str:
    """A digest of some numbers of each weight; those that a patch replaced are taken from the host's ``backup``."""
    found = sha256()
    for name, weight in named:
        if backup and name in backup:
            weight = backup[name].weight
        part = weight.detach().reshape(-1)
        part = torch.cat((part[:SAMPLES], part[-SAMPLES:])).cpu().contiguous()
        found.update(f"{json.dumps(name)}{tuple(weight.shape)}{part.dtype}".encode())
        found.update(part.view(torch.uint8).numpy().tobytes())
    return found.hexdigest()


def identify_model(patcher: Any) -> str:
    """A digest of a host's MODEL: weights, LoRAs of other nodes, and what nodes such as ModelSamplingSD3 changed."""
    weights = identify_weights(patcher.model.named_parameters(), patcher.backup)
    changes = [patcher.object_patches, patcher.model_options, patcher.wrappers, patcher.callbacks]
    return digest(weights, patcher.patches, *(_plain(change) for change in changes))


def _plain(value: Any, depth: int = 0) -> Any:
    """What nodes put on a model, in values: functions by name and by what they close over, modules by their numbers."""
    if value is None or isinstance(value, (str, int, float, bool, Tensor)):
        return value
    if depth > DEEPEST:
        return type(value).__qualname__
    if isinstance(value, Mapping):
        return {str(key): _plain(item, depth + 1) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item, depth + 1) for item in value]
    if isinstance(value, (set, frozenset)):
        return sorted(map(str, value))
    found: list[Any] = [getattr(value, "__qualname__", type(value).__qualname__)]
    if isinstance(value, FunctionType):
        closed = [cell.cell_contents for cell in value.__closure__ or () if _is_filled(cell)]
        found += [_plain(item, depth + 1) for item in (*(value.__defaults__ or ()), *closed)]
    elif isinstance(value, partial):
        found += [_plain(item, depth + 1) for item in (value.func, value.args, value.keywords)]
    elif isinstance(value, MethodType):
        found.append(_plain(value.__self__, depth + 1))
    elif isinstance(value, torch.nn.Module):
        if sum(weight.numel() for weight in value.parameters()) < SMALL_MODULE:
            found += [list(value.named_parameters()), list(value.named_buffers())]
        found.append(_attributes(value, depth))
    elif not isinstance(value, type):
        found.append(_attributes(value, depth))
    return found


def _attributes(value: Any, depth: int) -> dict[str, Any]:
    """Attributes that are values themselves; a module's own machinery and references to whole models are none."""
    plain = (str, int, float, bool, Tensor, list, tuple)
    return {
        name: _plain(item, depth + 1)
        for name, item in getattr(value, "__dict__", {}).items()
        if isinstance(item, plain) and not name.startswith("_")
    }


def _is_filled(cell: Any) -> bool:
    try:
        cell.cell_contents  # noqa: B018  an empty one raises
    except ValueError:
        return False
    return True


def fingerprint_chunk(state: ChunkState, **more: Any) -> dict[str, Any]:
    """What the next chunk of a state is made from, besides the chunk before it.

    Args:
        more: what it depends on besides: models, prompts, seeds.
    """
    chunk, plan = state.next_chunk, state.plan
    settings = asdict(state.settings)
    if chunk.index == 0:
        settings = {}  # what ties chunks together says nothing to the first
        picture = digest(state.start)
    else:
        picture = digest(state.scene_image(chunk)) if state.settings.color_anchor or not chunk.overlap else ""
    return {
        "results": RESULTS,
        "attempt": state.attempt_at(chunk.index),
        "chunk": {"start": chunk.start, "length": chunk.length, "overlap": chunk.overlap, "adds": plan.added(chunk)},
        "settings": {
            name: sorted(value) if isinstance(value, (set, frozenset)) else value for name, value in settings.items()
        },
        "size": list(state.start.shape[-2:]),
        "picture": picture,
        "end": digest(state.end_of(chunk)),
        "region": digest(state.region) if chunk.overlap else "",
        "prompt": to_plain(plan.chunk_prompt(chunk)),
        **more,
    }
