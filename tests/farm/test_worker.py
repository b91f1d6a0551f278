"""What a worker makes of bad answers, bad names and a bad disk; a stand-in gives the answers of ComfyUI."""

import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from wan_motion_chunks.farm import lease as leases
from wan_motion_chunks.farm.jobs import Job
from wan_motion_chunks.farm.names import KEEP
from wan_motion_chunks.farm.storage import Storage
from wan_motion_chunks.farm.worker import Worker

pytest.importorskip("fsspec")
SECONDS = 60.0
"""For anything to happen that must, on a machine however busy."""
STUB = Path(__file__).with_name("stub")
ONE, TWO, THREE = (f"chunk_000{number}_take_01_{number:016x}.safetensors" for number in (1, 2, 3))


@pytest.fixture
def storage(tmp_path):
    return Storage(str(tmp_path / "storage"), patience=SECONDS)


@pytest.fixture
def worker(storage, tmp_path):
    """Makes workers with the stand-in."""
    made = []

    def make(comfyui=STUB, free=0, **options):
        where = {"url": storage.url, "patience": storage.patience}
        options = {"comfyui": str(comfyui), "stall": SECONDS, "hang": SECONDS} | options
        made.append(Worker(where, options, str(tmp_path / "scratch"), 3.0, free))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def submit(storage):
    """Puts a job on the storage that does what its inputs say, with a kept run of its name or none."""

    def put(name, kept=True, pulls=None, **inputs):
        kind = KEEP if kept else "Stub"
        prompt = {"1": {"class_type": kind, "inputs": {"run_name": name} | inputs}}
        storage.write(Job(name, prompt, pulls=pulls or {}).to_json(), "jobs", f"{name}.json")
        return name

    return put


def test_a_full_disk_and_a_missing_comfyui_are_told_and_may_do_elsewhere(storage, worker, submit, tmp_path):
    told = worker(free=2**60).run(submit("job"))
    assert (told["status"], "--scratch" in told["error"]) == ("retry", True)
    told = worker(tmp_path / "nowhere").run("job")
    assert (told["status"], "--comfyui" in told["error"]) == ("retry", True)
    taken = leases.take(storage, "job", "other", 60)
    assert isinstance(taken, leases.Lease)  # the worker let go of it
    assert worker().run("job")["status"] == "held"
    assert worker().run("gone")["status"] == "failed"


def test_a_run_that_is_no_folder_of_its_own_is_refused_before_anything_is_removed(worker, submit):
    one, run = worker(), "../../../kept"  # from the worker's runs, which stays in this test's folder
    kept = one.folder.parent / "kept" / "film.mp4"
    assert (one.runs_folder / run).resolve() == kept.parent
    kept.parent.mkdir(parents=True)
    kept.write_bytes(b"film")
    told = one.run(submit("job", run_name=run))
    assert (told["status"], "run_name" in told["error"]) == ("failed", True)
    told = one.run(submit("pulling", pulls={"base": run}))
    assert told["status"] == "failed"
    assert kept.exists()


def test_chunks_are_counted_and_kept_when_comfyui_ends_and_only_those_that_are_new_count_as_progress(
    storage, worker, submit
):
    name = submit("job", chunks=[ONE, TWO], ends=True)
    one = worker()
    told = one.run(name)
    assert (told["status"], told["chunks"], told["fresh"]) == ("retry", 2, 2)
    assert one.host.process is None  # it is not asked again before the next job
    assert storage.list("runs", name) == [ONE, TWO]
    other = TWO.replace("take_01", "take_02")
    told = one.run(submit("job", chunks=[other], ends=True))
    assert (told["status"], told["chunks"], told["fresh"]) == ("retry", 1, 0)
    told = one.run(submit("job", chunks=[THREE]))
    assert (told["status"], told["chunks"], told["fresh"]) == ("done", 1, 1)


def test_chunks_that_the_storage_does_not_take_stay_here_for_the_next_attempt(storage, worker, submit, monkeypatch):
    one = worker()

    def refuse(*_):
        raise PermissionError("403")

    monkeypatch.setattr(one.storage, "_upload", refuse)
    told = one.run(submit("job", chunks=[ONE]))
    assert (told["status"], told["chunks"]) == ("retry", 0)
    monkeypatch.undo()
    assert one.run(submit("job", chunks=[TWO]))["status"] == "done"
    assert storage.list("runs", "job") == [ONE, TWO]


def test_a_job_without_a_kept_run_may_take_longer_than_a_chunk(worker, submit):
    one = worker(stall=0.5)
    assert one.run(submit("whole", kept=False, seconds=1.5))["status"] == "done"
    told = one.run(submit("kept", seconds=600))
    assert told["status"] == "retry"
    assert one.host.process is None


@pytest.mark.parametrize("shows", [{}, {"1": {"images": [{"filename": "gone.png", "type": "output"}]}}])
def test_a_prompt_that_shows_nothing_or_names_what_is_gone_is_tried_again_in_another_comfyui(
    storage, worker, submit, shows
):
    one = worker()
    assert one.run(submit("job", kept=False, shows=shows))["status"] == "retry"
    assert one.host.process is None
    assert not storage.list("results")


def test_chunks_of_other_runs_are_brought_there_with_a_video_that_is_put_together_alone(storage, worker, submit):
    storage.write({}, "runs", "base", ONE)
    one = worker()
    assert one.run(submit("part", pulls={"base": "part"}, chunks=[TWO]))["status"] == "done"
    assert storage.list("runs", "part") == [TWO]
    keep = {"class_type": KEEP, "inputs": {"run_name": "whole"}}
    job = Job("whole", {"1": keep}, after=("part",), pulls={"base": "whole", "part": "whole"})
    storage.write(job.to_json(), "jobs", "whole.json")
    told = one.run("whole")
    assert (told["status"], told["chunks"]) == ("done", 0)
    assert storage.list("runs", "whole") == [ONE, TWO]


def test_a_worker_that_is_closed_waits_for_its_chunks_and_starts_nothing_more(storage, worker, submit, monkeypatch):
    one, upload = worker(), Storage._upload

    def slow(self, *arguments):
        time.sleep(1)
        upload(self, *arguments)

    monkeypatch.setattr(Storage, "_upload", slow)
    thread = threading.Thread(target=one.run, args=(submit("job", chunks=[ONE], seconds=600),))
    thread.start()
    until = time.monotonic() + SECONDS
    while not (one.runs_folder / "job" / ONE).exists():
        assert time.monotonic() < until
        time.sleep(0.05)
    one.close()
    assert storage.list("runs", "job") == [ONE]
    assert not one.folder.exists()
    thread.join(SECONDS)
    assert one.run("job")["status"] == "held"
    with pytest.raises(RuntimeError):
        one.info()


def test_a_comfyui_that_many_ask_for_at_once_is_started_once(worker):
    one = worker()
    threads = [threading.Thread(target=one.info) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SECONDS)
    assert one.host.alive
    assert one.host.starts == 1


def test_what_workers_left_that_are_gone_is_removed_and_nothing_else(worker, tmp_path):
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    before, scratch = f"{socket.gethostname()}-{gone.pid}", tmp_path / "scratch"
    names = [f"{before}-0123ab", f"{before}-notes", f"{socket.gethostname()}-{os.getpid()}-0123ab", "other"]
    for folder in (tmp_path / "beside", *(scratch / name for name in names)):
        folder.mkdir(parents=True)
        (folder / "film.mp4").write_bytes(b"film")
    (scratch / f"{before}-456def").symlink_to(tmp_path / "beside", target_is_directory=True)
    worker()
    assert {path.name for path in scratch.iterdir()} == {*names[1:], f"{before}-456def"}
    assert all((folder / "film.mp4").exists() for folder in scratch.iterdir())


def test_the_version_is_that_of_the_pack_in_this_comfyui(worker, tmp_path):
    shutil.copytree(STUB, tmp_path / "bare")
    one = worker(tmp_path / "bare")
    assert one.info()["version"] is None
    pack = tmp_path / "bare" / "custom_nodes" / "pack"
    pack.mkdir(parents=True)
    (pack / "pyproject.toml").write_text('[project]\nversion = "0.0.1"\n', encoding="utf-8")
    assert one.info()["version"] == "0.0.1"
