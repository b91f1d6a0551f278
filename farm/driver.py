"""Hands jobs to workers until all have ended. It may be killed at any time: another goes on from the storage."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

import ray
from ray import cloudpickle
from ray.exceptions import RayError

from .book import Book
from .cluster import ClusterError
from .events import Events
from .graph import GraphError
from .hand import Hand
from .host import HostOptions
from .lease import SECONDS
from .names import CANCELLED, ENDED, FAILED, HELD, LOST, QUEUED, RUNNING
from .queue import TRIES, Queue, Ticket
from .storage import Storage
from .worker import LEAST_FREE, Worker

logger = logging.getLogger(__name__)

LOOK = 1.0
"""Seconds between looks at what was cancelled and how far jobs are."""
REST = 1.0
"""Seconds before a worker that was lost is asked whether it is back."""
CLOSING = 30.0
"""Seconds in which a worker must end that has nothing more to bring to the storage."""
SILENCE = 3600.0
"""Seconds without any worker after which the driver gives up; jobs stay on the storage."""


@dataclass(frozen=True)
class FarmOptions:
    """How workers are made."""

    host: HostOptions
    workers: int = 1
    cpus: float = 1.0
    gpus: float = 0.0
    """Of each worker; Ray gives it that many devices and no others."""
    resources: dict[str, float] = field(default_factory=dict)
    scratch: str = "/tmp/wan-farm"
    lease: float = SECONDS
    free: int = LEAST_FREE
    tries: int = TRIES
    silence: float = SILENCE
    look: float = LOOK


class Driver:
    """A farm on the Ray cluster that this process is connected to.

    Args:
        version: of the pack, which each worker must have; None takes any.
    """

    def __init__(self, storage: Storage, options: FarmOptions, events: Events, version: str | None = None):
        self.storage, self.options, self.events, self.version = storage, options, events, version
        self.book, self.queue = Book(storage), Queue(tries=options.tries)
        # Workers need not have this code: it travels with their class.
        cloudpickle.register_pickle_by_value(sys.modules[__package__ or "farm"])
        made = ray.remote(Worker).options(
            num_cpus=options.cpus,
            num_gpus=options.gpus,
            resources=options.resources or None,
            max_restarts=-1,
            max_concurrency=4,
        )
        where = {"url": storage.url, "options": storage.options, "patience": storage.patience}
        more = (options.scratch, options.lease, options.free)
        self.hands = [Hand(made.remote(where, asdict(options.host), *more)) for _ in range(options.workers)]
        self.heard = time.monotonic()
        self.errors: list[str] = []  # of workers, each once, the last one last

    def object_info(self) -> dict:
        """What the first ComfyUI that is up says of its nodes.

        Raises:
            ClusterError: if none comes up.
        """
        return self._ask_any(lambda actor: actor.object_info.remote())

    def ask(self, prompt: dict) -> dict:
        """What a prompt shows that makes no video; see :meth:`~farm.worker.Worker.ask`.

        Raises:
            GraphError: if it fails.
            ClusterError: if no ComfyUI comes up.
        """
        if "error" in (told := self._ask_any(lambda actor: actor.ask.remote(prompt))):
            raise GraphError(told["error"])
        return told["shown"]

    def _ask_any(self, call: Callable[[Any], Any]) -> dict:
        errors = []
        for hand in self.hands:
            try:
                return ray.get(call(hand.actor), timeout=self.options.host.start + 60)
            except RayError as error:
                errors.append(_words(error))
        raise ClusterError("no worker's ComfyUI does it:\n" + "\n".join(errors))

    def drive(self, show: Callable[[Queue], None] = lambda queue: None) -> dict[str, str]:
        """Run all jobs of the storage that have not ended; returns the status of each.

        Args:
            show: is called now and then.
        """
        self._load()
        looked, self.heard = 0.0, time.monotonic()
        while self.queue.open:
            self._refuse_blocked()
            for hand in self.hands:
                self._advance(hand)
            calls = [hand.call for hand in self.hands if hand.call is not None]
            ready = ray.wait(calls, timeout=0.1)[0] if calls else time.sleep(0.1)
            for hand in [hand for hand in self.hands if ready and hand.call in ready]:
                self._hear(hand)
            if time.monotonic() - looked > self.options.look:
                looked = time.monotonic()
                self._look()
                show(self.queue)
            if any(hand.up for hand in self.hands):
                self.heard = time.monotonic()
            if not self.hands or time.monotonic() - self.heard > self.options.silence:
                self._give_up()
        show(self.queue)
        return {name: ticket.status for name, ticket in self.queue.tickets.items()}

    def _give_up(self) -> None:
        why = f"no worker for {self.options.silence:g} s" if self.hands else "no worker is left"
        last = f" The last one said: {self.errors[-1]}" if self.errors else ""
        self.events.tell("given_up", reason=f"{why}.{last}")
        raise ClusterError(f"{why}: the jobs stay on {self.storage.url}.{last}")

    def close(self) -> None:
        """Stop what runs, with its finished chunks kept, and end all workers."""
        calls = {hand.actor.close.remote(): hand.up for hand in self.hands}
        try:
            # Those that are not up have no chunk to bring anywhere, and may never be.
            for up, seconds in ((True, self.storage.patience + CLOSING), (False, CLOSING)):
                some = [call for call, was in calls.items() if was == up]
                if some:
                    ray.wait(some, num_returns=len(some), timeout=seconds)
        finally:
            for hand in self.hands:
                ray.kill(hand.actor)
            self.hands = []

    def _load(self) -> None:
        self.queue.tickets.clear()
        for name, state in self.book.states().items():
            self._add(name, state)

    def _add(self, name: str, state: dict) -> None:
        job, status = self.book.job(name), state.get("status", QUEUED)
        if job is not None:
            ticket = Ticket(job, status if status in ENDED else QUEUED, attempts=state.get("attempts", 0))
            ticket.chunks = state.get("chunks", 0)
            self.queue.tickets[name] = ticket

    def _advance(self, hand: Hand) -> None:
        """Ask a worker that is not asked anything for the next thing."""
        if hand.call is not None or time.monotonic() < hand.rest:
            return
        if not hand.up:
            hand.call = hand.actor.info.remote()
            return
        busy = {other.ticket.job.name for other in self.hands if other.ticket is not None}
        elsewhere = {other.loaded for other in self.hands if other is not hand and other.loaded}
        ticket = self.queue.pick(hand.loaded, elsewhere, busy)
        if ticket is None:
            return
        hand.ticket, hand.loaded, hand.since = ticket, ticket.job.models, time.monotonic()
        hand.chunks = hand.fresh = 0
        ticket.status, ticket.attempts = RUNNING, ticket.attempts + 1
        self._note(ticket, hand)
        self.events.tell("started", job=ticket.job.name, worker=hand.name, attempt=ticket.attempts)
        hand.call = hand.actor.run.remote(ticket.job.name)

    def _hear(self, hand: Hand) -> None:
        """Take what a worker answers."""
        call, hand.call = hand.call, None
        ticket, hand.ticket = hand.ticket, None
        try:
            answer: Any = ray.get(call)
        except RayError as error:
            self.events.tell("worker_lost", worker=hand.name, error=_words(error))
            self._log(f"{hand.name or 'A worker'}: {_words(error)}")
            hand.up, hand.loaded, hand.rest = False, "", time.monotonic() + REST
            if ticket is not None:
                told = {"status": LOST, "error": f"its worker was lost: {_words(error)}"}
                told |= {"chunks": hand.chunks, "fresh": hand.fresh, "seconds": time.monotonic() - hand.since}
                self._end(ticket, hand, told)
            return
        if ticket is not None:
            self._end(ticket, hand, answer)
        else:
            self._greet(hand, answer)

    def _greet(self, hand: Hand, answer: dict) -> None:
        hand.name = answer["name"]
        if answer["version"] is None or (self.version is not None and answer["version"] != self.version):
            found = "not the pack" if answer["version"] is None else f"version {answer['version']} of the pack"
            self._log(f"{hand.name} has {found}; {self.version or 'any version'} is needed. It gets no jobs.")
            self.events.tell("worker_refused", worker=hand.name, version=answer["version"], wanted=self.version)
            ray.kill(hand.actor)
            self.hands.remove(hand)
            return
        hand.up = True
        self.events.tell("worker", **answer)

    def _log(self, error: str) -> None:
        if error not in self.errors:
            logger.warning(error)
        self.errors = [*(each for each in self.errors if each != error), error]

    def _end(self, ticket: Ticket, hand: Hand, answer: dict) -> None:
        """Note how an attempt came out."""
        status, made = answer["status"], answer.get("chunks", 0)
        more = {key: answer[key] for key in ("chunks", "seconds", "error", "left") if key in answer}
        self.events.tell(status, job=ticket.job.name, worker=hand.name, attempt=ticket.attempts, **more)
        if status in ENDED:
            ticket.status, ticket.error, ticket.chunks = status, answer.get("error", ""), ticket.chunks + made
        elif status == HELD:
            ticket.status, ticket.attempts = QUEUED, ticket.attempts - 1
            self.queue.delay(ticket, min(max(answer["left"], 0.2), self.options.lease))
        else:
            again = self.queue.put_back(ticket, answer.get("error", status), made, answer.get("fresh", 0))
            ticket.status = QUEUED if again else FAILED
        self._note(ticket, hand)

    def _look(self) -> None:
        """See what was cancelled, and how far jobs are."""
        for name in self.book.names():
            if name not in self.queue.tickets:  # it was submitted meanwhile
                self._add(name, self.book.state(name) or {})
        asked = self.book.cancels()
        for ticket in self.queue.open:
            if ticket.job.name in asked and ticket.status == QUEUED:
                ticket.status = CANCELLED
                self.events.tell(CANCELLED, job=ticket.job.name)
                self._note(ticket, None)
        for hand in self.hands:
            if hand.ticket is not None and hand.ticket.job.name in asked:
                hand.actor.halt.remote()
        busy = {hand.actor.progress.remote(): hand for hand in self.hands if hand.ticket is not None}
        for call in ray.wait(list(busy), num_returns=len(busy), timeout=1.0)[0] if busy else []:
            hand = busy[call]
            try:
                told = ray.get(call)
            except RayError:  # its job's call says the same
                continue
            if hand.ticket is not None and told.get("chunks", 0) > hand.chunks:
                hand.chunks, hand.fresh = told["chunks"], told["fresh"]
                self._note(hand.ticket, hand, hand.chunks)

    def _refuse_blocked(self) -> None:
        for ticket, name in self.queue.blocked():
            ticket.status, ticket.error = FAILED, f"it needs {name}, which did not finish"
            self.events.tell(FAILED, job=ticket.job.name, error=ticket.error)
            self._note(ticket, None)

    def _note(self, ticket: Ticket, hand: Hand | None, chunks: int = 0) -> None:
        self.book.note(
            ticket.job.name,
            status=ticket.status,
            attempts=ticket.attempts,
            chunks=ticket.chunks + chunks,
            worker="" if hand is None else hand.name,
            error=ticket.error,
        )


def _words(error: BaseException) -> str:
    """The last line that says something of what Ray raises."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[-1] if lines else ''}"[:500]
