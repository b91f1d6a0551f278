"""A real Ray on this machine with real ComfyUIs, shared by all tests of the farm."""

import re
import signal
import time
from pathlib import Path

import psutil
import pytest
from wan_motion_chunks.tests.comfyui import comfyui_path

ROOT = Path(__file__).resolve().parents[2]
LEASE, HANG = 3.0, 12.0


@pytest.fixture(scope="session")
def base(tmp_path_factory):
    """A folder of ComfyUI's with the pack among its custom nodes."""
    folder = tmp_path_factory.mktemp("base")
    (folder / "custom_nodes").mkdir()
    (folder / "models").mkdir()
    (folder / "custom_nodes" / "wan-motion-chunks").symlink_to(ROOT, target_is_directory=True)
    return folder


@pytest.fixture(scope="session")
def host_options(base):
    from wan_motion_chunks.farm.host import HostOptions

    words = f"--cpu --disable-api-nodes --base-directory {base}"
    return HostOptions(str(comfyui_path()), arguments=words, hang=HANG)


@pytest.fixture(scope="session")
def cluster():
    """A Ray of this machine's own."""
    import ray
    from wan_motion_chunks.farm import cluster

    cluster.connect("local", cpus=4)
    yield ray
    cluster.disconnect()


@pytest.fixture(scope="session")
def shared(cluster, host_options, tmp_path_factory):
    """A farm of one worker whose ComfyUI is up, and its storage."""
    from wan_motion_chunks.farm.driver import Driver, FarmOptions
    from wan_motion_chunks.farm.events import Events
    from wan_motion_chunks.farm.storage import Storage

    folder = tmp_path_factory.mktemp("farm")
    options = FarmOptions(host_options, scratch=str(folder / "scratch"), lease=LEASE)
    driver = Driver(Storage(str(folder / "storage"), patience=20), options, Events(folder / "events.jsonl"))
    yield driver
    driver.close()


@pytest.fixture(scope="session")
def object_info(shared):
    return shared.object_info()


@pytest.fixture
def tiny(object_info):
    """Makes a job of a video with the tiny model."""
    from wan_motion_chunks.farm.example import tiny_prompt
    from wan_motion_chunks.farm.graph import keep_run
    from wan_motion_chunks.farm.jobs import Job

    def make(name, frames=33, **video):
        prompt = tiny_prompt(object_info, frames, **video)
        keep_run(prompt, name, object_info)
        return Job(name, prompt)

    return make


@pytest.fixture
def contents(shared):
    """The chunks that make a run's video: the digests of their content, to the bit."""

    def read(run):
        return [chunk["content"] for chunk in shared.storage.read("runs", run, "run.json")["chunks"]]

    return read


@pytest.fixture
def events(shared):
    """What happened since the test began."""
    import json

    path = shared.events.path
    before = path.stat().st_size if path.exists() else 0

    def read():
        return [json.loads(line) for line in path.read_text(encoding="utf-8")[before:].splitlines()]

    return read


@pytest.fixture
def at_chunk(shared):
    """Calls something once a run has so many chunks on the storage, while the driver works."""

    def arrange(run, count, action):
        done = []

        def look(queue):
            kept = [name for name in shared.storage.list("runs", run) if re.match("chunk_", name)]
            if not done and len(kept) >= count:
                done.append(True)
                action()

        return look

    return arrange


@pytest.fixture
def kill():
    """Sends a signal to the ComfyUI of a worker: the child of the process that guards it."""

    def send(guard, number=signal.SIGKILL):
        for child in psutil.Process(guard).children():
            child.send_signal(number)

    return send


def _is_gone(pid, seconds=20):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.1)
    return False


@pytest.fixture
def is_gone():
    """Whether a process ends within some seconds."""
    return _is_gone
