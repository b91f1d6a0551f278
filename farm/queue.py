"""Which job is next: by place in line, jobs it waits for, when it may be tried again, what is loaded where."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from .jobs import Job
from .names import CANCELLED, DONE, ENDED, FAILED

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
"""Seconds before a job is tried again; each pause is twice the one before."""
TRIES = 10
"""Attempts in a row that bring a video no further."""


@dataclass
class Ticket:
    """A job and how it stands."""

    job: Job
    status: str
    attempts: int = 0
    fruitless: int = 0
    """Attempts since one brought the video further."""
    chunks: int = 0
    error: str = ""
    ready: float = 0.0
    """When it may be tried again, by :func:`time.monotonic`."""


@dataclass
class Queue:
    """Tickets by name, in line."""

    tickets: dict[str, Ticket] = field(default_factory=dict)
    tries: int = TRIES

    @property
    def open(self) -> list[Ticket]:
        """Jobs that have not ended."""
        return [ticket for ticket in self.tickets.values() if ticket.status not in ENDED]

    def pick(self, loaded: str, elsewhere: set[str], busy: set[str]) -> Ticket | None:
        """The next job for a worker.

        Args:
            loaded: the models that it has.
            elsewhere: those that other workers have, to whom their jobs are left while there are others.
            busy: names of jobs that run.
        """
        now = time.monotonic()
        ready = [
            ticket
            for ticket in self.open
            if ticket.job.name not in busy and ticket.ready <= now and self._is_free(ticket)
        ]
        warm = [ticket for ticket in ready if ticket.job.models == loaded]
        cold = [ticket for ticket in ready if ticket.job.models not in elsewhere]
        return next(iter((*warm, *cold, *ready)), None)

    def blocked(self) -> list[tuple[Ticket, str]]:
        """Jobs that wait for one that failed or was cancelled, and which."""
        found = []
        for ticket in self.open:
            bad = [name for name in ticket.job.after if self._status(name) in (FAILED, CANCELLED)]
            if bad:
                found.append((ticket, bad[0]))
        return found

    def put_back(self, ticket: Ticket, error: str, made: int, fresh: int) -> bool:
        """Note an attempt that came to nothing; returns whether there is to be another.

        Args:
            made: chunks that it finished.
            fresh: those of them that were never finished before: others do not bring the video further.
        """
        ticket.fruitless = 0 if fresh else ticket.fruitless + 1
        ticket.chunks += made
        ticket.error = error
        if ticket.fruitless >= self.tries:
            return False
        self.delay(ticket, min(FIRST_PAUSE * 2 ** max(0, ticket.fruitless - 1), LONGEST_PAUSE))
        return True

    def delay(self, ticket: Ticket, seconds: float) -> None:
        ticket.ready = time.monotonic() + seconds

    def _is_free(self, ticket: Ticket) -> bool:
        return all(self._status(name) == DONE for name in ticket.job.after)

    def _status(self, name: str) -> str:
        return self.tickets[name].status if name in self.tickets else FAILED
