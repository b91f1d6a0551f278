"""What the farm costs, and what it survives: ``python -m farm.bench throughput`` and ``python -m farm.bench kills``.

Jobs are videos of the tiny model on the CPU, each ComfyUI with one thread; ``COMFYUI_PATH`` names the ComfyUI.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from .example import tiny_prompt
from .graph import keep_run
from .host import Host, HostOptions, running_time
from .jobs import Job
from .scratch import remove

ROOT = Path(__file__).resolve().parents[1]
TARGETS = ("worker", "host", "driver", "store")
AWAY = 5.0
"""Seconds for which the store's server is stopped: what moto keeps in memory would be lost with its process."""
LONGEST = 3600.0
"""Seconds of all kills together, at most."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m farm.bench", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("what", choices=("throughput", "kills"))
    parser.add_argument("--jobs", type=int, default=12)
    parser.add_argument("--frames", type=int, default=41, help="of each video")
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--pause", type=float, default=20.0, help="seconds between kills, on average")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"
    with tempfile.TemporaryDirectory(prefix="farm-bench-") as name:
        folder = Path(name)
        (folder / "base" / "custom_nodes").mkdir(parents=True)
        (folder / "base" / "models").mkdir()
        (folder / "base" / "custom_nodes" / "wan-motion-chunks").symlink_to(ROOT, target_is_directory=True)
        words = f"--cpu --disable-api-nodes --base-directory {folder / 'base'}"
        host = HostOptions(os.environ["COMFYUI_PATH"], arguments=words)
        return (_throughput if options.what == "throughput" else _kills)(options, folder, host)


def _throughput(options: argparse.Namespace, folder: Path, host: HostOptions) -> int:
    bare = Host(host, folder / "bare")
    bare.ensure()
    known = bare.get("/object_info")
    _run_bare(bare, _prompt(known, options.frames, "warm", 99))  # models are loaded from here on
    began, within = time.monotonic(), 0.0
    for seed in range(options.jobs):
        within += _run_bare(bare, _prompt(known, options.frames, f"bare-{seed}", seed))
    seconds = time.monotonic() - began
    bare.stop()
    print(f"{'':12} {'jobs':>4}  {'s':>7}  {'s a job':>7}  {'s a job outside of ComfyUI':>26}")
    _row("bare ComfyUI", options.jobs, seconds, seconds - within)
    from . import cluster
    from .driver import Driver, FarmOptions
    from .events import Events
    from .storage import Storage

    for workers in (1, 2):
        cluster.connect("local", cpus=workers)
        storage = Storage(str(folder / f"storage-{workers}"))
        farm = FarmOptions(host, workers, scratch=str(folder / "scratch"))
        driver = Driver(storage, farm, Events(folder / "events.jsonl"))
        for number in range(workers):  # models are loaded from here on
            driver.book.add(Job(f"warm-{number}", _prompt(known, options.frames, f"warm-{number}", 99)))
        driver.drive()
        for seed in range(options.jobs):
            driver.book.add(Job(f"job-{seed}", _prompt(known, options.frames, f"job-{seed}", seed)))
        began = time.monotonic()
        driver.drive()
        seconds = time.monotonic() - began
        driver.close()
        found = [driver.book.result(f"job-{seed}") or {} for seed in range(options.jobs)]
        told = [json.loads(line) for line in (folder / "events.jsonl").read_text(encoding="utf-8").splitlines()]
        remove(folder / "events.jsonl", folder)
        taken = sum(each["seconds"] for each in told if each["event"] == "done" and each["job"].startswith("job-"))
        cluster.disconnect()
        outside = taken - sum(each["comfyui_seconds"] for each in found)
        _row(f"{workers} worker{'s'[: workers - 1]}", options.jobs, seconds, outside)
    return 0


def _kills(options: argparse.Namespace, folder: Path, host: HostOptions) -> int:
    bare = Host(host, folder / "bare")
    bare.ensure()
    known = bare.get("/object_info")
    for seed in range(options.jobs):
        _run_bare(bare, _prompt(known, options.frames, f"twin-{seed}", seed))
    bare.stop()
    twins = [_contents(_manifest(bare.folder, f"twin-{seed}")) for seed in range(options.jobs)]
    chance, kills, rounds = random.Random(options.seed), dict.fromkeys(TARGETS, 0), 0
    farm = _Farm(folder, host, known, options)
    until = time.monotonic() + LONGEST
    try:
        while sum(kills.values()) < options.kills and time.monotonic() < until:
            rounds += 1
            farm.submit(rounds)
            while not farm.done(rounds) and time.monotonic() < until:
                time.sleep(chance.uniform(0.2, 2 * options.pause))
                farm.start_again()
                target = TARGETS[sum(kills.values()) % len(TARGETS)]
                if sum(kills.values()) < options.kills and not farm.done(rounds) and farm.strike(target):
                    kills[target] += 1
                    print(f"{time.strftime('%H:%M:%S')} {target}: {sum(kills.values())} kills", flush=True)
            if farm.done(rounds):
                farm.join()
        finished, other = farm.compare(rounds, twins)
    finally:
        farm.close()
    asked = rounds * options.jobs
    print(kills)
    print(f"{finished} of {asked} jobs finished, {other} with other chunks than undisturbed")
    return 0 if finished == asked and not other else 1


class _Farm:
    """A driver in a process of its own, over a store whose server is another."""

    def __init__(self, folder: Path, host: HostOptions, known: dict, options: argparse.Namespace):
        from .storage import Storage

        self.folder, self.host, self.known, self.options = folder, host, known, options
        self.events, self.driver = folder / "events.jsonl", None
        os.environ |= {"AWS_ACCESS_KEY_ID": "bench", "AWS_SECRET_ACCESS_KEY": "bench"}
        self.server = subprocess.Popen(
            [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", "5997"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.more = {"endpoint_url": "http://127.0.0.1:5997", "client_kwargs": {"region_name": "eu-west-1"}}
        self.more["config_kwargs"] = {"connect_timeout": 5, "read_timeout": 20}
        self.storage = Storage("s3://farm/bench", self.more)
        self.storage.insist(lambda: self.storage.fs.mkdirs("farm", exist_ok=True))

    def submit(self, number: int) -> None:
        from .book import Book

        for seed in range(self.options.jobs):
            name = f"round-{number}-{seed}"
            Book(self.storage).add(Job(name, _prompt(self.known, self.options.frames, name, seed)))
        self.start()

    def start(self) -> None:
        command = [sys.executable, "-m", "farm", "work", "--address", "local", "--workers", "2", "--lease", "6"]
        command += ["--storage", self.storage.url, "--storage-options", json.dumps(self.more)]
        command += ["--comfyui", self.host.comfyui, f"--host-arguments={self.host.arguments}", "--hang", "120"]
        command += ["--scratch", str(self.folder / "scratch"), "--events", str(self.events)]
        with (self.folder / "driver.log").open("a") as log:
            self.driver = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)

    def start_again(self) -> None:
        """Start another driver if there is none, as whoever looks after it would."""
        if self.driver is None or self.driver.poll() is not None:
            print(f"the driver ended with {self.driver and self.driver.poll()}", flush=True)
            self.start()

    def done(self, number: int) -> bool:
        names = self.storage.list("results")
        return sum(name.startswith(f"round-{number}-") for name in names) == self.options.jobs

    def strike(self, target: str) -> bool:
        """Kill something, if it is there."""
        if target == "store":
            self.server.send_signal(signal.SIGSTOP)
            time.sleep(AWAY)
            self.server.send_signal(signal.SIGCONT)
            return True
        assert self.driver is not None
        if target == "driver":
            if self.driver.poll() is not None:
                return False
            self.driver.kill()
            self.driver.wait()
            self.start()
            return True
        lines = self.events.read_text(encoding="utf-8").splitlines() if self.events.exists() else []
        told = [json.loads(line) for line in lines[-200:]]
        for pids in [each for each in reversed(told) if each["event"] == "worker"]:
            pid = pids["pid"] if target == "worker" else _child(pids["host"])
            if pid is not None and Path(f"/proc/{pid}").exists():
                os.kill(pid, signal.SIGKILL)
                return True
        return False

    def join(self) -> None:
        if self.driver is not None:
            self.driver.wait(600)

    def compare(self, rounds: int, twins: list[list[str]]) -> tuple[int, int]:
        finished = other = 0
        for number in range(1, rounds + 1):
            for seed, twin in enumerate(twins):
                name = f"round-{number}-{seed}"
                finished += self.storage.exists("results", f"{name}.json")
                manifest = self.storage.read("runs", name, "run.json")
                other += manifest is None or _contents(manifest) != twin
        return finished, other

    def close(self) -> None:
        if self.driver is not None and self.driver.poll() is None:
            self.driver.kill()
        self.server.kill()


def _row(name: str, jobs: int, seconds: float, outside: float) -> None:
    print(f"{name:12} {jobs:4d}  {seconds:7.1f}  {seconds / jobs:7.2f}  {outside / jobs:26.2f}", flush=True)


def _prompt(known: dict, frames: int, run: str, seed: int) -> dict:
    prompt = tiny_prompt(known, frames, seed=seed)
    keep_run(prompt, run, known)
    return prompt


def _run_bare(host: Host, prompt: dict) -> float:
    """Run a prompt; for how many seconds ComfyUI worked on it."""
    number = host.queue(prompt)
    while number not in (history := host.get(f"/history/{number}")):
        time.sleep(0.2)
    return running_time(history[number])


def _manifest(folder: Path, run: str) -> dict:
    return json.loads((folder / "output" / "wan_motion_runs" / run / "run.json").read_text(encoding="utf-8"))


def _contents(manifest: dict) -> list[str]:
    return [chunk["content"] for chunk in manifest["chunks"]]


def _child(pid: int | None) -> int | None:
    """The process that a guard started; None where either is gone."""
    try:
        words = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except FileNotFoundError:
        return None
    return int(words[0]) if words else None


if __name__ == "__main__":
    raise SystemExit(main())
