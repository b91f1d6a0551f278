"""Storage and leases: on a folder, and on a real server of the S3 protocol."""

import threading
import time

import pytest
from wan_motion_chunks.farm import lease as leases
from wan_motion_chunks.farm.storage import Storage, StorageError

pytest.importorskip("fsspec")
SECONDS, LONG = 0.5, 60.0
"""Of leases that are to end, and of what must last on a machine however busy."""


@pytest.fixture(scope="module")
def server():
    """An S3 server on this machine."""
    moto = pytest.importorskip("moto.server")
    pytest.importorskip("s3fs")
    running = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    running.start()
    yield running
    running.stop()


@pytest.fixture(params=["folder", "s3"])
def storage(request, tmp_path, monkeypatch):
    if request.param == "folder":
        return Storage(str(tmp_path / "storage"), patience=LONG)
    host, port = request.getfixturevalue("server").get_host_and_port()
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    options = {"endpoint_url": f"http://{host}:{port}", "client_kwargs": {"region_name": "eu-west-1"}}
    found = Storage(f"s3://bucket/{tmp_path.name}", options, patience=LONG)
    found.fs.mkdirs("bucket", exist_ok=True)
    return found


def test_what_is_written_is_read_and_listed(storage):
    assert storage.read("a", "b.json") is None
    assert storage.list("a") == []
    assert storage.write({"x": 1}, "a", "b.json")
    assert storage.write({"x": 2}, "a", "b.json")
    assert storage.read("a", "b.json") == {"x": 2}
    assert storage.list("a") == ["b.json"]
    storage.remove("a", "b.json")
    storage.remove("a", "b.json")
    assert not storage.exists("a", "b.json")


def test_of_all_who_write_a_new_file_one_does(storage):
    wrote = []

    def write(number):
        if storage.write({"by": number}, "new.json", new=True):
            wrote.append(number)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(wrote) == 1
    assert storage.read("new.json") == {"by": wrote[0]}


def test_files_go_there_and_back(storage, tmp_path):
    source, back = tmp_path / "source", tmp_path / "folder" / "back"
    source.write_bytes(bytes(range(256)) * 4096)
    storage.upload(source, "runs", "a", "chunk")
    storage.download(back, "runs", "a", "chunk")
    assert back.read_bytes() == source.read_bytes()
    assert [path.name for path in back.parent.iterdir()] == ["back"]
    assert storage.list("runs", "a") == ["chunk"]
    with pytest.raises(FileNotFoundError):
        storage.download(back, "runs", "a", "missing")


def test_one_of_many_takes_a_lease_and_another_when_its_time_is_over(storage):
    held = leases.take(storage, "held", "first", LONG)
    assert 0 < leases.take(storage, "held", "second", LONG) <= LONG
    assert held.renew()
    first = leases.take(storage, "run", "first", SECONDS)
    time.sleep(SECONDS * 1.1)
    second = leases.take(storage, "run", "second", LONG)
    assert isinstance(second, leases.Lease)
    assert not first.renew()
    first.release()  # changes nothing: it is not its own any more
    assert second.renew()
    second.release()
    assert isinstance(leases.take(storage, "run", "third", LONG), leases.Lease)
    assert len(storage.list("leases", "run")) == 2


def test_a_lease_that_does_not_change_is_over_whatever_its_holders_clock_says(tmp_path):
    storage, seen = Storage(str(tmp_path / "storage"), patience=LONG), {}

    def say(ahead, seconds):
        content = {"owner": "other", "until": time.time() + ahead, "seconds": seconds}
        storage.write(content, "leases", "run", "00000001.json")

    say(3600, LONG)
    assert LONG / 2 < leases.take(storage, "run", "me", SECONDS, seen) <= LONG  # its own length counts
    say(3601, SECONDS)
    assert leases.take(storage, "run", "me", LONG, seen) <= SECONDS
    time.sleep(SECONDS * 1.1)
    say(3602, LONG)
    assert leases.take(storage, "run", "me", LONG, seen) > SECONDS  # it was renewed meanwhile
    say(3603, SECONDS)
    assert not isinstance(leases.take(storage, "run", "me", LONG, seen), leases.Lease)
    time.sleep(SECONDS * 1.1)
    assert isinstance(leases.take(storage, "run", "me", LONG, seen), leases.Lease)


def test_a_race_for_a_lease_has_one_winner(storage):
    found = []
    threads = [
        threading.Thread(target=lambda name=name: found.append(leases.take(storage, "race", str(name), LONG)))
        for name in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(isinstance(each, leases.Lease) for each in found) == 1


@pytest.fixture
def unsteady(tmp_path, monkeypatch):
    """Makes a storage that fails so many times."""

    def make(error, times, patience):
        storage, tries = Storage(str(tmp_path / "storage"), patience=patience), []
        put = storage._put

        def unsure(*arguments):
            tries.append(True)
            if len(tries) <= times:
                raise error
            return put(*arguments)

        monkeypatch.setattr(storage, "_put", unsure)
        return storage

    return make


def test_a_storage_that_is_away_for_a_while_is_tried_again(unsteady):
    storage = unsteady(ConnectionResetError("away"), 3, LONG)
    assert storage.write({"x": 1}, "a.json")
    assert storage.read("a.json") == {"x": 1}


@pytest.mark.parametrize("error", [ConnectionResetError("away"), OSError(28, "No space left on device")])
def test_a_storage_that_stays_away_or_full_is_told(unsteady, error):
    with pytest.raises(StorageError) as told:
        unsteady(error, 10**9, 1).write({"x": 1}, "a.json")
    assert told.value.__cause__ is error


def test_a_server_that_is_started_again_is_found_again(server, monkeypatch):
    from moto.server import ThreadedMotoServer

    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    first = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    first.start()
    host, port = first.get_host_and_port()
    options = {"endpoint_url": f"http://{host}:{port}", "client_kwargs": {"region_name": "eu-west-1"}}
    options["config_kwargs"] = {"retries": {"max_attempts": 1}}
    storage = Storage("s3://again/farm", options, patience=LONG)
    storage.fs.mkdirs("again", exist_ok=True)
    assert storage.write({"x": 1}, "a.json")
    first.stop()
    second = ThreadedMotoServer(ip_address="127.0.0.1", port=port, verbose=False)
    timer = threading.Timer(1.0, second.start)
    timer.start()
    try:
        assert storage.write({"x": 2}, "b.json")
        assert storage.read("b.json") == {"x": 2}
    finally:
        timer.join()
        second.stop()
