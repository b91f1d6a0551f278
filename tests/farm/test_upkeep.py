"""Chunks are brought to the storage whatever it does meanwhile, and a disk that is full is told."""

import time

import pytest
from wan_motion_chunks.farm import lease as leases
from wan_motion_chunks.farm.jobs import Job
from wan_motion_chunks.farm.names import KEEP
from wan_motion_chunks.farm.storage import Storage
from wan_motion_chunks.farm.upkeep import Upkeep
from wan_motion_chunks.farm.worker import Worker

pytest.importorskip("fsspec")


def chunk(folder, index):
    path = folder / "run" / f"chunk_{index:04d}_take_01_{index:016x}.safetensors"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(bytes([index]) * 1000)
    return path


@pytest.fixture
def storage(tmp_path):
    return Storage(str(tmp_path / "storage"), patience=10)


def wait_for(condition, seconds=10):
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.05)


def test_chunks_that_were_there_stay_and_new_ones_are_sent_even_after_a_while_without_storage(
    storage, tmp_path, monkeypatch
):
    folder, lease = tmp_path / "runs", leases.take(storage, "run", "me", 60)
    chunk(folder, 1)
    upkeep = Upkeep(storage, folder, [lease])
    until, upload = time.monotonic() + 1, storage._upload

    def unsure(*arguments):
        if time.monotonic() < until:
            raise ConnectionResetError("away")
        upload(*arguments)

    monkeypatch.setattr(storage, "_upload", unsure)
    upkeep.start()
    second = chunk(folder, 2)
    (folder / "run" / ".chunk_0003.part").write_bytes(b"half")
    wait_for(lambda: storage.list("runs", "run"))
    third = chunk(folder, 3)
    upkeep.finish()
    assert storage.list("runs", "run") == [second.name, third.name]
    assert upkeep.sent == 2


def test_a_lease_is_renewed_until_another_takes_the_run(storage, tmp_path):
    lease = leases.take(storage, "run", "me", 0.6)
    upkeep = Upkeep(storage, tmp_path, [lease])
    upkeep.start()
    time.sleep(1.5)
    assert not upkeep.lost.is_set()
    assert not isinstance(leases.take(storage, "run", "other", 0.6), leases.Lease)
    storage.write({"owner": "other", "until": time.time() + 60}, "leases", "run", f"{lease.number + 1:08d}.json")
    wait_for(upkeep.lost.is_set)
    late = chunk(tmp_path, 1)
    upkeep.finish()
    assert storage.list("runs", "run") == [late.name]  # what was made is not lost


def test_a_full_disk_and_a_missing_comfyui_are_told_and_may_do_elsewhere(storage, tmp_path):
    keep = {"class_type": KEEP, "inputs": {"run_name": "run"}}
    storage.write(Job("job", {"1": keep}).to_json(), "jobs", "job.json")
    where, options = {"url": storage.url}, {"comfyui": str(tmp_path / "nowhere")}
    told = Worker(where, options, str(tmp_path / "scratch"), free=2**60).run("job")
    assert (told["status"], "--scratch" in told["error"]) == ("retry", True)
    told = Worker(where, options, str(tmp_path / "scratch")).run("job")
    assert (told["status"], "--comfyui" in told["error"]) == ("retry", True)
    taken = leases.take(storage, "run", "other", 60)
    assert isinstance(taken, leases.Lease)  # the worker let go of it
    assert Worker(where, options, str(tmp_path / "scratch")).run("job")["status"] == "held"
    assert Worker(where, options, str(tmp_path / "scratch")).run("gone")["status"] == "failed"
