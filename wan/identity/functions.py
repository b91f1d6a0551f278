"""Functions and classes as trees: what they are called, what they do, and what they hold on to."""

from __future__ import annotations

from types import CodeType, FunctionType, GetSetDescriptorType, MemberDescriptorType
from typing import TYPE_CHECKING, Any

from .models import register
from .trees import Branch, Tree

if TYPE_CHECKING:
    from .walk import Walk

MACHINERY = {"__dict__", "__weakref__", "__module__", "__doc__", "__firstlineno__", "__static_attributes__"}
MACHINERY |= {"__annotations__", "__qualname__", "__parameters__", "__orig_bases__", "_abc_impl"}
"""Of a class that is made in a function: what says nothing of what it does, or what Python names by place."""


def read_code(code: CodeType, walk: Walk) -> Tree:
    """What a function does; where it stands in which file is no part of it."""
    names = (code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars)
    items = [("", code.co_code), ("", names), ("", (code.co_flags, code.co_argcount, code.co_kwonlyargcount))]
    return walk.inside(code, code.co_name, lambda: [*items, ("", code.co_consts)])


def read_function(function: FunctionType, walk: Walk) -> Tree:
    """A function's name, code, defaults and closure, and the plain globals that it may read."""
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
    known = function.__globals__
    plain = {name: known[name] for name in sorted(_names(function.__code__)) if name in known and is_plain(known[name])}
    items += [("globals", walk.read(plain)), ("", walk.read(vars(function)))]
    return Branch(f"function {function.__qualname__}", tuple(items))


def _names(code: CodeType) -> set[str]:
    """Names of globals and attributes in a code and those within it."""
    return set(code.co_names).union(*(_names(each) for each in code.co_consts if isinstance(each, CodeType)))


def is_plain(value: Any) -> bool:
    """Whether a value is one that a setting may be."""
    if isinstance(value, tuple):
        return all(map(is_plain, value))
    return value is None or isinstance(value, (bool, int, float, str))


def read_class(kind: type, walk: Walk) -> Tree:
    """A class by its name, its bases and its plain attributes; one that was made in a function by all that is in it."""
    items: list[tuple[str, Tree]] = [("", walk.read(base)) for base in kind.__bases__ if base is not object]
    own = {name: value for name, value in vars(kind).items() if name not in MACHINERY}
    if "<locals>" in kind.__qualname__:
        skipped = (MemberDescriptorType, GetSetDescriptorType)
        own = {name: value for name, value in own.items() if not isinstance(value, skipped)}
    elif kind.__module__.split(".")[0] in ("builtins", "torch", "abc", "typing"):
        own = {}
    else:
        own = {name: value for name, value in own.items() if name[:2] != "__" and is_plain(value)}
    items += [(name, walk.read(value)) for name, value in sorted(own.items())]
    return Branch(f"class {kind.__qualname__}", tuple(items))
