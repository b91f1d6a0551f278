"""A running host that prompts are tried in: with a bound on time, interrupted, killed and started again."""

from __future__ import annotations

import json
import os
import shutil
import time
import urllib.error
from pathlib import Path

import numpy as np
from PIL import Image
from safetensors.numpy import load_file

from ..server import HostError, Server
from .catalog import Catalog
from .models import write_models
from .outcome import DIED, HANGS, INTERRUPTED, INVALID, MADE, SLOW, Outcome, read_error
from .sinks import savers, with_prefix

OBEY_SECONDS = 30
"""How long an Interrupt may take."""
ANSWER_SECONDS = 10


class Host:
    """A ComfyUI with this pack in a folder of its own.

    Args:
        base: its folder, which is emptied.
        bound: seconds that a prompt may take.
    """

    def __init__(self, base: Path, bound: float):
        self.base, self.bound, self.queued = base, bound, 0
        shutil.rmtree(base, ignore_errors=True)
        write_models(base)
        self.home, self.temp = base / "home", base / "system_temp"
        for folder in (self.home, self.temp):
            folder.mkdir()
        self.server = Server(base=base)
        self.catalog = Catalog({})

    def __enter__(self) -> Host:
        self._start()
        self.catalog = Catalog(self.server.get("/object_info"))
        return self

    def __exit__(self, *_) -> None:
        self.server.__exit__(None, None, None)

    def _start(self) -> None:
        kept = {name: os.environ.get(name) for name in ("HOME", "TMPDIR")}
        os.environ.update(HOME=str(self.home), TMPDIR=str(self.temp))  # what it writes there is seen
        try:
            self.server.__enter__()
        finally:
            for name, value in kept.items():
                os.environ.pop(name) if value is None else os.environ.__setitem__(name, value)

    def restart(self) -> None:
        self.server.__exit__(None, None, None)
        self._start()

    def kill(self) -> None:
        self.server.process.kill()
        self.server.process.wait()
        self._start()

    def run(self, prompt: dict, *, interrupt: float | None = None, kill: float | None = None) -> Outcome:
        """Queue a prompt and wait.

        Args:
            interrupt: after so many seconds, or when it is done.
            kill: the host after so many seconds, and start it again.
        """
        began = time.monotonic()
        self.queued += 1
        try:
            number = self.server.queue(with_prefix(prompt, f"fuzz/{self.queued}"))
        except HostError as error:
            return Outcome(INVALID, _why(str(error)))
        except urllib.error.URLError as error:
            return self._died(str(error))
        if kill is not None:
            self._wait(number, began + kill)
            self.kill()
            return Outcome(INTERRUPTED, "killed")
        entry = self._wait(number, began + (self.bound if interrupt is None else interrupt))
        if entry is None:
            if self.server.process.poll() is not None:
                return self._died(self.server.log_tail(5))
            self.server.post("/interrupt")
            entry = self._wait(number, time.monotonic() + OBEY_SECONDS)
            if entry is None:
                self.kill()
                return Outcome(HANGS, f"{OBEY_SECONDS} s after an Interrupt")
            if interrupt is None:
                return Outcome(SLOW, f"{self.bound:.0f} s, then obeyed an Interrupt")
        outcome = self._read(prompt, entry)
        outcome.seconds = time.monotonic() - began
        return outcome

    def forget(self) -> None:
        """Have the host drop all that it has cached, nodes' results as models."""
        self.server.post("/free", {"unload_models": True, "free_memory": True})
        self.server.post("/history", {"clear": True})
        time.sleep(0.3)  # its worker does it when it next looks

    def answers(self) -> bool:
        try:
            return not any(self.server.get("/queue").values())
        except OSError:
            return False

    def _died(self, words: str) -> Outcome:
        self.kill()
        return Outcome(DIED, words)

    def _wait(self, number: str, until: float) -> dict | None:
        while time.monotonic() < until:
            try:
                history = self.server.get(f"/history/{number}")
            except OSError:
                time.sleep(1)
                if self.server.process.poll() is not None:
                    return None
                continue
            if number in history:
                return history[number]
            time.sleep(0.05)
        return None

    def _read(self, prompt: dict, entry: dict) -> Outcome:
        for event, data in entry["status"]["messages"]:
            if event == "execution_error":
                return read_error(self.catalog, prompt, data)
            if event == "execution_interrupted":
                return Outcome(INTERRUPTED, data["node_type"])
        saved = {number: given for number, given in entry["outputs"].items() if number in savers(prompt)}
        return Outcome(MADE, made={number: self._take(given) for number, given in sorted(saved.items())})

    def _take(self, given: dict) -> list[np.ndarray]:
        """What a node saved, which is removed."""
        arrays = []
        for saved in given.get("images", []) + given.get("latents", []):
            path = self.base / saved["type"] / saved["subfolder"] / saved["filename"]
            if path.suffix == ".latent":
                arrays.append(load_file(path)["latent_tensor"])
            else:
                with Image.open(path) as picture:
                    arrays.append(np.asarray(picture).astype(np.int16))
            path.unlink()
        return arrays


def _why(answer: str) -> str:
    """What the host found wrong with a prompt, in short."""
    try:
        wrong = json.loads(answer)["node_errors"].values()
    except (ValueError, KeyError, AttributeError):
        return answer[:300]
    return "; ".join(f"{node['class_type']}: {error['details']}" for node in wrong for error in node["errors"])[:300]
