"""A farm under disturbance: every job ends once, and its chunks are those of an undisturbed run to the bit."""

import os
import signal
import time

import pytest
from wan_motion_chunks.farm.names import DONE

CHUNKS = 3
TWIN = "undisturbed"


@pytest.fixture(scope="module")
def twin(shared, object_info):
    """The chunks of the same video, made without disturbance."""
    from wan_motion_chunks.farm.example import tiny_prompt
    from wan_motion_chunks.farm.graph import keep_run
    from wan_motion_chunks.farm.jobs import Job

    prompt = tiny_prompt(object_info, 33)
    keep_run(prompt, TWIN, object_info)
    assert shared.book.add(Job(TWIN, prompt)) is None
    assert shared.drive()[TWIN] == DONE
    found = shared.storage.read("runs", TWIN, "run.json")["chunks"]
    assert len(found) == CHUNKS
    return [chunk["content"] for chunk in found]


def test_a_result_has_its_video_and_its_seams(shared, twin, tmp_path):
    result = shared.book.result(TWIN)
    (file,) = result["files"]
    shared.storage.download(tmp_path / file["name"], file["path"])
    assert (tmp_path / file["name"]).stat().st_size == file["bytes"] > 0
    assert [chunk["chunk"] for chunk in result["chunks"]] == [1, 2, 3]
    assert [chunk["score"] is None for chunk in result["chunks"]] == [True, False, False]
    assert shared.storage.list("results") == [f"{TWIN}.json"]


def test_a_job_that_is_submitted_again_is_not_made_again_and_another_of_its_name_is_refused(shared, twin, tiny, events):
    assert shared.book.add(tiny(TWIN)) is None
    assert shared.drive()[TWIN] == DONE
    assert not [event for event in events() if event["event"] == "started"]
    assert "name" in shared.book.add(tiny(TWIN, seed=99))


@pytest.mark.parametrize("what", ["host", "worker"])
def test_a_kill_costs_no_chunk_and_no_job(shared, twin, tiny, contents, events, at_chunk, kill, is_gone, what):
    name, pids = f"killed-{what}", {}
    shared.book.add(tiny(name))

    def strike():
        hand = shared.hands[0]
        pids.update(shared_pids(shared))
        kill(pids["host"]) if what == "host" else os.kill(pids["pid"], signal.SIGKILL)
        assert hand.ticket is not None

    assert shared.drive(at_chunk(name, 1, strike))[name] == DONE
    assert contents(name) == twin
    assert is_gone(pids["host"])
    assert len(shared.storage.list("runs", name)) == CHUNKS + 1  # no chunk was made twice
    started = [event for event in events() if event["event"] == "started"]
    assert len(started) >= 2


def shared_pids(driver):
    import ray

    return ray.get(driver.hands[0].actor.pids.remote())


def test_a_host_that_hangs_is_started_again(shared, twin, tiny, contents, at_chunk, kill, events):
    shared.book.add(tiny("hung"))
    stop = at_chunk("hung", 1, lambda: kill(shared_pids(shared)["host"], signal.SIGSTOP))
    assert shared.drive(stop)["hung"] == DONE
    assert contents("hung") == twin
    assert [event["event"] for event in events() if event.get("job") == "hung" and "error" in event] == ["retry"]


def test_a_lost_lease_stops_the_worker_between_chunks(shared, twin, tiny, contents, at_chunk, events):
    """Another takes the run, and is silent from then on."""
    shared.book.add(tiny("taken"))

    def steal():
        number = int(shared.storage.list("leases", "taken")[-1].split(".")[0]) + 1
        content = {"owner": "thief", "until": time.time() + 4}
        shared.storage.write(content, "leases", "taken", f"{number:08d}.json")

    assert shared.drive(at_chunk("taken", 1, steal))["taken"] == DONE
    assert contents("taken") == twin
    told = [event["event"] for event in events() if event.get("job") == "taken"]
    assert told[-1] == "done"
    assert {"lost", "done"} & set(told[:-1]) or len(told) == 2  # it may have been finished before the lease was due
    assert len(shared.storage.list("runs", "taken")) == CHUNKS + 1


def test_a_job_that_comfyui_refuses_fails_with_its_words_and_others_go_on(shared, twin, tiny):
    wrong = tiny("wrong")
    wrong.prompt["settings"]["inputs"]["overlap_frames"] = 17
    shared.book.add(wrong)
    shared.book.add(tiny("behind", frames=17))
    statuses = shared.drive()
    assert (statuses["wrong"], statuses["behind"]) == ("failed", DONE)
    assert "overlap_frames" in shared.book.states()["wrong"]["error"]


def test_a_cancelled_job_stops_and_goes_on_when_that_is_taken_back(shared, twin, tiny, contents, at_chunk):
    shared.book.add(tiny("cancelled", frames=65))
    statuses = shared.drive(at_chunk("cancelled", 1, lambda: shared.book.cancel(["cancelled"])))
    assert statuses["cancelled"] == "cancelled"
    before = set(shared.storage.list("runs", "cancelled"))
    assert len(before) >= 2
    shared.book.forget("cancelled")
    assert shared.drive()["cancelled"] == DONE
    assert before < set(shared.storage.list("runs", "cancelled"))


def test_a_worker_with_another_version_gets_no_job(shared, tiny, cluster, events):
    from wan_motion_chunks.farm.cluster import ClusterError
    from wan_motion_chunks.farm.driver import Driver

    other = Driver(shared.storage, shared.options, shared.events, version="0.0.1")
    shared.book.add(tiny("nobody"))
    try:
        with pytest.raises(ClusterError):
            other.drive()
    finally:
        other.close()
        shared.book.cancel(["nobody"])
    (told,) = [event for event in events() if event["event"] == "worker_refused"]
    assert told["wanted"] == "0.0.1"


def test_a_sampler_of_the_graphs_own_between_guide_and_finish_is_run_without_a_kept_run(shared, object_info, tmp_path):
    """As it would be for one that spreads a chunk over several GPUs."""
    from wan_motion_chunks.farm.jobs import Line, prepare
    from wan_motion_chunks.tools.workflow import EXAMPLES, to_prompt

    path = EXAMPLES / "Tiny_split_nodes.json"
    job = prepare(Line(1, "split", path, {}, {}), object_info, to_prompt)
    assert "KSampler" in {node["class_type"] for node in job.prompt.values()}
    assert job.runs == []
    shared.book.add(job)
    assert shared.drive()["split"] == DONE
    assert shared.book.result("split")["files"]
