"""A farm under disturbance: every job ends once, and its chunks are those of an undisturbed run to the bit."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from wan_motion_chunks.farm.names import CANCELLED, DONE, FAILED, LOST, RETRY
from wan_motion_chunks.tests.farm.drive import chunks, is_gone, read_events

CHUNKS = 3
TWIN = "undisturbed"
STUB = Path(__file__).with_name("stub")


@pytest.fixture(scope="module")
def twin(driven, contents):
    """The chunks of the same video, made without disturbance."""
    assert driven.statuses[TWIN] == DONE
    found = contents(TWIN)
    assert len(found) == CHUNKS
    return found


def test_a_result_has_its_video_and_its_seams(shared, twin, tmp_path):
    result = shared.book.result(TWIN)
    (file,) = result["files"]
    shared.storage.download(tmp_path / file["name"], file["path"])
    assert (tmp_path / file["name"]).stat().st_size == file["bytes"] > 0
    assert [chunk["chunk"] for chunk in result["chunks"]] == [1, 2, 3]
    assert [chunk["score"] is None for chunk in result["chunks"]] == [True, False, False]


def test_each_job_that_is_done_has_one_result_and_no_other_has(shared, driven, again):
    done = [name for name, status in again.statuses.items() if status == DONE]
    assert shared.storage.list("results") == sorted(f"{name}.json" for name in done)
    for name in {*driven.jobs, *again.jobs} & set(done):
        assert len(driven.told(name, DONE) + again.told(name, DONE)) == 1


def test_a_job_that_is_submitted_again_is_not_made_again_and_another_of_its_name_is_refused(shared, again, tiny):
    assert again.statuses[TWIN] == DONE
    assert not again.told(TWIN)
    assert "name" in shared.book.add(tiny(TWIN, seed=99))
    assert shared.book.job(TWIN) == tiny(TWIN)


@pytest.mark.parametrize(
    ("name", "event", "gone"),
    [
        ("killed-host", RETRY, ("comfyui", "guard")),
        ("killed-worker", LOST, ("comfyui", "guard", "worker")),
        ("hung", RETRY, ("comfyui", "guard")),
        ("taken", LOST, ()),
    ],
)
def test_a_fault_costs_no_chunk_and_no_job(driven, twin, contents, name, event, gone):
    assert driven.statuses[name] == DONE
    assert contents(name) == twin
    assert all(is_gone(driven.struck[name][each]) for each in gone)
    assert len(driven.kept[name]) == CHUNKS + 1  # no chunk was made twice
    assert driven.told(name, event)
    assert driven.told(name)[-1]["event"] == DONE
    assert len(driven.told(name, "started")) >= 2
    assert 0 < driven.made(name) <= CHUNKS
    assert driven.made(name) == CHUNKS or name == "killed-worker"  # of whom the driver may not have heard all


def test_a_job_that_comfyui_refuses_fails_with_its_words_and_others_go_on(shared, driven):
    assert (driven.statuses["wrong"], driven.statuses["behind"]) == (FAILED, DONE)
    assert "overlap_frames" in shared.book.states()["wrong"]["error"]
    assert len(driven.told("wrong", "started")) == 1


def test_a_cancelled_job_stops_and_goes_on_when_that_is_taken_back(shared, driven, again):
    assert driven.statuses["cancelled"] == CANCELLED
    before, after = set(driven.kept["cancelled"]), set(chunks(shared.storage, "cancelled"))
    assert 1 <= driven.made("cancelled") < CHUNKS + 1
    assert again.statuses["cancelled"] == DONE
    assert before - {"run.json"} < after
    assert driven.made("cancelled") + again.made("cancelled") == len(after) == CHUNKS + 1


def test_a_sampler_of_the_graphs_own_between_guide_and_finish_is_run_without_a_kept_run(shared, driven):
    """As it would be for one that spreads a chunk over several GPUs."""
    job = shared.book.job("split")
    assert "KSampler" in {node["class_type"] for node in job.prompt.values()}
    assert job.runs == []
    assert driven.statuses["split"] == DONE
    assert shared.book.result("split")["files"]


@pytest.mark.parametrize("version", [None, "0.0.1"])
def test_a_worker_without_the_pack_or_with_another_version_gets_no_job(shared, tmp_path, version):
    from wan_motion_chunks.farm.cluster import ClusterError
    from wan_motion_chunks.farm.driver import Driver
    from wan_motion_chunks.farm.events import Events
    from wan_motion_chunks.farm.host import HostOptions
    from wan_motion_chunks.farm.jobs import Job
    from wan_motion_chunks.farm.storage import Storage

    shutil.copytree(STUB, tmp_path / "host")
    if version is not None:
        pack = tmp_path / "host" / "custom_nodes" / "pack"
        pack.mkdir(parents=True)
        (pack / "pyproject.toml").write_text(f'[project]\nversion = "{version}"\n', encoding="utf-8")
    options = replace(shared.options, host=HostOptions(str(tmp_path / "host")), workers=1, scratch=str(tmp_path / "s"))
    storage = Storage(str(tmp_path / "storage"))
    other = Driver(storage, options, Events(tmp_path / "events.jsonl"), version="0.0.2")
    other.book.add(Job("nobody", {}))
    try:
        with pytest.raises(ClusterError):
            other.drive()
    finally:
        other.close()
    (told,) = [each for each in read_events(tmp_path / "events.jsonl") if each["event"] == "worker_refused"]
    assert (told["version"], told["wanted"]) == (version, "0.0.2")
    assert other.book.states()["nobody"]["status"] == "queued"
