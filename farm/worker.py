"""What runs on one device: a ComfyUI, and one job after another in it. Ray makes an actor of it."""

from __future__ import annotations

import errno
import logging
import os
import re
import shutil
import socket
import threading
import time
import uuid
from pathlib import Path

from .host import Host, HostError, HostLost, HostOptions, failure, running_time
from .jobs import Job, from_json
from .lease import SECONDS, Lease, Renewal, Seen, take
from .names import (
    CANCELLED,
    DONE,
    FAILED,
    HELD,
    INPUTS,
    JOBS,
    LOST,
    RESULTS,
    RETRY,
    RUNS,
    RUNS_FOLDER,
    TAKE,
    check_run,
)
from .outcome import collect, sweep
from .scratch import remove
from .storage import Storage
from .upkeep import Upkeep

logger = logging.getLogger(__name__)

POLL = 0.2
"""Seconds between looks at ComfyUI."""
LEAST_FREE = 2**28
"""Bytes that must be free before a job begins."""
AGAIN = 5.0
"""Seconds until a worker is asked again that is busy."""
BOUNDARY = 3600.0
"""Seconds in which a chunk must end once the run is lost."""


class Worker:
    """One ComfyUI and the jobs that it is given.

    Args:
        storage: what :class:`~farm.storage.Storage` is made with.
        options: what :class:`~farm.host.HostOptions` is made with.
        scratch: a folder on a local disk.
        lease: seconds that a run stays this worker's when nothing more is heard of it.
    """

    def __init__(self, storage: dict, options: dict, scratch: str, lease: float = SECONDS, free: int = LEAST_FREE):
        self.name = f"{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:6]}"
        self.storage = Storage(**storage)
        self.folder = Path(scratch) / self.name
        self.host = Host(HostOptions(**options), self.folder)
        self.lease_seconds, self.least_free = lease, free
        self.upkeep: Upkeep | None = None
        self.seen: Seen = {}
        self.halted, self.closed = threading.Event(), threading.Event()
        self._free = threading.Lock()
        _tidy(Path(scratch))

    def info(self) -> dict:
        """Starts ComfyUI if need be; who this is, and which version of the pack it has."""
        self.host.ensure()
        return {"name": self.name, "version": self.host.version()} | self.pids()

    def pids(self) -> dict:
        """The processes of this worker and of what guards its ComfyUI."""
        return {"pid": os.getpid(), "host": self._host_pid()}

    def object_info(self) -> dict:
        """What ComfyUI says of all its nodes."""
        self.host.ensure()
        return self.host.get("/object_info")

    def ask(self, prompt: dict) -> dict:
        """What the output nodes of a prompt ``shown`` that makes no video, or the ``error`` to which it comes."""
        self.host.ensure()
        try:
            number = self.host.queue(prompt)
        except HostError as error:
            return {"error": str(error)}
        while number not in (history := self.host.get(f"/history/{number}")):
            time.sleep(POLL)
        if history[number]["status"]["status_str"] != "success":
            return {"error": failure(history[number])[0]}
        return {"shown": history[number]["outputs"]}

    def progress(self) -> dict:
        """How far the job is that runs."""
        upkeep = self.upkeep
        return {"worker": self.name} | ({} if upkeep is None else {"chunks": upkeep.made, "fresh": upkeep.fresh})

    def halt(self) -> None:
        """Stop the job that runs; its finished chunks stay."""
        self.halted.set()

    def close(self) -> None:
        """End what runs, its finished chunks kept, then ComfyUI, and remove what is in the scratch folder."""
        if self.closed.is_set():
            return
        self.closed.set()
        self.host.closed = True  # what runs in it may end, nothing begins
        ended = self._free.acquire(timeout=self.storage.patience)
        self.host.close()
        if ended:  # else there may be chunks that the storage has not taken
            remove(self.folder, self.folder.parent, tree=True)

    def run(self, name: str) -> dict:
        """Run a job to its end, or as far as it goes: the status, and what to say of it."""
        if self.closed.is_set() or not self._free.acquire(blocking=False):  # a call that was thought to be lost goes on
            return {"worker": self.name, "status": HELD, "left": AGAIN}
        try:
            return self._run(name)
        finally:
            self._free.release()

    def _run(self, name: str) -> dict:
        began, self.halted = time.monotonic(), threading.Event()
        told = {"worker": self.name, "chunks": 0, "fresh": 0}
        try:
            if self.storage.exists(RESULTS, f"{name}.json"):
                return told | {"status": DONE}
            found = self.storage.read(JOBS, f"{name}.json")
            if found is None:
                return told | {"status": FAILED, "error": f"{JOBS}/{name}.json is not on the storage."}
            self._hold(from_json(found), told)
        except HostError as error:
            told |= {"status": FAILED, "error": str(error)}
        except (HostLost, OSError) as error:  # of the disk or the storage: elsewhere it may do
            told |= {"status": RETRY, "error": f"{type(error).__name__}: {error}"}
        return told | {"seconds": time.monotonic() - began}

    def _hold(self, job: Job, told: dict) -> None:
        """Run a job while its runs are this worker's; adds to what is told of it."""
        try:
            folders = {check_run(run) for run in (*job.runs, *job.pulls, *job.pulls.values())}
        except ValueError as error:  # nothing is read or removed by such a name
            told |= {"status": FAILED, "error": str(error)}
            return
        renewal = Renewal()
        renewal.start()
        try:
            for run in job.runs:
                lease = take(self.storage, run, self.name, self.lease_seconds, self.seen)
                if not isinstance(lease, Lease):
                    told |= {"status": HELD, "left": lease}
                    return
                renewal.leases.append(lease)
            upkeep = self.upkeep = Upkeep(self.storage, self.runs_folder, job.runs, self._fetch(job))
            upkeep.start()
            try:
                told |= self._make(job, upkeep, renewal)
            finally:
                try:
                    upkeep.finish(manifests=not renewal.lost.is_set())
                    for run in folders:  # not unless all chunks are on the storage
                        remove(self.runs_folder / run, self.folder, tree=True)
                finally:
                    told |= {"chunks": upkeep.made, "fresh": upkeep.fresh}
        finally:
            self.upkeep = None
            renewal.end()

    def _make(self, job: Job, upkeep: Upkeep, renewal: Renewal) -> dict:
        self.host.ensure()
        entry, stopped = self._wait(self.host.queue(job.prompt), upkeep, renewal)
        if stopped:
            return {"status": stopped}
        if entry["status"]["status_str"] != "success":
            why, again = failure(entry)
            again = again or shutil.disk_usage(self.folder).free < self.least_free
            if again:
                self.host.stop()
            return {"status": RETRY if again else FAILED, "error": why}
        upkeep.finish()  # a result never stands there before its chunks
        shown, output = entry["outputs"], self.folder / "output"
        try:
            if not shown:
                raise FileNotFoundError("ComfyUI ran the prompt, and showed and saved nothing")
            result = collect(self.storage, job, shown, output)
            sweep(shown, output)
        except FileNotFoundError as error:
            self.host.stop()  # else it names again what it has in memory
            return {"status": RETRY, "error": f"{type(error).__name__}: {error}"}
        result |= {"worker": self.name, "made": upkeep.made, "comfyui_seconds": running_time(entry)}
        self.storage.write(result, RESULTS, f"{job.name}.json", new=True)
        return {"status": DONE}

    def _wait(self, prompt: str, upkeep: Upkeep, renewal: Renewal) -> tuple[dict, str]:
        """ComfyUI's history of a prompt, and why it was stopped if it was.

        Raises:
            HostLost: if it makes no chunk for too long, or does not stop; a job without runs is only bound to stop.
        """
        stopped, asked, known, until = "", False, 0, 0.0
        seen, since = -1, time.monotonic()
        while True:
            queued = self._is_queued(prompt) if asked else True  # before its history: it moves from one to the other
            history = self.host.get(f"/history/{prompt}")
            if prompt in history or not queued:
                return history.get(prompt, {}), stopped if asked else ""
            if upkeep.count() > seen:
                seen, since = upkeep.count(), time.monotonic()
            if time.monotonic() - since > self.host.options.stall and (upkeep.runs or asked):
                self.host.stop()
                raise HostLost(f"ComfyUI finished no chunk in {self.host.options.stall:g} s")
            if (self.halted.is_set() or self.closed.is_set()) and not asked:
                stopped, asked, since = CANCELLED, True, time.monotonic()
                self._interrupt(prompt)
            elif renewal.lost.is_set() and not stopped:
                stopped, known, until = LOST, upkeep.count(), time.monotonic() + BOUNDARY
            elif stopped and not asked and (upkeep.count() > known or time.monotonic() > until):
                asked, since = True, time.monotonic()  # between two chunks
                self._interrupt(prompt)
            time.sleep(POLL)

    def _is_queued(self, prompt: str) -> bool:
        queue = self.host.get("/queue")
        return any(entry[1] == prompt for entry in (*queue["queue_running"], *queue["queue_pending"]))

    def _interrupt(self, prompt: str) -> None:
        self.host.post("/queue", {"delete": [prompt]})
        self.host.post("/interrupt")

    def _fetch(self, job: Job) -> set[tuple[str, str]]:
        """Bring the files that a job needs here, and the chunks of its runs that there are.

        Returns:
            Chunks of other runs, by run and name, that may stay in those alone: all but of a job that puts a video
            together, which is whole on the storage in the end.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(self.folder).free
        if free < self.least_free:
            asked = f"{self.least_free / 2**20:.0f} MiB"
            words = f"--scratch: {self.folder} has {free / 2**20:.0f} MiB free, {asked} are needed."
            raise OSError(errno.ENOSPC, words)
        for name in job.files:
            target = self.folder / "input" / name
            if not target.is_file():
                self.storage.download(target, INPUTS, name)
        left = set()
        for source, target in (*((run, run) for run in job.runs), *job.pulls.items()):
            for name in self.storage.list(RUNS, source):
                if re.fullmatch(TAKE, name):
                    self.storage.download(self.runs_folder / target / name, RUNS, source, name)
                    left |= set() if source == target or job.after else {(target, name)}
        return left

    @property
    def runs_folder(self) -> Path:
        return self.folder / "output" / RUNS_FOLDER

    def _host_pid(self) -> int | None:
        return self.host.process.pid if self.host.process is not None else None


def _tidy(scratch: Path) -> None:
    """Remove what workers of this machine left in the scratch folder that are gone."""
    for folder in scratch.glob("*"):
        found = re.fullmatch(rf"{re.escape(socket.gethostname())}-([0-9]+)-[0-9a-f]{{6}}", folder.name)
        if found is None or folder.is_symlink():
            continue
        try:
            os.kill(int(found[1]), 0)
        except ProcessLookupError:
            remove(folder, scratch, tree=True)
        except (OverflowError, PermissionError):  # none of ours
            continue
