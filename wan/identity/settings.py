"""What functions read of modules: settings, tables, helpers.

Each name in a module is looked at as a live object of its own, so that what a job changed there, such as a counter or a
cache, is told from what somebody set, for every function that reads it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from types import CodeType, FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

import torch

from .live import WeakIds
from .models import register
from .objects import name_of
from .origin import is_imported, is_library, is_library_class, is_library_function
from .trees import Branch, Tree

if TYPE_CHECKING:
    from .walk import Walk

NO_SETTINGS = {"_thread", "threading", "concurrent", "asyncio", "multiprocessing", "queue", "argparse", "typing"}
NO_SETTINGS |= {"aiohttp", "comfy_api", "server", "torch", "tqdm", "triton"}
"""Packages whose objects, where a module or a class holds one, are means of running and not what is computed."""


class Global:
    """A name in a module."""

    __slots__ = ("__weakref__", "name", "names")

    def __init__(self, names: dict[str, Any], name: str):
        self.names, self.name = names, name


_held: WeakIds[dict[str, Global]] = WeakIds()
"""Of each module."""


def names_in(code: CodeType) -> set[str]:
    """Names of globals and attributes in a code and those within it."""
    return set(code.co_names).union(*(names_in(each) for each in code.co_consts if isinstance(each, CodeType)))


def is_plain(value: Any) -> bool:
    """Whether a value is one that a setting may be."""
    if isinstance(value, tuple):
        return all(map(is_plain, value))
    return value is None or isinstance(value, (bool, int, float, str))


def read_globals(function: FunctionType, walk: Walk) -> Tree:
    """The globals that a function may read; only plain ones if it is a library's."""
    known, names = function.__globals__, sorted(names_in(function.__code__))
    if is_library(known):
        return walk.read({name: known[name] for name in names if name in known and is_plain(known[name])})
    return Branch("globals", tuple(_read_names(known, names, walk, set())))


def _read_names(known: dict[str, Any], names: list[str], walk: Walk, met: set[int]) -> Iterator[tuple[str, Tree]]:
    met.add(id(known))
    for name in names:
        value = known.get(name)
        if not isinstance(value, ModuleType):
            if name in known:
                yield name, _read_name(known, name, walk)
        elif id(vars(value)) not in met and not is_library(vars(value)):
            yield name, Branch("module", tuple(_read_names(vars(value), names, walk, met)))


def _read_name(known: dict[str, Any], name: str, walk: Walk) -> Tree:
    module = sys.modules.get(str(known.get("__name__")))
    if not isinstance(module, ModuleType) or vars(module) is not known:  # made by exec: it goes with its functions
        return read_setting(known[name], walk, name)
    held = _held.get(module)
    if held is None:
        held = _held.put(module, {})
    return walk.live(held.setdefault(name, Global(known, name)), _read_global)


def _read_global(value: Global, walk: Walk) -> Tree:
    if value.name not in value.names:
        return b"a name of nothing"
    return Branch("global", (("", read_setting(value.names[value.name], walk, value.name)),))


def read_setting(value: Any, walk: Walk, name: str = "") -> Tree:
    """What a module or class holds: libraries' functions, classes and means of running by name, the rest in whole."""
    if is_plain(value):
        return walk.read(value)
    if isinstance(value, FunctionType):
        by_name = is_library_function(value)
    elif isinstance(value, type):
        by_name = is_library_class(value)
    else:
        by_name = _is_means(value) or (bool(name) and is_imported(name, value))
    if by_name:
        return f"{name_of(value)} by name".encode()
    register(value, walk)
    return walk.read(value)


def _is_means(value: Any) -> bool:
    from .values import read_value

    kind = type(value)
    if kind.__module__.partition(".")[0] not in NO_SETTINGS or isinstance(value, (torch.nn.Module, torch.Generator)):
        return False
    return read_value.dispatch(kind) is read_value.dispatch(object)
