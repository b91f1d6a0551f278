"""Digests of whatever a chunk is made from: values, containers of them, and what nodes put on a model."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, fields, is_dataclass, replace
from enum import Enum
from fractions import Fraction
from functools import partial, singledispatch
from hashlib import sha256
from pathlib import PurePath
from types import FunctionType, MethodType
from typing import Any

import numpy as np
import torch
from torch import Tensor

REACH, MODEL_REACH = 1, 6
"""Objects that are looked into, one in another: among values, and in what nodes put on a model."""
SMALL_MODULE = 10_000_000
"""Numbers of a module, put on a model by a node, up to which all of them are compared."""
SAMPLES = 16
"""Numbers of each weight that a model is known by: all of them would take minutes for the large ones."""


def digest(*values: Any, reach: int = REACH, private: bool = True) -> str:
    """A digest of any values: equal for equal ones, in every process.

    Numbers, texts, tensors, dataclasses and containers are taken in whole. Functions are known by name and by what they
    close over, other objects by kind and by their attributes, modules by their numbers.

    Args:
        reach: objects that are looked into, one in another; those in the last ones are known by kind alone.
        private: whether attributes whose names begin with ``_`` count.
    """
    walk = _Walk(sha256(), reach, private)
    for value in values:
        _feed(value, walk)
    return walk.found.hexdigest()


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
    changes = (patcher.object_patches, patcher.model_options, patcher.wrappers, patcher.callbacks)
    return digest(weights, patcher.patches, *changes, reach=MODEL_REACH, private=False)


@dataclass(frozen=True)
class _Walk:
    """What a digest is made of so far, and where in its values the walk is."""

    found: Any
    reach: int
    private: bool = True
    """Whether an object's attributes whose names begin with ``_`` count: on a model they are its running state."""
    path: tuple[int, ...] = ()
    """``id`` of each value that the current one is in: some hold themselves."""

    def write(self, text: str, content: bytes = b"") -> None:
        self.found.update(text.encode() + content)

    def enter(self, value: Any, kind: str, items: Callable[[], Iterable[Any]], *, cost: int = 0) -> None:
        """Take in what kind a value is, how much it holds and what, so that no two values are the same row of bytes."""
        if id(value) in self.path:
            self.write(f"{kind} is {self.path.index(id(value))};")
        elif self.reach < cost:
            self.write(f"{kind} far;")
        else:
            held = list(items())
            self.write(f"{kind} of {len(held)};")
            inner = replace(self, reach=self.reach - cost, path=(*self.path, id(value)))
            for item in held:
                _feed(item, inner)


@singledispatch
def _feed(value: Any, walk: _Walk) -> None:
    """Take a value in. What no other function takes is an object of the host's or of another pack: it goes by name, for
    its address is another in every run and its module's name may hold the folder that the pack lies in."""
    if is_dataclass(value):
        walk.enter(value, _name(value), lambda: [(field.name, getattr(value, field.name)) for field in fields(value)])
    else:
        walk.enter(value, _name(value), lambda: [_attributes(value, walk.private)], cost=1)


@_feed.register(type(None))
@_feed.register(str)
@_feed.register(int)
@_feed.register(float)
def _(value: Any, walk: _Walk) -> None:
    walk.write(f"{json.dumps(value)};")


@_feed.register(complex)
@_feed.register(range)
@_feed.register(slice)
@_feed.register(Fraction)
@_feed.register(PurePath)
@_feed.register(torch.dtype)
@_feed.register(torch.device)
def _(value: Any, walk: _Walk) -> None:  # their own notation tells them apart
    walk.write(f"{_name(value)} {value!r};")


@_feed.register
def _(value: Enum, walk: _Walk) -> None:
    walk.write(f"{_name(value)} {value.name};")


@_feed.register
def _(value: type, walk: _Walk) -> None:
    walk.write(f"{_name(value)};")


@_feed.register(bytes)
@_feed.register(bytearray)
def _(value: bytes | bytearray, walk: _Walk) -> None:
    walk.write(f"bytes {len(value)};", bytes(value))


@_feed.register
def _(value: Tensor, walk: _Walk) -> None:
    plain = value.detach().cpu().contiguous()
    content = plain.reshape(-1).view(torch.uint8).numpy().tobytes() if plain.numel() else b""
    walk.write(f"{plain.dtype} {tuple(plain.shape)};", content)


@_feed.register(np.ndarray)
@_feed.register(np.generic)
def _(value: np.ndarray | np.generic, walk: _Walk) -> None:
    walk.write(f"numpy {value.dtype} {value.shape};", value.tobytes())


@_feed.register(list)
@_feed.register(tuple)
def _(value: list | tuple, walk: _Walk) -> None:
    walk.enter(value, "[", lambda: value)


@_feed.register
def _(value: Set, walk: _Walk) -> None:
    walk.enter(value, "(", lambda: sorted(map(digest, value)))


@_feed.register
def _(value: Mapping, walk: _Walk) -> None:
    walk.enter(value, "{", lambda: sorted(value.items(), key=lambda item: digest(item[0])))


@_feed.register
def _(value: FunctionType, walk: _Walk) -> None:
    walk.enter(value, _name(value), lambda: _closed_over(value), cost=1)


@_feed.register
def _(value: MethodType, walk: _Walk) -> None:
    walk.enter(value, _name(value), lambda: [value.__self__], cost=1)


@_feed.register
def _(value: partial, walk: _Walk) -> None:
    walk.enter(value, _name(value), lambda: [value.func, value.args, value.keywords], cost=1)


@_feed.register
def _(value: torch.nn.Module, walk: _Walk) -> None:
    walk.enter(value, _name(value), lambda: [*_numbers(value), _attributes(value, False)], cost=1)


def _name(value: Any) -> str:
    return getattr(value, "__qualname__", type(value).__qualname__)


def _closed_over(function: FunctionType) -> Iterator[Any]:
    """Defaults and closure of a function: what tells it from others of its name."""
    yield from function.__defaults__ or ()
    yield function.__kwdefaults__
    for cell in function.__closure__ or ():
        try:
            yield cell.cell_contents
        except ValueError:  # an empty one
            yield None


def _numbers(module: torch.nn.Module) -> list[list[tuple[str, Tensor]]]:
    """A module's parameters and buffers, unless there are too many of them."""
    if sum(weight.numel() for weight in module.parameters()) >= SMALL_MODULE:
        return []
    return [list(module.named_parameters()), list(module.named_buffers())]


def _attributes(value: Any, private: bool) -> dict[str, Any]:
    """Attributes that are values themselves; a module's own machinery and references to whole models are none."""
    kinds = (str, int, float, Tensor, list, tuple)
    return {
        name: item
        for name, item in getattr(value, "__dict__", {}).items()
        if isinstance(item, kinds) and (private or not name.startswith("_"))
    }
