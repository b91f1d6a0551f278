"""A real ComfyUI as a child process, and its HTTP API; standard library only."""

from __future__ import annotations

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
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
START_SECONDS = 180
PACK = "wan-motion-chunks"
FAILURES = ("IMPORT FAILED", "Cannot import", "Error while calling comfy_entrypoint")
"""What the host logs, with its name, when a pack does not load; it starts all the same."""


class HostError(RuntimeError):
    """The host refused or failed a prompt, or did not start."""


class Server:
    """``with Server() as server: server.execute(prompt)``: headless, on the CPU, in a folder of its own."""

    def __init__(self, *, comfyui: Path | None = None, arguments: tuple[str, ...] = (), port: int | None = None):
        self.comfyui = comfyui or Path(os.environ["COMFYUI_PATH"])
        self.arguments = arguments
        self.port = port or _free_port()
        self.base = Path(tempfile.mkdtemp(prefix="wan-motion-chunks-"))
        self.log = self.base / "host.log"

    def __enter__(self) -> Server:
        for folder in ("custom_nodes", "input", "models", "output"):
            (self.base / folder).mkdir()
        pack = self.base / "custom_nodes" / PACK
        try:
            pack.symlink_to(ROOT, target_is_directory=True)
        except OSError:  # Windows without the right to make links
            shutil.copytree(ROOT, pack, ignore=shutil.ignore_patterns(".venv", ".git", "demo"))
        command = [sys.executable, str(self.comfyui / "main.py"), "--cpu", "--port", str(self.port)]
        command += ["--base-directory", str(self.base), "--database-url", f"sqlite:///{self.base / 'host.db'}"]
        command += ["--disable-api-nodes", "--preview-method", "latent2rgb", *self.arguments]
        with self.log.open("w", encoding="utf-8") as log:
            self.process = subprocess.Popen(command, cwd=self.comfyui, stdout=log, stderr=subprocess.STDOUT)
        try:
            self._wait_until_up()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_) -> None:
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        link = self.base / "custom_nodes" / PACK
        if link.is_symlink():
            link.unlink()
        shutil.rmtree(self.base, ignore_errors=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def get(self, path: str) -> object:
        with urllib.request.urlopen(self.url + path, timeout=60) as answer:
            return json.load(answer)

    def post(self, path: str, content: object = None) -> object:
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

    def wait(self, prompt_id: str, seconds: float = 3600) -> dict:
        """The finished prompt's history entry, whatever its status."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            history = self.get(f"/history/{prompt_id}")
            if prompt_id in history:
                return history[prompt_id]
            self._check_alive()
            time.sleep(0.2)
        raise HostError(f"The prompt did not finish in {seconds} seconds. The host's log ends:\n{self.log_tail()}")

    def execute(self, prompt: dict, seconds: float = 3600) -> dict:
        """Run a prompt and return the outputs of its output nodes by node id; raises with the host's message."""
        entry = self.wait(self.queue(prompt), seconds)
        if entry["status"]["status_str"] != "success":
            raise HostError(failure(entry))
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
            except (urllib.error.URLError, ConnectionError):
                time.sleep(0.3)
                continue
            lines = [line for line in self.log_text().splitlines() if PACK in line]
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


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def main(arguments: list[str]) -> int:
    """Run the host in the foreground until it is stopped."""
    with Server(port=8188, arguments=tuple(arguments)) as server:
        print(f"ComfyUI with this pack: {server.url} (its log: {server.log}; stop with Ctrl-C)")
        try:
            return server.process.wait()
        except KeyboardInterrupt:
            return 0
