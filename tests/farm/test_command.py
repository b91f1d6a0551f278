"""The command line in processes of its own, and a driver that is killed."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest
from wan_motion_chunks.tools.environment import ROOT

SECONDS = 300
"""For one call, at most: a busy machine takes long to start a ComfyUI."""


@pytest.fixture
def farm(cluster, shared, host_options, tmp_path):
    """Starts the command line over the cluster of the tests."""
    storage = ["--storage", str(tmp_path / "storage")]
    work = ["--address", cluster.get_runtime_context().gcs_address, "--comfyui", host_options.comfyui]
    work += [f"--host-arguments={host_options.arguments}", "--scratch", str(tmp_path / "scratch"), "--lease", "3"]
    work += ["--events", str(tmp_path / "events.jsonl"), "--workers", "1"]

    def start(word, *arguments):
        command = [sys.executable, "-m", "farm", word, *arguments, *storage]
        command += work if word in ("submit", "work") else []
        return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    return start


@pytest.fixture
def call(farm):
    """Runs a command to its end: exit code, and what it wrote."""

    def run(*arguments):
        process = farm(*arguments)
        out, errors = process.communicate(timeout=SECONDS)
        return process.returncode, out, errors

    return run


@pytest.fixture
def jobs(tmp_path, object_info):
    """A file of jobs over the tiny workflow."""
    from wan_motion_chunks.farm.example import tiny_prompt

    (tmp_path / "W.json").write_text(json.dumps(tiny_prompt(object_info, 33)), encoding="utf-8")
    path = tmp_path / "jobs.jsonl"

    def write(*lines):
        texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
        path.write_text("\n".join(texts), encoding="utf-8")
        return str(path), "--workflow", str(tmp_path / "W.json")

    return write


def wait_for(condition, process):
    until = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < until
        assert process.poll() is None, process.communicate()
        time.sleep(0.1)


def test_a_driver_that_is_killed_or_stopped_is_followed_by_another(farm, call, jobs, tmp_path):
    process = farm("submit", *jobs({"name": "one"}, "{broken", {"name": "two", "seed": 2, "length": 97}))
    wait_for(lambda: list((tmp_path / "storage").glob("runs/one/chunk_*")), process)
    process.kill()
    process.communicate()
    before = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "storage").glob("runs/one/chunk_*")}
    process = farm("work")
    wait_for(lambda: (tmp_path / "storage" / "runs" / "two").exists(), process)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=SECONDS)
    assert process.returncode == 130
    assert not list((tmp_path / "scratch").glob("*/input"))
    code, out, _ = call("work")
    assert code == 0
    assert "one" in out
    after = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "storage").glob("runs/one/chunk_*")}
    assert len(after) == 3
    assert {name: after[name] for name in before} == before  # not made again
    code, out, _ = call("status", "--json")
    assert {json.loads(line)["name"]: json.loads(line)["status"] for line in out.splitlines()} == {
        "one": "done",
        "two": "done",
    }
    code, out, _ = call("results", "--json", "--out", str(tmp_path / "out"))
    assert [json.loads(line)["name"] for line in out.splitlines()] == ["one", "two"]
    assert len(list((tmp_path / "out").rglob("*.mp4"))) == 2


def test_what_is_wrong_is_told_by_line_before_anything_is_started(call, jobs):
    code, _, errors = call("submit", *jobs("{broken", {"name": "../x"}, "3"))
    assert code == 1
    assert [line.split(":")[0] for line in errors.splitlines()] == ["line 1", "line 2", "line 3"]


def test_what_is_not_there_cannot_be_cancelled(call):
    code, _, errors = call("cancel", "nobody")
    assert code == 1
    assert errors.startswith("nobody")


def test_a_cluster_that_does_not_answer_is_told_by_its_address(jobs, tmp_path):
    command = [sys.executable, "-m", "farm", "submit", *jobs({"name": "one"}), "--storage", str(tmp_path / "s")]
    command += ["--address", "127.0.0.1:1", "--comfyui", str(tmp_path), "--patience", "1"]
    environment = os.environ | {"RAY_gcs_rpc_server_reconnect_timeout_s": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=SECONDS)
    assert done.returncode == 1
    assert "127.0.0.1:1" in done.stderr.splitlines()[-1]
