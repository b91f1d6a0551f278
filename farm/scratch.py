"""The one place where the farm removes anything: only what lies below a folder of its own."""

from __future__ import annotations

import shutil
from pathlib import Path


def remove(path: Path, root: Path, tree: bool = False) -> None:
    """Delete a file, if it is there.

    Args:
        root: a folder of the farm's own, below which it must lie.
        tree: whether it may be a folder, which goes with all that is in it.

    Raises:
        ValueError: if it does not lie below that folder, wherever links lead.
    """
    check_below(path, root)
    if tree and path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def check_below(path: Path, root: Path) -> None:
    """Raise ValueError unless a path lies strictly below a folder, which is not that of a whole file system."""
    place, own = path.resolve(), root.resolve()
    if own.parent == own or place == own or not place.is_relative_to(own):
        raise ValueError(f"{path} stays: expected a place below {own} to remove it from, it is {place}.")
