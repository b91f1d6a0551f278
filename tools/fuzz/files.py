"""Files that appear where no graph may write."""

from __future__ import annotations

from pathlib import Path

from ..workflow import ROOT
from .host import Host

HOSTS_OWN = ("output", "temp", "user", "host.log", "host.db", "host.db-journal", "host.db-wal", "host.db-shm")
"""In the base folder: where a graph may write, and what the host writes without one."""
OTHERS = ("output", "temp", "user")
"""In ComfyUI's own folder, where hosts without a base folder write, such as those of tests that run meanwhile."""
SKIPPED = ("__pycache__", "node_modules", "demo")


class Watch:
    """The names of all files in a host's folders, in the pack and in ComfyUI, as they were at first."""

    def __init__(self, host: Host):
        self.host = host
        self.before = self._all()

    def strange(self, runs: set[str]) -> list[str]:
        """What is new; also what is in the folder of kept runs and is none of these. Said once each."""
        now = self._all()
        found = sorted(now - self.before)
        self.before |= now
        output = self.host.base / "output"
        kept = output / "wan_motion_runs"
        allowed = {kept / name for name in runs} | {output / "fuzz", kept}
        there = [*output.iterdir(), *(kept.iterdir() if kept.is_dir() else ())]
        return found + sorted(str(path) for path in there if path not in allowed and path.name[0] != "_")

    def _all(self) -> set[str]:
        base = self.host.base
        own = {str(path) for folder in base.iterdir() if folder.name not in HOSTS_OWN for path in _files(folder)}
        comfyui = [each for each in self.host.server.comfyui.iterdir() if each.name not in OTHERS]
        return own | {str(path) for folder in (ROOT, *comfyui) for path in _files(folder)}


def _files(folder: Path) -> list[Path]:
    if folder.is_symlink() or folder.name in SKIPPED or folder.name.startswith("."):
        return []
    if not folder.is_dir():
        return [folder]
    return [path for inner in folder.iterdir() for path in _files(inner)]
