"""Chunks are brought to the storage and leases renewed whatever either does meanwhile."""

import time

import pytest
from wan_motion_chunks.farm import lease as leases
from wan_motion_chunks.farm.storage import Storage
from wan_motion_chunks.farm.upkeep import Upkeep

pytest.importorskip("fsspec")
SECONDS = 60.0
"""For anything to happen that must, on a machine however busy."""


def chunk(folder, index, take=1):
    path = folder / "run" / f"chunk_{index:04d}_take_{take:02d}_{index:016x}.safetensors"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(bytes([index]) * 1000)
    return path


@pytest.fixture
def storage(tmp_path):
    return Storage(str(tmp_path / "storage"), patience=SECONDS)


def wait_for(condition):
    until = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.05)


def test_chunks_that_were_there_are_not_sent_again_and_new_ones_are_even_after_a_while_without_storage(
    storage, tmp_path, monkeypatch
):
    folder = tmp_path / "runs"
    storage.upload(chunk(folder, 1), "runs", "run", chunk(folder, 1).name)
    upkeep, upload, sent = Upkeep(storage, folder, ["run"]), storage._upload, []

    def unsure(source, *arguments):
        sent.append(source.name)
        if len(sent) < 4:
            raise ConnectionResetError("away")
        upload(source, *arguments)

    monkeypatch.setattr(storage, "_upload", unsure)
    upkeep.start()
    second = chunk(folder, 2)
    (folder / "run" / ".chunk_0003.part").write_bytes(b"half")
    wait_for(lambda: len(storage.list("runs", "run")) == 2)
    third, again = chunk(folder, 3), chunk(folder, 1, take=2)
    upkeep.finish()
    assert set(sent) == {second.name, third.name, again.name}
    assert storage.list("runs", "run") == sorted(path.name for path in (folder / "run").glob("chunk_*"))
    assert (upkeep.made, upkeep.fresh) == (3, 2)


def test_chunks_of_other_runs_may_stay_there_alone(storage, tmp_path):
    folder = tmp_path / "runs"
    left, new = chunk(folder, 1), None
    upkeep = Upkeep(storage, folder, ["run"], {("run", left.name)})
    new = chunk(folder, 2)
    upkeep.finish()
    assert storage.list("runs", "run") == [new.name]


def test_a_lease_is_renewed_until_another_takes_the_run(storage):
    lease, renewal = leases.take(storage, "run", "me", 0.6), leases.Renewal()
    began = lease.renewed
    renewal.leases.append(lease)
    renewal.start()
    wait_for(lambda: lease.renewed > began)
    assert not renewal.lost.is_set()
    content = {"owner": "other", "until": time.time() + 60}
    storage.write(content, "leases", "run", f"{lease.number + 1:08d}.json")
    wait_for(renewal.lost.is_set)
    renewal.end()  # changes nothing: it is not its own any more
    assert storage.read("leases", "run", f"{lease.number + 1:08d}.json") == content
