"""A real Ray on this machine with real ComfyUIs, and one drive of many jobs, shared by all tests of the farm."""

import time
from dataclasses import replace
from pathlib import Path

import pytest
from wan_motion_chunks.tests.comfyui import comfyui_path
from wan_motion_chunks.tests.farm.drive import Driven, Strikes, hang, hold, kill, read_events, with_cut

ROOT = Path(__file__).resolve().parents[2]
LEASE, HANG = 3.0, 20.0
SMALL = {"width": 32, "height": 32}
TWIN, CUT = "undisturbed", 17 + 8 + 17 + 8
LONG = {"frames": 25 + 4 * 16, "chunk_frames": 25}
"""Five chunks that overlap with no more than one on each side."""


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
    """A farm of two workers, and its storage."""
    from wan_motion_chunks.farm.driver import Driver, FarmOptions
    from wan_motion_chunks.farm.events import Events
    from wan_motion_chunks.farm.storage import Storage

    folder = tmp_path_factory.mktemp("farm")
    options = FarmOptions(host_options, 2, scratch=str(folder / "scratch"), lease=LEASE, silence=600, look=0.2)
    driver = Driver(Storage(str(folder / "storage"), patience=60), options, Events(folder / "events.jsonl"))
    for hand in driver.hands:  # both start at once
        hand.actor.info.remote()
    yield driver
    driver.close()


@pytest.fixture(scope="session")
def object_info(shared):
    return shared.object_info()


@pytest.fixture(scope="session")
def tiny(object_info):
    """Makes a job of a video with the tiny model."""
    from wan_motion_chunks.farm.example import tiny_prompt
    from wan_motion_chunks.farm.graph import keep_run
    from wan_motion_chunks.farm.jobs import Job

    def make(name, frames=33, **video):
        prompt = tiny_prompt(object_info, frames, **SMALL | video)
        keep_run(prompt, name, object_info)
        return Job(name, prompt)

    return make


@pytest.fixture(scope="session")
def drive(shared):
    """Adds jobs and drives until all have ended: what came of it."""

    def run(jobs, strikes=()):
        for job in jobs:
            assert shared.book.add(job) is None
        path, driven = shared.events.path, Driven([job.name for job in jobs])
        before = path.stat().st_size if path.exists() else 0
        striking = Strikes(shared, driven, dict(strikes))
        striking.start()
        try:
            driven.statuses = shared.drive()
        finally:
            striking.end()
        driven.events = read_events(path, before)
        driven.kept = {name: shared.storage.list("runs", name) for name in driven.statuses}
        return driven

    return run


@pytest.fixture(scope="session")
def driven(shared, drive, tiny, object_info):
    """Jobs of which some are disturbed, each in its own way, once they have a chunk."""
    from wan_motion_chunks.farm.jobs import Line, prepare
    from wan_motion_chunks.farm.scenes import split
    from wan_motion_chunks.tools.workflow import EXAMPLES, to_prompt

    def steal(found):
        """Another takes the run, and is silent from then on."""
        hold(found)
        number = int(shared.storage.list("leases", "taken")[-1].split(".")[0]) + 1
        content = {"owner": "thief", "until": time.time() + 2 * LEASE}
        shared.storage.write(content, "leases", "taken", f"{number:08d}.json")

    def cancel(found):
        hold(found)
        shared.book.cancel(["cancelled"])

    strikes = {"killed-host": kill("comfyui"), "killed-worker": kill("worker"), "hung": hang}
    strikes |= {"taken": steal, "cancelled": cancel}
    own = {"7": {"length": 25.0, "chunk_frames": 17}, "9": {"steps": 2}, "12": {"steps": 2}}
    wrong = tiny("wrong")
    wrong.prompt["settings"]["inputs"]["overlap_frames"] = 17
    jobs = [tiny(TWIN), *(tiny(name) for name in strikes if name != "cancelled"), tiny("cancelled", 41)]
    jobs += [wrong, tiny("behind", 17), tiny("base", **LONG), with_cut(tiny("whole", CUT), object_info)]
    jobs += [prepare(Line(1, "split", EXAMPLES / "Tiny_split_nodes.json", {}, own), object_info, to_prompt)]
    jobs += split(with_cut(tiny("apart", CUT), object_info), object_info, shared.ask)
    return drive(jobs, strikes)


@pytest.fixture(scope="session")
def again(shared, driven, drive, tiny):
    """A second drive: chunks made again, a cancelled job that goes on, and one that was done."""
    from wan_motion_chunks.farm.jobs import Line
    from wan_motion_chunks.farm.redo import redo

    shared.book.forget("cancelled")
    line = Line(1, "again", None, {}, {}, redo=(2, 4), of="base")
    return drive([tiny(TWIN), *redo(replace(tiny("again", **LONG)), line, shared.storage)])


@pytest.fixture(scope="session")
def contents(shared):
    """The chunks that make a run's video: the digests of their content, to the bit."""

    def read(run):
        return [chunk["content"] for chunk in shared.storage.read("runs", run, "run.json")["chunks"]]

    return read
