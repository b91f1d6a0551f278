"""Links that somebody laid into a run's folder, and the lock that keeps a second job out of it."""

import errno
import multiprocessing
import os

import pytest
import torch
from wan_motion_chunks.tests.fakes import numbered_frames
from wan_motion_chunks.tests.wan.kept import file_of, files, run, start
from wan_motion_chunks.wan.runs.files import RunError
from wan_motion_chunks.wan.runs.fingerprint import fingerprint_chunk
from wan_motion_chunks.wan.runs.load import load_run
from wan_motion_chunks.wan.runs.store import open_run

fcntl = pytest.importorskip("fcntl")
TOTAL = 17 + 8
NAMES = ("chunk", "run.json")


@pytest.fixture
def victim(tmp_path):
    path = tmp_path / "victim"
    path.write_text("mine", encoding="utf-8")
    (tmp_path / "runs" / "run").mkdir(parents=True)
    return path


@pytest.mark.parametrize("way", ["symbolic", "hard", "to nothing"])
@pytest.mark.parametrize("name", [*NAMES, *(f".{name}.part" for name in NAMES), "run.lock"])
def test_no_link_is_written_through(tmp_path, victim, name, way):
    if "chunk" in name:  # as a run calls it that makes the same
        run(tmp_path / "same", start(TOTAL))
        name = name.replace("chunk", file_of(tmp_path / "same", 1).name)
    place = tmp_path / "runs" / "run" / name
    if way == "symbolic":
        place.symlink_to(victim)
    elif way == "hard":
        place.hardlink_to(victim)
    else:
        place.symlink_to(tmp_path / "nothing")
    if name == "run.lock" and way != "hard":
        with pytest.raises(RunError, match=r"^run_name: runs/run/run\.lock is a link"):
            run(tmp_path / "runs", start(TOTAL))
    else:
        video, made, _, _ = run(tmp_path / "runs", start(TOTAL))
        assert torch.equal(video, numbered_frames(0, TOTAL))
        assert made == [0, 1]
        assert run(tmp_path / "runs", start(TOTAL))[1] == []
        assert not (tmp_path / "runs" / "run" / name).is_symlink()
    assert victim.read_text(encoding="utf-8") == "mine"
    assert not (tmp_path / "nothing").exists()


def test_links_whose_names_nobody_can_guess_are_not_written_through_either(tmp_path, victim, monkeypatch):
    from wan_motion_chunks.wan.runs import files as run_files

    monkeypatch.setattr(run_files.secrets, "token_hex", lambda count: "0" * 8)
    with open_run(tmp_path / "runs", "run", fingerprint_chunk):
        place = tmp_path / "runs" / "run" / ".run.json.00000000.part"
        place.symlink_to(victim)
        with pytest.raises(FileExistsError):
            run_files.write_text(tmp_path / "runs" / "run" / "run.json", "theirs")
    assert victim.read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize("kind", ["pipe", "folder"])
def test_a_lock_that_is_no_file_is_refused(tmp_path, kind):
    (tmp_path / "run").mkdir()
    os.mkfifo(tmp_path / "run" / "run.lock") if kind == "pipe" else (tmp_path / "run" / "run.lock").mkdir()
    with pytest.raises(RunError, match=r"^run_name: .*/run/run\.lock is a link"):
        run(tmp_path, start(TOTAL))


def test_a_linked_folder_is_followed(tmp_path):
    (tmp_path / "large disk").mkdir()
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "run").symlink_to(tmp_path / "large disk")
    for made in ([0, 1], []):
        assert run(tmp_path / "runs", start(TOTAL))[1] == made
    assert len(list((tmp_path / "large disk").glob("chunk_*"))) == 2
    assert len(load_run(tmp_path / "runs", "run").kept) == 2


def test_a_linked_folder_of_other_files_is_left_alone(tmp_path, victim):
    (tmp_path / "theirs").mkdir()
    names = ["run.json", "chunk_0001.safetensors", "id_rsa"]
    for name in names:
        (tmp_path / "theirs" / name).write_text("mine", encoding="utf-8")
    (tmp_path / "runs" / "other").symlink_to(tmp_path / "theirs")
    with pytest.raises(RunError, match=r"^run_name: runs/other is a link"):
        run(tmp_path / "runs", start(TOTAL), name="other")
    found = {path.name: path.read_text(encoding="utf-8") for path in (tmp_path / "theirs").iterdir()}
    assert found == dict.fromkeys(names, "mine")


def _hold(folder, ready, done):
    with open_run(folder, "run", fingerprint_chunk):
        ready.set()
        done.wait(60)


def test_two_jobs_cannot_make_one_run(tmp_path):
    context = multiprocessing.get_context("fork")
    ready, done = context.Event(), context.Event()
    other = context.Process(target=_hold, args=(tmp_path, ready, done))
    other.start()
    try:
        assert ready.wait(60)
        with pytest.raises(RunError, match=r"^run_name: another job .*run"):
            run(tmp_path)
        other.kill()  # a lock that is left behind would shut out every job after it
        other.join(60)
        assert len(run(tmp_path)[1]) == 6
    finally:
        other.kill()


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (errno.ENOLCK, "locking"),
        (errno.EOPNOTSUPP, "locking"),
        (errno.ENOSYS, "locking"),
        (errno.EIO, "/run cannot be locked"),
        (errno.EWOULDBLOCK, "another job"),
        (errno.EACCES, "another job"),
    ],
)
def test_what_a_lock_fails_of_is_told_apart(tmp_path, monkeypatch, code, expected):
    def fail(handle, operation):
        raise OSError(code, os.strerror(code))

    before = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else None
    monkeypatch.setattr(fcntl, "flock", fail)
    with pytest.raises(RunError, match=f"^run_name: .*{expected}") as caught:
        run(tmp_path, start(TOTAL))
    assert str(tmp_path) not in str(caught.value)
    assert before is None or len(os.listdir("/proc/self/fd")) == before


@pytest.mark.parametrize("times", [1, 3, 100])
@pytest.mark.parametrize("anew", [True, False])
def test_a_lock_on_a_file_that_was_taken_away_meanwhile_is_none(tmp_path, monkeypatch, times, anew):
    real, path, locked = fcntl.flock, tmp_path / "run" / "run.lock", []

    def take_away(handle, operation):
        real(handle, operation)
        if len(locked) < times:
            path.unlink()
            if anew:
                path.touch()
        locked.append(handle)

    monkeypatch.setattr(fcntl, "flock", take_away)
    if times == 100:
        with pytest.raises(RunError, match=r"^run_name: .*/run/run\.lock"):
            run(tmp_path, start(TOTAL))
        return
    with open_run(tmp_path, "run", fingerprint_chunk):
        monkeypatch.setattr(fcntl, "flock", real)
        with pytest.raises(RunError, match=r"^run_name: another job .*run"):
            run(tmp_path, start(TOTAL))
    assert len(locked) == times + 1
    assert len(run(tmp_path, start(TOTAL))[1]) == 2
    assert len(files(tmp_path)) == 2
