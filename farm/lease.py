"""Leases: of all who may work on a run, one does.

Each holder of a run makes the next file of a numbered row, which a storage lets one alone do; the last of the row has
the run until its time is over, or until its file has not changed for so long, whatever the clocks say. One whose clock
is ahead may take a run too early: two then work on it until the first is to renew its lease, which costs time and
harms nothing, since each chunk file is named by what it was made from.
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass, field

from .names import LEASES
from .storage import Storage

logger = logging.getLogger(__name__)

SECONDS = 60.0
"""How long a lease lasts unless it is renewed."""
PAUSE = 0.2
"""Seconds between looks at whether a lease is due."""
Seen = dict[str, tuple[tuple, float]]
"""By run what its last lease said, and since when, by :func:`time.monotonic`."""


@dataclass
class Lease:
    """A run held by one worker, from :func:`take` until :meth:`release`."""

    storage: Storage
    run: str
    owner: str
    number: int
    seconds: float = SECONDS
    renewed: float = field(default_factory=time.monotonic)

    @property
    def due(self) -> bool:
        """Whether a third of its time is over."""
        return time.monotonic() - self.renewed > self.seconds / 3

    def renew(self) -> bool:
        """Hold it for longer; returns whether it is still held: it is not once another has taken the run."""
        if not self._is_own():
            return False
        self._write(time.time() + self.seconds)
        self.renewed = time.monotonic()
        return True

    def release(self) -> None:
        """Let go of the run; files of leases before it are deleted."""
        if not self._is_own():
            return
        self._write(0.0)
        for name in self.storage.list(LEASES, self.run):
            if int(name.split(".")[0]) < self.number:
                self.storage.remove(LEASES, self.run, name)

    def _is_own(self) -> bool:
        # Where a storage let two make the same file, what it says in the end tells whose it is.
        if _last(self.storage, self.run) != self.number:
            return False
        found = self.storage.read(LEASES, self.run, _file(self.number))
        return isinstance(found, dict) and found.get("owner") == self.owner

    def _write(self, until: float) -> None:
        self.storage.write(_content(self.owner, until, self.seconds), LEASES, self.run, _file(self.number))


class Renewal(threading.Thread):
    """Renews leases until :meth:`end`, whatever else goes on; more may be added meanwhile."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.leases: list[Lease] = []
        self.lost = threading.Event()
        """Set once another has taken one of the runs."""
        self._ended = threading.Event()

    def run(self) -> None:
        while not self._ended.wait(PAUSE):
            for lease in [lease for lease in self.leases if lease.due]:
                try:
                    held = lease.renew()
                except OSError as error:  # who cannot be reached by this worker may be by another
                    logger.warning("The lease of %s could not be renewed: %s", lease.run, error)
                    continue
                if not held:
                    logger.warning("Another worker has taken %s", lease.run)
                    self.lost.set()
                    return

    def end(self) -> None:
        """Let go of all runs; what the storage does not take is over by itself."""
        self._ended.set()
        self.join()
        for lease in self.leases:
            try:
                lease.release()
            except OSError as error:
                logger.warning("The lease of %s could not be released: %s", lease.run, error)


def take(storage: Storage, run: str, owner: str, seconds: float = SECONDS, seen: Seen | None = None) -> Lease | float:
    """Take a run that nobody holds: its lease, or for how many seconds another still has it.

    Args:
        seen: of all calls by one worker, which finds out by it whether a lease is renewed.
    """
    number = _last(storage, run)
    left = _left(storage, run, number, seconds, {} if seen is None else seen) if number else 0.0
    if left > 0:
        return left
    if not storage.write(_content(owner, time.time() + seconds, seconds), LEASES, run, _file(number + 1), new=True):
        return seconds
    return Lease(storage, run, owner, number + 1, seconds)


def _left(storage: Storage, run: str, number: int, seconds: float, seen: Seen) -> float:
    found = storage.read(LEASES, run, _file(number))
    if not isinstance(found, dict) or not isinstance(found.get("until"), (int, float)):
        return 0.0
    says = (number, found.get("owner"), found["until"])
    if run not in seen or seen[run][0] != says:
        seen[run] = (says, time.monotonic())
    lasts = found["seconds"] if isinstance(found.get("seconds"), (int, float)) else seconds
    return min(found["until"] - time.time(), seen[run][1] + lasts - time.monotonic())


def _content(owner: str, until: float, seconds: float) -> dict:
    return {"owner": owner, "until": until, "seconds": seconds}


def _last(storage: Storage, run: str) -> int:
    names = storage.list(LEASES, run)
    return max((int(name.split(".")[0]) for name in names if name.split(".")[0].isdigit()), default=0)


def _file(number: int) -> str:
    return f"{number:08d}.json"
