"""A real ComfyUI as a child process, and its HTTP API; standard library only."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .environment import ROOT, cache

START_SECONDS = 180
PACK = "wan-motion-chunks"
FAILURES = ("IMPORT FAILED", "Cannot import", "Error while calling comfy_entrypoint")
"""What the host logs, with its folder, when a pack does not load; it starts all the same."""


class HostError(RuntimeError):
    """The host refused or failed a prompt, or did not start."""


class Server:
    """``with Server() as server: server.execute(prompt)``: a headless ComfyUI with this pack.

    Args:
        arguments: of ComfyUI's own command line.
        base: folder of its models, inputs and outputs; without one, a temporary folder that is
            removed in the end, unless something failed.
        port: checked to be free; without one, any.
    """

    def __init__(self, *, arguments: tuple[str, ...] = ("--cpu",), base: Path | None = None, port: int | None = None):
        self.comfyui = Path(os.environ["COMFYUI_PATH"])
        self.arguments = arguments
        self.port = _free_port(port or 0)
        self.temporary = base is None
        self.base = base or Path(tempfile.mkdtemp(prefix=f"{PACK}-"))
        self.log = self.base / "host.log"

    def __enter__(self) -> Server:
        for folder in ("custom_nodes", "input", "models", "output"):
            (self.base / folder).mkdir(parents=True, exist_ok=True)
        self._install_pack()
        command = [sys.executable, str(self.comfyui / "main.py"), "--port", str(self.port)]
        command += ["--base-directory", str(self.base), "--database-url", f"sqlite:///{self.base / 'host.db'}"]
        command += ["--disable-api-nodes", "--preview-method", "latent2rgb", *self.arguments]
        with self.log.open("w", encoding="utf-8") as log:
            self.process = subprocess.Popen(command, cwd=self.comfyui, stdout=log, stderr=subprocess.STDOUT)
        try:
            self._wait_until_up()
        except BaseException as error:
            self.__exit__(type(error), error, None)
            raise
        return self

    def __exit__(self, kind, error, traceback) -> None:
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if self.temporary and error is None:
            self._pack.unlink() if self._pack.is_symlink() else None  # never follow it
            shutil.rmtree(self.base, ignore_errors=True)
        elif self.temporary:
            print(f"The host's log is kept in {self.log}", file=sys.stderr)

    @property
    def _pack(self) -> Path:
        return self.base / "custom_nodes" / PACK

    def _install_pack(self) -> None:
        if self._pack.is_symlink():
            self._pack.unlink()
        elif self._pack.exists():
            shutil.rmtree(self._pack)
        try:
            self._pack.symlink_to(ROOT, target_is_directory=True)
        except OSError:  # Windows without the right to make links
            shutil.copytree(ROOT, self._pack, ignore=shutil.ignore_patterns(".venv", ".git", "demo"))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def get(self, path: str) -> Any:
        """What the JSON of an answer holds."""
        with urllib.request.urlopen(self.url + path, timeout=60) as answer:
            return json.load(answer)

    def text(self, path: str) -> str:
        with urllib.request.urlopen(self.url + path, timeout=60) as answer:
            return answer.read().decode()

    def post(self, path: str, content: object = None) -> Any:
        """What the JSON of an answer holds; None of an empty one."""
        body = json.dumps(content or {}).encode()
        request = urllib.request.Request(self.url + path, body, {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                text = answer.read()
        except urllib.error.HTTPError as error:
            raise HostError(error.read().decode()) from None
        return json.loads(text) if text else None

    def queue(self, prompt: dict) -> str:
        """Queue a prompt in the API format; returns its id."""
        return self.post("/prompt", {"prompt": prompt})["prompt_id"]

    def wait(self, prompt_id: str, seconds: float = 3600, watch: Callable[[str], None] | None = None) -> dict:
        """The finished prompt's history entry, whatever its status; ``watch`` is told each new line of the log."""
        deadline = time.monotonic() + seconds
        with self.log.open(encoding="utf-8", errors="replace") as log:
            log.seek(0, os.SEEK_END)
            while time.monotonic() < deadline:
                try:
                    history = self.get(f"/history/{prompt_id}")
                except OSError:
                    time.sleep(1)  # for the process to be gone, if it went
                    self._check_alive()
                    raise
                if watch is not None:
                    for line in log:
                        watch(line.rstrip())
                if prompt_id in history:
                    return history[prompt_id]
                time.sleep(0.2)
        raise HostError(f"The prompt did not finish in {seconds} seconds. The host's log ends:\n{self.log_tail()}")

    def execute(self, prompt: dict, seconds: float = 3600, watch: Callable[[str], None] | None = None) -> dict:
        """Run a prompt and return the outputs of its output nodes by node id; raises with the host's message."""
        entry = self.wait(self.queue(prompt), seconds, watch)
        if entry["status"]["status_str"] != "success":
            raise HostError(f"{failure(entry)}\nThe host's log ends:\n{self.log_tail()}")
        return entry["outputs"]

    def log_text(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    def log_tail(self, lines: int = 30) -> str:
        return "\n".join(self.log_text().splitlines()[-lines:])

    def _wait_until_up(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            self._check_alive()
            try:
                self.get("/system_stats")
            except OSError:
                time.sleep(0.3)
                continue
            lines = [line for line in self.log_text().splitlines() if str(Path("custom_nodes", PACK)) in line]
            if any(failure in line for line in lines for failure in FAILURES):
                raise HostError("ComfyUI could not import the pack:\n" + "\n".join(lines))
            return
        raise HostError(f"ComfyUI did not start in {START_SECONDS} seconds:\n{self.log_tail()}")

    def _check_alive(self) -> None:
        if self.process.poll() is not None:
            raise HostError(f"ComfyUI ended with exit code {self.process.returncode}:\n{self.log_tail()}")


def failure(entry: dict) -> str:
    """The error or interruption in a history entry, in one line."""
    for event, data in entry["status"]["messages"]:
        if event == "execution_error":
            return f"{data['node_type']}: {data['exception_type']}: {data['exception_message']}".strip()
        if event == "execution_interrupted":
            return f"{data['node_type']}: interrupted"
    return entry["status"]["status_str"]


def _free_port(port: int) -> int:
    """``port``, or any free one for 0; raises HostError when it is taken."""
    with socket.socket() as listener:
        try:
            listener.bind(("127.0.0.1", port))
        except OSError:
            raise HostError(f"Port {port} is taken; is another ComfyUI running?") from None
        return listener.getsockname()[1]


def main(arguments: list[str]) -> int:
    """Run the host in the foreground until it is stopped; what it makes stays in the cache folder."""
    more = "All other arguments are ComfyUI's own, such as --cpu."
    parser = argparse.ArgumentParser(prog="dev.py host", epilog=more, allow_abbrev=False)
    parser.add_argument("--port", type=int, default=8188, help="8188 by default; 0 takes any that is free")
    options, rest = parser.parse_known_args(arguments)
    try:
        with Server(port=options.port, arguments=tuple(rest), base=cache() / "host") as server:
            words = f"(models and results: {server.base}; stop with Ctrl-C)"
            print(f"ComfyUI with this pack: {server.url} {words}", flush=True)
            return server.process.wait()
    except HostError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0
