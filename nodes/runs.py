"""Where runs are, and what of them was changed by others."""

from __future__ import annotations

import logging
import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path

import folder_paths

from ..wan.identity import digest
from ..wan.runs import lock
from ..wan.runs.lock import locked
from ..wan.runs.names import RunError, check_name
from ..wan.runs.takes import Takes, list_files

logger = logging.getLogger(__name__)

FOLDER = "wan_motion_runs"
UNKEPT = "unkept-"
"""What folders of videos without Keep Run begin with."""
LARGEST = 32 * 2**30
"""Bytes of all videos without Keep Run together."""
SHARE = 0.5
"""Of the space that is free, which they may take."""


def runs_folder() -> Path:
    return Path(folder_paths.get_output_directory()) / FOLDER


def unkept_folder() -> Path:
    """Where the chunks of videos without Keep Run are until the host empties it, when it starts."""
    return Path(folder_paths.get_temp_directory()) / FOLDER


def place(path: Path) -> dict[str, str] | None:
    """How the host's ``/view`` finds a file of a run; None for one that it does not serve."""
    for kind, folder in (("output", runs_folder()), ("temp", unkept_folder())):
        if path.parent.parent == folder:
            return {"filename": path.name, "subfolder": f"{FOLDER}/{path.parent.name}", "type": kind}
    return None


def find_runs(name: str) -> Path:
    """The folder that has a run of this name: among the outputs, or among the temporary files if it is there alone."""
    name = check_name(name)
    if name.startswith(UNKEPT) and not (runs_folder() / name).is_dir() and (unkept_folder() / name).is_dir():
        return unkept_folder()
    return runs_folder()


def list_runs() -> list[str]:
    """Names of all runs that have chunks: those that are kept, then those without Keep Run, each the latest first."""
    return [name for folder in (runs_folder(), unkept_folder()) for name in _names(folder)]


def _names(folder: Path) -> list[str]:
    changed = {path.name: _changed(path) for path in folder.iterdir()} if folder.is_dir() else {}
    found = [(-time, name) for name, time in changed.items() if time is not None]
    return [name for _, name in sorted(found)]


def _changed(folder: Path) -> int | None:
    """When a run's files last changed; None for a folder that is no run of ours, or empty."""
    try:
        named = check_name(folder.name) == folder.name
    except RunError:  # Keep Run makes no such folder
        return None
    return max((time for _, _, time, _ in list_files(folder)), default=None) if named else None


def make_room(keep: str) -> int:
    """Bytes that a video without Keep Run may take, with what it has already, once the oldest others are deleted.

    Args:
        keep: its name.
    """
    folder = unkept_folder()
    folder.mkdir(parents=True, exist_ok=True)
    sizes = {path: _size(path) for path in folder.iterdir() if path.name.startswith(UNKEPT)}
    limit = min(LARGEST, round(SHARE * (shutil.disk_usage(folder).free + sum(sizes.values()))))
    sizes.pop(folder / keep, None)
    for path in sorted(sizes, key=lambda path: path.stat().st_mtime):
        if sum(sizes.values()) <= limit / 2:
            break
        try:
            _delete(path)
        except (OSError, RunError) as error:
            logger.warning("%s could not be deleted: %s", path.name, error)
        sizes[path] = _size(path)
    return max(0, limit - sum(sizes.values()))


def _delete(folder: Path) -> None:
    """Delete a run that no job holds."""
    with locked(folder):
        for path in folder.iterdir():
            if path.name != lock.NAME:
                path.unlink()
        if os.name != "nt":
            shutil.rmtree(folder)
    if os.name == "nt":  # which deletes no file that is open, so that nobody has the lock where this goes through
        shutil.rmtree(folder)


def _size(folder: Path) -> int:
    takes = Takes(folder)
    return sum(map(takes.size, takes))


@dataclass
class Seen:
    """What each run's files were when this process last looked or left them.

    The host takes a node's result for as good as new while its inputs are the same. Chunk files are inputs that it does
    not know of: what others do to them must make the video anew, what the video itself wrote must not.
    """

    _left: dict[Path, tuple[list, str]] = field(default_factory=dict)

    def token(self, folder: Path) -> str:
        """Another whenever anything but a finished video changed the files."""
        files = list_files(folder)
        known = self._left.get(folder)
        if known is None or known[0] != files:
            known = self._left[folder] = (files, digest(str(folder.name), files))
        return known[1]

    def leave(self, folder: Path) -> None:
        """Take the files as they are for those that the last token stands for."""
        known = self._left.get(folder)
        if known is not None:
            self._left[folder] = (list_files(folder), known[1])


SEEN = Seen()
