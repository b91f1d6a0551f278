"""What is done to the workers of a farm while it works, and what is known of it then."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import psutil

SECONDS = 120.0
"""For anything to happen that must, on a machine however busy."""
LOOK = 0.05
"""Seconds between looks at whether a job has a chunk."""
STOPPED = 3.0
"""Seconds for which a ComfyUI is held up so that something else comes first."""


@dataclass
class Driven:
    """What came of a drive."""

    jobs: list[str]
    """That were added for it."""
    statuses: dict[str, str] = field(default_factory=dict)
    events: list[dict] = field(default_factory=list)
    struck: dict[str, dict[str, psutil.Process]] = field(default_factory=dict)
    """By job the processes of its worker as they were before it was struck."""
    kept: dict[str, list[str]] = field(default_factory=dict)
    """By job the files of its run."""

    def told(self, job: str, event: str | None = None) -> list[dict]:
        """What happened to a job."""
        return [each for each in self.events if each.get("job") == job and event in (None, each["event"])]

    def made(self, job: str) -> int:
        """The chunks of all attempts at a job."""
        return sum(each.get("chunks", 0) for each in self.told(job))


class Strikes(threading.Thread):
    """Does something to each of some jobs once, when its first chunk is on the storage and a worker has it.

    Args:
        actions: by job what is done, which takes the processes of its worker.
    """

    def __init__(self, driver, driven: Driven, actions: dict):
        super().__init__(daemon=True)
        self.driver, self.driven, self.actions = driver, driven, dict(actions)
        self._ended = threading.Event()

    def run(self) -> None:
        while self.actions and not self._ended.wait(LOOK):
            for hand in list(self.driver.hands):
                ticket = hand.ticket
                job = ticket.job.name if ticket is not None else ""
                if job in self.actions and chunks(self.driver.storage, job):
                    self.driven.struck[job] = processes(hand)
                    self.actions.pop(job)(self.driven.struck[job])

    def end(self) -> None:
        self._ended.set()
        self.join()


def chunks(storage, run: str) -> list[str]:
    """The chunk files of a run."""
    return [name for name in storage.list("runs", run) if name.startswith("chunk_")]


def processes(hand) -> dict[str, psutil.Process]:
    """A worker, what guards its ComfyUI, and that."""
    import ray

    pids = ray.get(hand.actor.pids.remote(), timeout=SECONDS)
    return {"worker": psutil.Process(pids["pid"]), "guard": psutil.Process(pids["host"])} | comfyui(pids["host"])


def comfyui(guard: int) -> dict[str, psutil.Process]:
    """The one process that a guard started."""
    (child,) = psutil.Process(guard).children()
    return {"comfyui": child}


def is_gone(process: psutil.Process) -> bool:
    """Whether a process ends."""
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        try:
            if not process.is_running() or process.status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return True
        time.sleep(0.1)
    return False


def kill(name: str):
    """Kills one of a worker's processes."""
    return lambda found: found[name].send_signal(signal.SIGKILL)


def hang(found) -> None:
    """Has a ComfyUI answer no more."""
    found["comfyui"].send_signal(signal.SIGSTOP)


def hold(found) -> None:
    """Has a ComfyUI stand still for a while."""
    pid = found["comfyui"].pid
    os.kill(pid, signal.SIGSTOP)
    threading.Timer(STOPPED, os.kill, (pid, signal.SIGCONT)).start()


def read_events(path: Path, before: int = 0) -> list[dict]:
    """The events in a file from a byte on."""
    text = path.read_bytes()[before:].decode() if path.exists() else ""
    return [json.loads(line) for line in text.splitlines()]


def with_cut(job, object_info):
    """A second scene from another picture, from chunk 3 on, with a second prompt behind its first chunk."""
    from wan_motion_chunks.farm.graph import add_node

    prompt = job.prompt
    add_node(prompt, "other", "WanMotionTinyScene", {"seed": 8, "sprites": 2}, object_info)
    stacks = (
        ("one", {"positive": ["scene", 1], "start": 1.0}),
        ("two", {"positive": ["other", 1], "start": 3.0, "start_image": ["other", 0], "prompt_stack": ["one", 0]}),
        ("three", {"positive": ["scene", 1], "start": 4.0, "prompt_stack": ["two", 0]}),
    )
    for number, inputs in stacks:
        add_node(prompt, number, "WanMotionPromptStack", {"negative": "", "unit": "chunks"} | inputs, object_info)
    prompt["video"]["inputs"]["prompt"] = ""
    prompt["video"]["inputs"]["prompt_stack"] = ["three", 0]
    return job
