"""Objects as trees: their class and their attributes, private ones included."""

from __future__ import annotations

from types import BuiltinFunctionType, FunctionType, MemberDescriptorType
from typing import TYPE_CHECKING, Any

import torch

from .live import serial_of
from .models import part_of, register
from .trees import Branch, Tree, Unknown

if TYPE_CHECKING:
    from .walk import Walk

MACHINERY = {*vars(torch.nn.Module()), "training"} - {"_forward_hooks", "_forward_pre_hooks"}
"""Attributes of every module of PyTorch."""
POINTER = object.__basicsize__ // 2


def name_of(value: Any) -> str:
    """What a class, function or object is called; its module's name may hold the folder that a pack lies in."""
    named = isinstance(value, (type, FunctionType, BuiltinFunctionType))
    return value.__qualname__ if named else type(value).__qualname__


def read_object(value: Any, walk: Walk) -> Tree:
    """An object by its class and attributes; unknown besides, if its class has more to it."""
    if isinstance(value, torch.nn.Module):
        return part_of(value) or (_compiled(value, walk) if "dynamo_ctx" in vars(value) else read_module(value, walk))
    return read_parts(value, attributes(value), walk)


def read_parts(value: Any, parts: dict[str, Any], walk: Walk) -> Tree:
    """An object by its class and some attributes."""
    for part in parts.values():
        register(part, walk)
    items = [("", walk.read(type(value))), *((name, walk.read(part)) for name, part in sorted(parts.items()))]
    if has_more(type(value)):
        items.append(("", Unknown(name_of(type(value)), serial_of(value))))
    return Branch("object", tuple(items))


def read_module(module: torch.nn.Module, walk: Walk) -> Tree:
    """A module by its class, its weights, its own attributes, and the modules in it."""
    parts = {name: value for name, value in vars(module).items() if name not in MACHINERY}
    hooks = [list(parts.pop(name, {}).values()) for name in ("_forward_hooks", "_forward_pre_hooks")]
    if any(hooks):
        parts["hooks"] = hooks
    for held in (module._parameters, module._buffers, module._modules):
        parts |= held
    return read_parts(module, parts, walk)


def _compiled(module: Any, walk: Walk) -> Tree:
    """A module of torch.compile by what it is made of and by whom; the rest is the compiler's own state."""
    context = vars(vars(module)["dynamo_ctx"])
    backend = context.get("callback")
    while (inner := getattr(backend, "_torchdynamo_orig_backend", None)) is not None:
        backend = inner
    config = vars(backend).get("config") if hasattr(backend, "__dict__") else None
    parts = {"_orig_mod": module._modules.get("_orig_mod"), "backend": name_of(backend), "config": config}
    parts |= {"compiler": getattr(backend, "compiler_name", ""), "dynamic": context.get("_dynamic")}
    return Branch("compiled", tuple((name, walk.read(part)) for name, part in parts.items()))


def attributes(value: Any) -> dict[str, Any]:
    """What an object stores by name, in its ``__dict__`` or in slots."""
    found: dict[str, Any] = {}
    for kind in type(value).__mro__:
        for name, slot in _slots(kind).items():
            try:
                found[name] = slot.__get__(value)
            except AttributeError:  # an empty one
                continue
    try:
        own = object.__getattribute__(value, "__dict__")
    except AttributeError:
        own = None
    return found | {str(name): part for name, part in own.items()} if isinstance(own, dict) else found


def has_more(kind: type) -> bool:
    """Whether objects of a class hold what is no attribute: those of a C extension may, such as a lock or a file."""
    for each in kind.__mro__[:-1]:
        own, base = vars(each), each.__base__ or object
        slots = len(_slots(each)) + ("__dict__" in own) + ("__weakref__" in own)
        if each.__basicsize__ - base.__basicsize__ > POINTER * slots:
            return True
    return False


def _slots(kind: type) -> dict[str, MemberDescriptorType]:
    """The slots that a class itself declares; members of a C extension's may be addresses."""
    own = vars(kind)
    return {name: slot for name, slot in own.items() if isinstance(slot, MemberDescriptorType) and "__slots__" in own}
