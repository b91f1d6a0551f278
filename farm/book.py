"""The books of a farm: jobs, what became of them, and what was asked for, as files on the storage.

One file has one writer: a job's own is written when it is submitted, its state by the driver, its result by the worker
that finished it, once. Whoever starts anew reads them and knows all.
"""

from __future__ import annotations

import time
from pathlib import Path

from .jobs import Job, from_json
from .names import CANCELLED, CANCELS, DONE, ENDED, INPUTS, JOBS, QUEUED, RESULTS, STATES
from .storage import Storage


class Book:
    """The jobs on a storage."""

    def __init__(self, storage: Storage):
        self.storage = storage

    def clash(self, job: Job) -> str | None:
        """Why a job cannot be kept, where another of its name is there."""
        found = self.storage.read(JOBS, f"{job.name}.json")
        if found is None or found["digest"] == job.digest:
            return None
        return f"name: {job.name!r} is on the storage already and asks for something else. Take another name."

    def add(self, job: Job) -> str | None:
        """Keep a job and its files; why not, where another of that name is there."""
        there = set(self.storage.list(INPUTS))
        for name, path in job.files.items():
            if name not in there:
                self.storage.upload(Path(path), INPUTS, name)
        new = self.storage.write(job.to_json(), JOBS, f"{job.name}.json", new=True)
        return None if new else self.clash(job)

    def runs(self) -> dict[str, str]:
        """The runs of all jobs in lower case, as some file systems tell them apart, each with the job's name."""
        jobs = [job for job in map(self.job, self.names()) if job is not None]
        return {run.lower(): job.name for job in jobs for run in job.runs}

    def names(self) -> list[str]:
        """Of all jobs."""
        return [file.removesuffix(".json") for file in self.storage.list(JOBS)]

    def job(self, name: str) -> Job | None:
        found = self.storage.read(JOBS, f"{name}.json")
        return None if found is None else from_json(found)

    def state(self, name: str) -> dict | None:
        """What was last noted of a job."""
        return self.storage.read(STATES, f"{name}.json")

    def states(self) -> dict[str, dict]:
        """What became of each job so far."""
        done = {name.removesuffix(".json") for name in self.storage.list(RESULTS)}
        asked = {name.removesuffix(".json") for name in self.storage.list(CANCELS)}
        kept = set(self.storage.list(STATES))
        found = {}
        for name in self.names():
            state = (self.state(name) if f"{name}.json" in kept else None) or {"status": QUEUED}
            if name in done:
                state["status"] = DONE
            elif name in asked and state["status"] not in ENDED:
                state["status"] = CANCELLED
            found[name] = {"name": name, "attempts": 0, "chunks": 0, "worker": "", "error": ""} | state
        return found

    def note(self, name: str, **state) -> None:
        """Keep what became of a job."""
        self.storage.write(state | {"time": time.time()}, STATES, f"{name}.json")

    def result(self, name: str) -> dict | None:
        return self.storage.read(RESULTS, f"{name}.json")

    def cancel(self, names: list[str]) -> list[str]:
        """Ask for jobs to be stopped; those of them that there are, and have not ended."""
        states = self.states()
        found = [name for name in names if name in states and states[name]["status"] not in ENDED]
        for name in found:
            self.storage.write({"time": time.time()}, CANCELS, f"{name}.json")
        return found

    def cancels(self) -> set[str]:
        return {name.removesuffix(".json") for name in self.storage.list(CANCELS)}

    def forget(self, name: str) -> None:
        """Take back that a job was cancelled or failed."""
        self.storage.remove(CANCELS, f"{name}.json")
        self.storage.remove(STATES, f"{name}.json")
