"""Whose code it is: that of other packs is looked into, the host's and that of libraries goes by name."""

from __future__ import annotations

import sys
from functools import lru_cache
from pathlib import Path, PurePath
from types import FunctionType, ModuleType
from typing import Any

NAMES = {"comfy", "comfy_api", "comfy_api_nodes", "comfy_execution", "comfy_extras", "torch", "numpy"}
"""Packages that are a library's or the host's, wherever they lie."""
INSTALLED = {"site-packages", "dist-packages"}
PACKS = "custom_nodes"
"""The folder within the host's that holds packs."""
ROOT = Path(__file__).parents[2]
ROOTS = (ROOT, ROOT.resolve())
"""Where this pack lies, as its modules were found and in truth: many link it into the host's folder."""
OURS = tuple(root / name for root in ROOTS for name in ("wan", "nodes", "motion", "blending", "tiny"))
"""What this pack does counts by ``RESULTS``, not by its code."""


def is_library(names: dict[str, Any]) -> bool:
    """Whether the module with these globals is of the host's, a library's or ours."""
    host = vars(sys.modules["folder_paths"]).get("__file__") if "folder_paths" in sys.modules else None
    return _lies_in_library(str(names.get("__name__")), str(names.get("__file__") or ""), str(host or ""))


def is_library_class(kind: type) -> bool:
    """The same of the module that a class was made in."""
    return _is_library_name(kind.__module__)


def is_library_function(function: FunctionType) -> bool:
    """The same of a function; what a library has put around one of another pack's is that pack's."""
    return is_library(function.__globals__) and _is_library_name(function.__module__)


def is_imported(name: str, value: Any) -> bool:
    """Whether a library holds this very value by the same name, as after ``from comfy.cli_args import args``."""
    holders = [vars(each) for each in list(sys.modules.values()) if isinstance(each, ModuleType)]
    return any(names.get(name) is value and is_library(names) for names in holders)


def _is_library_name(name: Any) -> bool:
    name = str(name)
    module = sys.modules.get(name) or sys.modules.get(name.partition(".")[0])
    return is_library(vars(module) if isinstance(module, ModuleType) else {"__name__": name})


@lru_cache(maxsize=10_000)
def _lies_in_library(name: str, file: str, host: str) -> bool:
    top = name.partition(".")[0]
    if top in NAMES or top in sys.stdlib_module_names:
        return True
    if not file:
        return False
    path = PurePath(file)
    if any(path.is_relative_to(folder) for folder in OURS):
        return True
    parts = path.parts
    if PACKS in parts:  # a pack may bring libraries with it
        return not INSTALLED.isdisjoint(parts[parts.index(PACKS) :])
    return not INSTALLED.isdisjoint(parts) or bool(host and path.is_relative_to(PurePath(host).parent))
