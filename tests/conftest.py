"""Load the pack as ComfyUI does: from its folder, as a package, whatever the folder is called; and mark its tests."""

import importlib.util
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
NAME = "wan_motion_chunks"
MARKED = ("host", "browser", "farm", "registry")
"""Folders of tests, or files, whose tests have a marker of that name; all others are unit tests."""


def _load_pack() -> None:
    spec = importlib.util.spec_from_file_location(NAME, ROOT / "__init__.py", submodule_search_locations=[str(ROOT)])
    module = importlib.util.module_from_spec(spec)
    sys.modules[NAME] = module
    spec.loader.exec_module(module)


def pytest_itemcollected(item: pytest.Item) -> None:
    within = item.path.relative_to(ROOT / "tests").parts[0].removeprefix("test_").removesuffix(".py")
    if within in MARKED:
        item.add_marker(within)


# python -m pytest puts the repository on the path, where our nodes/ and wan/ would hide the host's.
sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != ROOT]
if NAME not in sys.modules:
    _load_pack()
