"""A headless ComfyUI that a worker starts, watches and ends, over its HTTP API; standard library only."""

from __future__ import annotations

import http.client
import json
import logging
import re
import shlex
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .names import KEEP

logger = logging.getLogger(__name__)

GUARD = Path(__file__).with_name("guard.py").read_text(encoding="utf-8")
CLIENT = "wan-farm"
"""Who asks: only to somebody ComfyUI tells what nodes showed that it need not run again."""
FOLDERS = ("input", "output", "temp", "user")


class HostError(RuntimeError):
    """ComfyUI refused a prompt: it would do so again."""


class HostLost(RuntimeError):
    """ComfyUI ended, does not start or does not answer: another may do better."""


@dataclass(frozen=True)
class HostOptions:
    """How each worker starts its ComfyUI."""

    comfyui: str
    """Its folder, with ``main.py``."""
    python: str = sys.executable
    """The interpreter that has what ComfyUI needs."""
    arguments: str = ""
    """Of its command line, such as ``--cpu`` or ``--base-directory /data``."""
    start: float = 300.0
    """Seconds in which it must be up."""
    hang: float = 60.0
    """Seconds in which it must answer."""
    stall: float = 7200.0
    """Seconds in which it must finish a chunk."""

    @property
    def words(self) -> list[str]:
        return shlex.split(self.arguments)


class Host:
    """A ComfyUI with a folder of its own for inputs, outputs, temporary files and settings."""

    def __init__(self, options: HostOptions, folder: Path):
        self.options, self.folder = options, folder
        self.log = folder / "host.log"
        self.process: subprocess.Popen | None = None
        self.port = 0
        self.starts = 0
        self.closed = False
        self._starting = threading.Lock()

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def ensure(self) -> None:
        """Start it unless it runs and answers; who asks while another starts it waits for that.

        Raises:
            HostLost: if it does not come up, with the end of its log, or was closed.
        """
        with self._starting:
            if self.closed:
                raise HostLost("this worker is closed")
            if self.alive:
                try:
                    self.get("/system_stats")
                    return
                except HostLost as error:
                    logger.warning("%s: it is started again", error)
            self.stop()
            self._start()

    def stop(self) -> None:
        """End it and all that it started."""
        process, self.process = self.process, None
        if process is None:
            return
        assert process.stdin is not None  # it is the guard's pipe
        process.stdin.close()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def close(self) -> None:
        """End it for good: it is not started again."""
        self.closed = True
        self.stop()

    def queue(self, prompt: dict) -> str:
        """Have a prompt run; its id.

        Raises:
            HostError: if ComfyUI refuses it.
        """
        return self.post("/prompt", {"prompt": prompt, "client_id": CLIENT})["prompt_id"]

    def get(self, path: str) -> Any:
        """What the JSON of an answer holds; a ComfyUI that gives none is ended, as it is for :meth:`post`.

        Raises:
            HostLost: if there is none.
        """
        return self._ask(urllib.request.Request(self._url(path)))

    def post(self, path: str, content: object = None) -> Any:
        """What the JSON of an answer holds; None of an empty one.

        Raises:
            HostError: if ComfyUI refuses what it was sent.
        """
        body = json.dumps(content or {}).encode()
        return self._ask(urllib.request.Request(self._url(path), body, {"Content-Type": "application/json"}))

    def version(self) -> str | None:
        """The pack's; None where this ComfyUI does not have it."""
        module = self.get(f"/object_info/{KEEP}").get(KEEP, {}).get("python_module", "")
        if not module.startswith("custom_nodes."):
            return None
        name, places, words = module.removeprefix("custom_nodes."), [self.options.comfyui], self.options.words
        places += [words[at + 1] for at, word in enumerate(words[:-1]) if word == "--base-directory"]
        for place in reversed(places):
            project = Path(place) / "custom_nodes" / name / "pyproject.toml"
            if project.is_file():
                found = re.search(r'^version = "([^"]+)"', project.read_text(encoding="utf-8"), re.MULTILINE)
                return found[1] if found else "unknown"
        return "unknown"

    def log_tail(self, lines: int = 20) -> str:
        try:
            return "\n".join(self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])
        except FileNotFoundError:
            return ""

    def _start(self) -> None:
        main = Path(self.options.comfyui) / "main.py"
        if not main.is_file():
            raise HostLost(f"--comfyui is {self.options.comfyui}, but there is no main.py in it on this machine.")
        for name in FOLDERS:
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        self.port, self.starts = _free_port(), self.starts + 1
        command = [self.options.python, str(main), "--listen", "127.0.0.1", "--port", str(self.port)]
        command += ["--disable-auto-launch", "--database-url", f"sqlite:///{self.folder / 'host.db'}"]
        command += [*self.options.words]
        for name in FOLDERS:
            command += [f"--{name}-directory", str(self.folder / name)]
        with self.log.open("w", encoding="utf-8") as log:
            guarded = [sys.executable, "-c", GUARD, *command]
            self.process = subprocess.Popen(
                guarded,
                cwd=self.options.comfyui,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is the driver's: chunks are brought to the storage first
            )
        until = time.monotonic() + self.options.start
        while time.monotonic() < until and not self.closed:
            try:
                with urllib.request.urlopen(self._url("/system_stats"), timeout=5):
                    return
            except OSError:
                self._check()
                time.sleep(0.2)
        self.stop()
        why = "this worker was closed" if self.closed else f"it took longer than {self.options.start:g} s"
        raise HostLost(f"ComfyUI did not start, {why}. Its log ends:\n{self.log_tail()}")

    def _ask(self, request: urllib.request.Request) -> Any:
        try:
            return self._answer(request)
        except HostLost:
            self.stop()
            raise

    def _answer(self, request: urllib.request.Request) -> Any:
        try:
            with urllib.request.urlopen(request, timeout=self.options.hang) as answer:
                text = answer.read()
        except urllib.error.HTTPError as error:
            told = _refusal(error.read().decode(errors="replace"))
            raise (HostError if error.code == 400 else HostLost)(f"ComfyUI: {told}") from None
        except TimeoutError:
            raise HostLost(f"ComfyUI did not answer for {self.options.hang:g} s") from None
        except (OSError, http.client.HTTPException) as error:
            time.sleep(0.2)  # for the process to be gone, if it went
            self._check()
            raise HostLost(f"ComfyUI does not answer: {error}") from None
        return json.loads(text) if text else None

    def _check(self) -> None:
        if not self.alive:
            code = None if self.process is None else self.process.returncode
            raise HostLost(f"ComfyUI ended with exit code {code}. Its log ends:\n{self.log_tail()}")

    def _url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"


def failure(entry: dict) -> tuple[str, bool]:
    """The error in an entry of ComfyUI's history, and whether another try may help."""
    for event, data in entry["status"]["messages"]:
        if event == "execution_error":
            kind = data["exception_type"].rsplit(".", 1)[-1]
            return f"{data['node_type']}: {kind}: {data['exception_message']}".strip(), "OutOfMemory" in kind
        if event == "execution_interrupted":
            return f"{data['node_type']}: interrupted", True
    return entry["status"]["status_str"], False


def running_time(entry: dict) -> float:
    """For how many seconds ComfyUI worked on a prompt, by its history."""
    times = {event: data["timestamp"] for event, data in entry["status"]["messages"] if "timestamp" in data}
    return (max(times.values()) - times.get("execution_start", 0)) / 1000 if "execution_start" in times else 0.0


def _refusal(text: str) -> str:
    """What ComfyUI says of a prompt that it does not take, in one line for each node."""
    try:
        found = json.loads(text)
        lines = [found["error"]["message"]]
        for number, node in found.get("node_errors", {}).items():
            told = "; ".join(f"{error['message']}: {error['details']}" for error in node["errors"])
            lines.append(f"node {number} ({node['class_type']}): {told}")
        return "\n".join(lines)
    except (ValueError, KeyError, TypeError):
        return text[:1000]


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]
