"""The host as a developer starts it."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request

import pytest
from wan_motion_chunks.tests.comfyui import comfyui_path
from wan_motion_chunks.tools.environment import ROOT

COMMAND = (sys.executable, str(ROOT / "tools" / "run.py"), "tools.server", "--cpu", "--port")


@pytest.fixture
def environ(tmp_path):
    return os.environ | {"COMFYUI_PATH": str(comfyui_path()), "XDG_CACHE_HOME": str(tmp_path)}


def _heed_interrupt():
    """What a shell runs in the background, these tests too, ignores the signal."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.skipif(sys.platform != "linux", reason="its cache folder is chosen by XDG_CACHE_HOME")
def test_it_runs_at_the_port_that_is_asked_for_until_it_is_stopped(environ):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with subprocess.Popen(
        [*COMMAND, str(port)], env=environ, stdout=subprocess.PIPE, text=True, preexec_fn=_heed_interrupt
    ) as process:
        try:
            assert process.stdout is not None
            (url,) = re.findall(r"http://\S+", process.stdout.readline())
            assert url == f"http://127.0.0.1:{port}"
            with urllib.request.urlopen(f"{url}/object_info/WanMotionLongVideo", timeout=60) as answer:
                assert "WanMotionLongVideo" in json.load(answer)
        finally:
            process.send_signal(signal.SIGINT)
            try:
                code = process.wait(30)
            finally:
                process.kill()  # else leaving the block would wait for one that does not heed it
        assert code == 0


def test_a_port_that_is_taken_is_named(environ):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = subprocess.run([*COMMAND, port], env=environ, capture_output=True, text=True)
    assert done.returncode == 1
    assert port in done.stderr
    assert len(done.stderr.splitlines()) == 1
