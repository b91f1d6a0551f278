"""How each kind of value is read; what has no reader of its own is an object.

No code of a value's own runs: attributes are read where they are stored, not as properties.
"""

from __future__ import annotations

import json
import logging
import re
import uuid
import weakref
from collections import ChainMap, deque
from collections.abc import Set
from datetime import date, time, timedelta
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from functools import cached_property, lru_cache, partial, singledispatch
from hashlib import sha256
from pathlib import PurePath
from types import (
    BuiltinFunctionType,
    ClassMethodDescriptorType,
    CodeType,
    FunctionType,
    GetSetDescriptorType,
    MappingProxyType,
    MemberDescriptorType,
    MethodDescriptorType,
    MethodType,
    MethodWrapperType,
    ModuleType,
    WrapperDescriptorType,
)
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from .functions import read_class, read_code, read_function
from .models import read_special
from .objects import name_of, read_object
from .tensors import read_tensor
from .trees import Branch, Tree

if TYPE_CHECKING:
    from .walk import Walk


LONG = 4096
"""Bytes from which on a tree has their digest in their place, and bits from which on a number is written in hex."""


def _last_part(name: Any) -> str:
    """The last part of a module's name: that of a pack is the folder that it lies in."""
    return re.split(r"[/\\\\]", str(name))[-1]


def label_of(key: Any) -> str:
    if isinstance(key, Enum):
        return key.name
    if isinstance(key, str):
        return key
    plain = isinstance(key, (int, float)) or (
        isinstance(key, tuple) and all(isinstance(part, (str, int, float)) for part in key)
    )
    return f"[{key!r}]" if plain else f"[{name_of(key)}]"


@singledispatch
def read_value(value: Any, walk: Walk) -> Tree:
    return walk.live(value, read_special(value) or read_object)


@read_value.register(type(None))
@read_value.register(str)
@read_value.register(int)
@read_value.register(float)
def _(value: Any, walk: Walk) -> Tree:
    long = isinstance(value, int) and int.bit_length(value) > LONG  # Python refuses to write it in decimal
    return (hex(value) if long else json.dumps(value)).encode()


@read_value.register(complex)
@read_value.register(range)
@read_value.register(slice)
@read_value.register(Fraction)
@read_value.register(Decimal)
@read_value.register(date)
@read_value.register(time)
@read_value.register(timedelta)
@read_value.register(PurePath)
@read_value.register(np.dtype)
@read_value.register(torch.dtype)
@read_value.register(torch.layout)
@read_value.register(torch.memory_format)
@read_value.register(type(...))
@read_value.register(type(NotImplemented))
def _(value: Any, walk: Walk) -> Tree:  # their own notation tells them apart
    return f"{name_of(value)} {value!r}".encode("utf-8", "surrogatepass")


@read_value.register(torch.device)
def _(value: torch.device, walk: Walk) -> Tree:  # says where something is, not what
    return b"a device"


@read_value.register(bytes)
@read_value.register(bytearray)
def _(value: bytes | bytearray, walk: Walk) -> Tree:
    return b"bytes " + (bytes(value) if len(value) < LONG else sha256(value).digest())


@read_value.register(Enum)
def _(value: Enum, walk: Walk) -> Tree:
    return walk.inside(value, f"{name_of(type(value))}.{value.name}", lambda: [("", value._value_)])


@read_value.register(uuid.UUID)
def _(value: uuid.UUID, walk: Walk) -> Tree:  # names of things, new in every process
    return b"a unique name"


@read_value.register(re.Pattern)
def _(value: re.Pattern, walk: Walk) -> Tree:
    return walk.inside(value, "pattern", lambda: [("text", value.pattern), ("flags", value.flags)])


@read_value.register(Tensor)
def _(value: Tensor, walk: Walk) -> Tree:
    return read_tensor(value)


@read_value.register(np.ndarray)
@read_value.register(np.generic)
def _(value: Any, walk: Walk) -> Tree:
    if value.dtype.hasobject:
        return walk.inside(value, f"numpy {value.shape}", lambda: [("", value.tolist())])
    return f"numpy {value.dtype} {value.shape};".encode() + sha256(value.tobytes()).digest()


@read_value.register(list)
@read_value.register(tuple)
@read_value.register(deque)
def _(value: Any, walk: Walk) -> Tree:
    return walk.inside(value, "[", lambda: ((f"[{at}]", item) for at, item in enumerate(value)))


@read_value.register(Set)
def _(value: Set, walk: Walk) -> Tree:
    if not isinstance(value, (set, frozenset, weakref.WeakSet, type({}.keys()))):
        return walk.live(value, read_object)
    return walk.inside(value, "(", lambda: (("", item) for item in value), ordered=False)


@read_value.register(dict)
@read_value.register(MappingProxyType)
@read_value.register(ChainMap)
@read_value.register(weakref.WeakKeyDictionary)
@read_value.register(weakref.WeakValueDictionary)
def _(value: Any, walk: Walk) -> Tree:
    found = walk.mapping(value, "{")
    if type(value) is not dict and type(value).__module__ not in ("collections", "weakref", "builtins"):
        more = walk.mapping(vars(value), "attributes") if getattr(value, "__dict__", None) else b""
        return Branch(name_of(value), (("", found), ("", more)))
    return found


@read_value.register(FunctionType)
def _(value: FunctionType, walk: Walk) -> Tree:
    return walk.live(value, read_function)


@read_value.register(type)
def _(value: type, walk: Walk) -> Tree:
    return walk.live(value, read_class)


@read_value.register(CodeType)
def _(value: CodeType, walk: Walk) -> Tree:
    return read_code(value)


@read_value.register(MethodType)
def _(value: MethodType, walk: Walk) -> Tree:
    return walk.inside(value, "method", lambda: [("", value.__func__), ("__self__", value.__self__)])


@read_value.register(partial)
def _(value: partial, walk: Walk) -> Tree:
    held = [("func", value.func), ("args", value.args), ("keywords", value.keywords), ("", vars(value))]
    return walk.inside(value, "partial", lambda: held)


@read_value.register(BuiltinFunctionType)
def _(value: BuiltinFunctionType, walk: Walk) -> Tree:
    owner = value.__self__
    if owner is None or isinstance(owner, (ModuleType, type)) or type(owner).__name__.startswith("pybind11_detail"):
        return f"{name_of(value)}".encode()
    return walk.inside(value, name_of(value), lambda: [("__self__", owner)])


@read_value.register(staticmethod)
@read_value.register(classmethod)
def _(value: Any, walk: Walk) -> Tree:
    return walk.inside(value, name_of(type(value)), lambda: [("", value.__func__)])


@read_value.register(property)
def _(value: property, walk: Walk) -> Tree:
    return walk.inside(value, "property", lambda: [("get", value.fget), ("set", value.fset)])


@read_value.register(cached_property)
def _(value: cached_property, walk: Walk) -> Tree:  # before Python 3.12 it holds a lock
    return walk.inside(value, "cached property", lambda: [("", value.func)])


@read_value.register(torch.jit.ScriptFunction)
def _(value: Any, walk: Walk) -> Tree:
    return f"script {value.code}".encode()


@read_value.register(ModuleType)
def _(value: ModuleType, walk: Walk) -> Tree:
    return f"module {_last_part(vars(value).get('__name__'))}".encode()


@read_value.register(logging.Logger)
def _(value: logging.Logger, walk: Walk) -> Tree:
    return f"logger {_last_part(value.name)}".encode()


@read_value.register(WrapperDescriptorType)
@read_value.register(MethodDescriptorType)
@read_value.register(ClassMethodDescriptorType)
@read_value.register(GetSetDescriptorType)
@read_value.register(MemberDescriptorType)
def _(value: Any, walk: Walk) -> Tree:
    return f"builtin {value.__qualname__}".encode()


@read_value.register(MethodWrapperType)
def _(value: MethodWrapperType, walk: Walk) -> Tree:
    return walk.inside(value, f"builtin {value.__qualname__}", lambda: [("__self__", value.__self__)])


@read_value.register(type(lru_cache(len)))
def _(value: Any, walk: Walk) -> Tree:  # what it remembers follows from the function
    return walk.inside(value, "cached", lambda: [("", value.__wrapped__)])


@read_value.register(weakref.ReferenceType)
def _(value: weakref.ReferenceType, walk: Walk) -> Tree:
    return walk.inside(value, "weak", lambda: [("", value())])
