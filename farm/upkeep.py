"""Beside a job that runs: its finished chunks are brought to the storage."""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Iterable
from pathlib import Path

from .names import MANIFEST, RUNS, TAKE
from .storage import Storage

logger = logging.getLogger(__name__)

PAUSE, LONGEST_PAUSE = 0.2, 10.0
"""Seconds between looks at the folder; each that fails doubles the next."""


class Upkeep(threading.Thread):
    """Looks after some runs until :meth:`finish`.

    Args:
        folder: of all runs.
        left: chunk files that need not be brought there, by run and name.
    """

    def __init__(self, storage: Storage, folder: Path, runs: Iterable[str], left: Iterable[tuple[str, str]] = ()):
        super().__init__(daemon=True)
        self.storage, self.folder, self.runs = storage, folder, list(runs)
        self.made = 0
        """Chunks that were made since this began, and brought there."""
        self.fresh = 0
        """Those of them whose number had none before: how far the video has come."""
        self._ended = threading.Event()
        there = {(run, name) for run in self.runs for name in storage.list(RUNS, run)}
        self._there = {*there, *left}
        self._before = self._takes()
        self._numbers = {_number(take) for take in self._before}

    def count(self) -> int:
        """Chunk files that there are here."""
        return len(self._takes())

    def run(self) -> None:
        pause, told = PAUSE, ""
        while not self._ended.wait(pause):
            try:
                self._send()
                pause, told = PAUSE, ""
            except OSError as error:  # of the storage, or of a file that was removed meanwhile
                if str(error) != told:
                    logger.warning("A chunk could not be kept, tried again: %s", error)
                pause, told = min(2 * pause, LONGEST_PAUSE), str(error)

    def finish(self, manifests: bool = True) -> None:
        """Bring there what is left; may be called again.

        Args:
            manifests: whether the runs' own lists go there too.

        Raises:
            StorageError: if the storage does not take it.
        """
        self._ended.set()
        if self.is_alive():
            self.join()
        self._send()
        for run in self.runs if manifests else ():
            manifest = self.folder / run / MANIFEST
            if manifest.is_file():
                self.storage.upload(manifest, RUNS, run, MANIFEST)

    def _send(self) -> None:
        for run, name in sorted(self._takes() - self._there):
            began = time.monotonic()
            self.storage.upload(self.folder / run / name, RUNS, run, name)
            self._there.add((run, name))
            logger.info("%s is kept after %.1f s", name, time.monotonic() - began)
            if (run, name) not in self._before:
                self.made += 1
                self.fresh += _number((run, name)) not in self._numbers
                self._numbers.add(_number((run, name)))

    def _takes(self) -> set[tuple[str, str]]:
        """Run and name of whole chunk files; those in the making have other names."""
        found = ((run, path.name) for run in self.runs for path in (self.folder / run).glob("chunk_*"))
        return {(run, name) for run, name in found if re.fullmatch(TAKE, name)}


def _number(take: tuple[str, str]) -> tuple[str, int]:
    """Run and number of a chunk file."""
    return take[0], int(take[1].split("_")[1])
