"""Leases: of all who may work on a run, one does.

Each holder of a run makes the next file of a numbered row, which a storage lets one alone do; the last of the row has
the run until its time is over. Clocks must agree to a few seconds: where they do not, two may work on one run, which
costs time and harms nothing, since each chunk file is named by what it was made from.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from .names import LEASES
from .storage import Storage

SECONDS = 60.0
"""How long a lease lasts unless it is renewed."""


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
        if _last(self.storage, self.run) != self.number:
            return False
        self._write(time.time() + self.seconds)
        self.renewed = time.monotonic()
        return True

    def release(self) -> None:
        """Let go of the run; files of leases before it are deleted."""
        if _last(self.storage, self.run) != self.number:
            return
        self._write(0.0)
        for name in self.storage.list(LEASES, self.run):
            if int(name.split(".")[0]) < self.number:
                self.storage.remove(LEASES, self.run, name)

    def _write(self, until: float) -> None:
        self.storage.write({"owner": self.owner, "until": until}, LEASES, self.run, _file(self.number))


def take(storage: Storage, run: str, owner: str, seconds: float = SECONDS) -> Lease | float:
    """Take a run that nobody holds: its lease, or for how many seconds another still has it."""
    number = _last(storage, run)
    left = _left(storage, run, number, seconds) if number else 0.0
    if left > 0:
        return left
    content = {"owner": owner, "until": time.time() + seconds}
    if not storage.write(content, LEASES, run, _file(number + 1), new=True):
        return seconds
    return Lease(storage, run, owner, number + 1, seconds)


def _left(storage: Storage, run: str, number: int, seconds: float) -> float:
    found = storage.read(LEASES, run, _file(number))
    if not isinstance(found, dict) or not isinstance(found.get("until"), (int, float)):
        return 0.0
    return min(found["until"] - time.time(), seconds)


def _last(storage: Storage, run: str) -> int:
    names = storage.list(LEASES, run)
    return max((int(name.split(".")[0]) for name in names if name.split(".")[0].isdigit()), default=0)


def _file(number: int) -> str:
    return f"{number:08d}.json"
