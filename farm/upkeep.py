"""Beside a job that runs: its finished chunks are brought to the storage, and its leases renewed."""

from __future__ import annotations

import logging
import re
import threading
import time
from pathlib import Path

from .lease import Lease
from .names import MANIFEST, RUNS, TAKE
from .storage import Storage

logger = logging.getLogger(__name__)

PAUSE = 0.2
"""Seconds between looks at the folder."""


class Upkeep(threading.Thread):
    """Looks after the runs of some leases until :meth:`finish`."""

    def __init__(self, storage: Storage, folder: Path, leases: list[Lease]):
        super().__init__(daemon=True)
        self.storage, self.folder, self.leases = storage, folder, leases
        self.lost = threading.Event()
        """Set once another has taken one of the runs."""
        self.sent = 0
        """Chunks that were brought there."""
        self._ended = threading.Event()
        self._error: Exception | None = None
        self._known = {path for lease in leases for path in self._takes(lease.run)}

    def count(self) -> int:
        """Chunk files that there are here."""
        return sum(len(self._takes(lease.run)) for lease in self.leases)

    def run(self) -> None:
        try:
            while not self._ended.wait(PAUSE):
                self._look()
        except Exception as error:  # noqa: BLE001  finish raises it in the thread that waits
            self._error = error

    def finish(self) -> None:
        """Bring there what is left; may be called again.

        Raises:
            StorageError: if the storage stays away.
        """
        self._ended.set()
        if self.is_alive():
            self.join()
        if self._error is not None:
            raise self._error
        self._send()
        for lease in self.leases:
            manifest = self.folder / lease.run / MANIFEST
            if manifest.is_file() and not self.lost.is_set():
                self.storage.upload(manifest, RUNS, lease.run, MANIFEST)

    def _look(self) -> None:
        for lease in self.leases:
            if lease.due and not self.lost.is_set() and not lease.renew():
                logger.warning("Another worker has taken %s", lease.run)
                self.lost.set()
        self._send()

    def _send(self) -> None:
        for lease in self.leases:
            for path in self._takes(lease.run):
                if path not in self._known:
                    began = time.monotonic()
                    self.storage.upload(path, RUNS, lease.run, path.name)
                    self._known.add(path)
                    self.sent += 1
                    logger.info("%s is kept after %.1f s", path.name, time.monotonic() - began)

    def _takes(self, run: str) -> list[Path]:
        """Whole chunk files of a run; those in the making have other names."""
        folder = self.folder / run
        return sorted(path for path in folder.glob("chunk_*") if re.fullmatch(TAKE, path.name))
