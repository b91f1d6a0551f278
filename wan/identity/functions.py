"""Functions and classes as trees: what they are called, what they do, and what they hold on to."""

from __future__ import annotations

from hashlib import sha256
from types import CodeType, FunctionType, GetSetDescriptorType, MemberDescriptorType
from typing import TYPE_CHECKING, Any

from .live import WeakIds
from .models import register
from .origin import is_library_class
from .settings import is_plain, read_globals, read_setting
from .trees import Branch, Tree

if TYPE_CHECKING:
    from .walk import Walk

MACHINERY = {"__dict__", "__weakref__", "__module__", "__doc__", "__firstlineno__", "__static_attributes__"}
MACHINERY |= {"__annotations__", "__annotations_cache__", "__annotate__", "__annotate_func__", "__qualname__"}
MACHINERY |= {"__parameters__", "__orig_bases__", "_abc_impl", "__dataclass_fields__", "__dataclass_params__"}
MACHINERY |= {"__slotnames__"}
"""Of a class that is not a library's: what says nothing of what it does, or what Python names by place."""

_codes: WeakIds[bytes] = WeakIds()


def read_code(code: CodeType) -> bytes:
    """What a function does; where it stands in which file is no part of it."""
    known = _codes.get(code)
    return known if known is not None else _codes.put(code, b"code " + sha256(_content(code).encode()).digest())


def _content(code: CodeType) -> str:
    names = (code.co_name, code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars)
    counts = (code.co_flags, code.co_argcount, code.co_kwonlyargcount)
    caught = getattr(code, "co_exceptiontable", b"")
    return f"{names!r} {counts!r} {code.co_code!r} {caught!r} {_constant(code.co_consts)}"


def _constant(value: Any) -> str:
    """A constant of a code in a notation that is the same in every process."""
    if isinstance(value, CodeType):
        return read_code(value).hex()
    if isinstance(value, tuple):
        return f"({','.join(map(_constant, value))})"
    if isinstance(value, frozenset):
        return f"{{{','.join(sorted(map(_constant, value)))}}}"
    return f"{type(value).__qualname__} {hex(value) if isinstance(value, int) else repr(value)}"


def read_function(function: FunctionType, walk: Walk) -> Tree:
    """A function's name, code, defaults and closure, and the globals that it may read."""
    own = vars(function)
    if "_torchdynamo_orig_callable" in own:  # the rest is the compiler's own state
        return Branch("compiled", (("", walk.read(own["_torchdynamo_orig_callable"])),))
    items = [
        ("code", walk.read(function.__code__)),
        ("defaults", walk.read(function.__defaults__)),
        ("keywords", walk.read(function.__kwdefaults__)),
    ]
    held = {}
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            held[name] = cell.cell_contents
        except ValueError:  # an empty one
            held[name] = "empty"
            continue
        register(held[name], walk)
    items += [(name, walk.read(value)) for name, value in held.items()]
    items += [("globals", read_globals(function, walk)), ("", walk.read(own))]
    return Branch(f"function {function.__qualname__}", tuple(items))


def read_class(kind: type, walk: Walk) -> Tree:
    """A class by its name, its bases and all that is in it; of a library's only by plain attributes."""
    items: list[tuple[str, Tree]] = [("", walk.read(base)) for base in kind.__bases__ if base is not object]
    own = {name: value for name, value in vars(kind).items() if name not in MACHINERY}
    if "<locals>" in kind.__qualname__ or not is_library_class(kind):
        skipped = (MemberDescriptorType, GetSetDescriptorType)
        own = {name: value for name, value in own.items() if not isinstance(value, skipped)}
    elif kind.__module__.split(".")[0] in ("builtins", "torch", "abc", "typing"):
        own = {}
    else:
        own = {name: value for name, value in own.items() if name[:2] != "__" and is_plain(value)}
    items += [(name, read_setting(value, walk)) for name, value in sorted(own.items())]
    return Branch(f"class {kind.__qualname__}", tuple(items))
