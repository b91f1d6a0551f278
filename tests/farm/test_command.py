"""The command line: drivers that are killed in processes of their own, all else in this one."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest
from wan_motion_chunks.farm.command import main
from wan_motion_chunks.farm.names import DONE
from wan_motion_chunks.tests.farm.drive import LOOK, chunks, comfyui, is_gone, read_events
from wan_motion_chunks.tools.environment import ROOT
from wan_motion_chunks.tools.workflow import to_prompt

LONGEST = 300
"""Seconds for one call, at most: a busy machine takes long to start a ComfyUI."""


@pytest.fixture
def start(cluster, shared, host_options, tmp_path):
    """Starts a driver of its own over the cluster and the storage of the tests."""
    words = ["--storage", shared.storage.url, "--address", cluster.get_runtime_context().gcs_address]
    words += ["--comfyui", host_options.comfyui, f"--host-arguments={host_options.arguments}", "--lease", "3"]
    words += ["--scratch", str(tmp_path / "scratch"), "--events", str(tmp_path / "events.jsonl"), "--workers", "1"]

    def run(word, *arguments):
        command = [sys.executable, "-m", "farm", word, *arguments, *words]
        return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    return run


@pytest.fixture
def call(capsys):
    """Runs a command here: exit code, and what it wrote."""

    def run(*arguments):
        code = main(list(arguments), to_prompt)
        return code, *capsys.readouterr()

    return run


@pytest.fixture
def jobs(tmp_path):
    """A file of jobs over a workflow; None for one that nobody comes to read."""

    def write(*lines, workflow=None):
        (tmp_path / "W.json").write_text(json.dumps(workflow), encoding="utf-8")
        texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
        (tmp_path / "jobs.jsonl").write_text("\n".join(texts), encoding="utf-8")
        return str(tmp_path / "jobs.jsonl"), "--workflow", str(tmp_path / "W.json")

    return write


def wait_for(condition, process):
    until = time.monotonic() + LONGEST
    while not condition():
        assert time.monotonic() < until
        assert process.poll() is None, process.communicate()
        time.sleep(LOOK)


def test_a_driver_that_is_killed_or_stopped_is_followed_by_another(start, call, jobs, shared, object_info, tmp_path):
    from wan_motion_chunks.farm.example import tiny_prompt

    def times(run):
        folder = shared.storage.path("runs", run)
        return {name: os.stat(f"{folder}/{name}").st_mtime_ns for name in chunks(shared.storage, run)}

    def host():
        told = [each for each in read_events(tmp_path / "events.jsonl") if each["event"] == "worker"]
        return comfyui(told[-1]["host"])["comfyui"]

    lines = ({"name": "one"}, "{broken", {"name": "two", "seed": 2, "length": 97})  # long enough to be stopped
    process = start("submit", *jobs(*lines, workflow=tiny_prompt(object_info, 33, width=32, height=32)))
    wait_for(lambda: times("one"), process)
    first = host()
    process.kill()
    process.communicate()
    assert is_gone(first)
    before = times("one")
    process = start("work")
    wait_for(lambda: times("two"), process)
    second = host()
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=LONGEST)
    assert process.returncode == 130
    assert is_gone(second)
    kept = times("two")
    statuses = shared.drive()
    assert (statuses["one"], statuses["two"]) == (DONE, DONE)
    assert len(times("one")) == 3
    assert times("one") | before == times("one")  # not made again
    assert len(times("two")) == 11
    assert times("two") | kept == times("two")
    events = read_events(tmp_path / "events.jsonl")
    assert [each["line"] for each in events if each["event"] == "refused"] == [2]
    storage = ("--storage", shared.storage.url)
    code, out, _ = call("status", "--json", *storage)
    states = {json.loads(line)["name"]: json.loads(line)["status"] for line in out.splitlines()}
    assert (code, states["one"], states["two"]) == (0, DONE, DONE)
    code, out, _ = call("results", "--json", "--out", str(tmp_path / "out"), *storage)
    assert code == 0
    assert {"one", "two"} <= {json.loads(line)["name"] for line in out.splitlines()}
    assert all(len(list((tmp_path / "out" / name).glob("*.mp4"))) == 1 for name in ("one", "two"))


def test_what_is_wrong_is_told_by_line_before_anything_is_started(call, jobs, tmp_path):
    path = jobs("{broken", {"name": "../x"}, "3")
    code, _, errors = call("submit", *path, "--storage", str(tmp_path / "s"), "--comfyui", str(tmp_path))
    assert code == 1
    assert [line.split(":")[0] for line in errors.splitlines()] == ["line 1", "line 2", "line 3"]


def test_what_is_not_there_cannot_be_cancelled_or_tried_again(call, tmp_path):
    for word in ("cancel", "retry"):
        code, _, errors = call(word, "nobody", "--storage", str(tmp_path / "s"))
        assert code == 1
        assert errors.startswith("nobody")


def test_a_cluster_that_does_not_answer_is_told_by_its_address(jobs, tmp_path):
    command = [sys.executable, "-m", "farm", "submit", *jobs({"name": "one"}), "--storage", str(tmp_path / "s")]
    command += ["--address", "127.0.0.1:1", "--comfyui", str(tmp_path), "--patience", "1"]
    environment = os.environ | {"RAY_gcs_rpc_server_reconnect_timeout_s": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=LONGEST)
    assert done.returncode == 1
    assert "127.0.0.1:1" in done.stderr.splitlines()[-1]
