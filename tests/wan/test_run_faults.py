"""What can go wrong around a kept run, and that it costs no finished chunk."""

import json
import multiprocessing
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors import SafetensorError
from wan_motion_chunks.tests.fakes import numbered_frames
from wan_motion_chunks.tests.wan.test_run_store import TOTAL, files, run, start
from wan_motion_chunks.wan.contract import describe_chunk
from wan_motion_chunks.wan.run_files import RunError, check_name, read_facts
from wan_motion_chunks.wan.run_store import load_run, open_run


@pytest.mark.parametrize("damage", ["truncated", "flipped", "empty", "garbage", "gone"])
def test_a_damaged_chunk_is_made_again_and_the_others_are_not(tmp_path, damage, caplog):
    run(tmp_path)
    path = files(tmp_path)[2]
    whole, known = path.read_bytes(), read_facts(path)
    if damage == "gone":
        path.unlink()
    else:
        flipped = whole[:-100] + bytes([whole[-100] ^ 1]) + whole[-99:]
        damaged = {"truncated": whole[:-50], "flipped": flipped, "empty": b"", "garbage": b"x" * 4096}
        path.write_bytes(damaged[damage])
    assert len(load_run(tmp_path, "run").kept) == 2
    video, made, store, _ = run(tmp_path)
    assert torch.equal(video, numbered_frames(0, TOTAL))
    assert made == [2]
    assert read_facts(path) == known
    if damage != "gone":
        assert "chunk_0003.safetensors" in caplog.text
    assert [note for note in store.notes if "damaged" in note] == (
        ["chunk_0003.safetensors was damaged and is made anew"] if damage == "flipped" else []
    )


@pytest.mark.parametrize("text", ["", "{", '{"chunks": []}', '{"chunks": [{"content": "0"}]}'])
def test_a_manifest_that_was_edited_changes_nothing(tmp_path, text):
    run(tmp_path)
    manifest = tmp_path / "run" / "run.json"
    manifest.write_text(text, encoding="utf-8")
    assert run(tmp_path)[1] == []
    assert len(load_run(tmp_path, "run").kept) == 6
    run(tmp_path, start(TOTAL + 8))
    assert len(json.loads(manifest.read_text(encoding="utf-8"))["chunks"]) == 7


def test_a_full_disk_costs_no_chunk(tmp_path, monkeypatch):
    from wan_motion_chunks.wan import run_files

    def full(tensors, path, metadata):
        if "chunk_0004" in path.name:
            raise SafetensorError("I/O error: No space left on device (os error 28)")  # what safetensors makes of it
        return real(tensors, path, metadata)

    real = run_files.save_file
    monkeypatch.setattr(run_files, "save_file", full)
    video, made, store, _ = run(tmp_path)
    assert torch.equal(video, numbered_frames(0, TOTAL))
    assert made == [0, 1, 2, 3, 4, 5]
    assert len(files(tmp_path)) == 3
    assert (
        "chunk 4 could not be kept (I/O error: No space left on device (os error 28)): it and all after it stay"
        in store.notes[0]
    )
    monkeypatch.setattr(run_files, "save_file", real)
    assert run(tmp_path)[1] == [3, 4, 5]


def test_a_write_that_fails_leaves_what_was_there(tmp_path, monkeypatch):
    from wan_motion_chunks.wan import run_files

    run(tmp_path)
    before = [path.read_bytes() for path in files(tmp_path)]

    def broken(tensors, path, metadata):
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(run_files, "save_file", broken)
    video, _, _, _ = run(tmp_path, start(vary_from=2, variation=1))
    assert torch.equal(video, numbered_frames(0, TOTAL))
    assert [path.read_bytes() for path in files(tmp_path)] == before
    assert not list((tmp_path / "run").glob(".*"))


def test_a_folder_that_cannot_be_written_to_is_refused_at_the_start(tmp_path):
    (tmp_path / "run").write_text("a file", encoding="utf-8")
    with pytest.raises(RunError, match=r"run_name: .*run cannot be written to \(File exists\)"):
        run(tmp_path)


def _hold(folder, ready, done):
    with open_run(folder, "run", describe_chunk):
        ready.set()
        done.wait(60)


def test_two_jobs_cannot_make_one_run(tmp_path):
    context = multiprocessing.get_context("fork")
    ready, done = context.Event(), context.Event()
    other = context.Process(target=_hold, args=(tmp_path, ready, done))
    other.start()
    try:
        assert ready.wait(60)
        with pytest.raises(RunError, match="run_name: another job is making run"):
            run(tmp_path)
        other.kill()  # a lock that is left behind would shut out every job after it
        other.join(60)
        assert len(run(tmp_path)[1]) == 6
    finally:
        other.kill()


def test_clocks_decide_nothing(tmp_path, monkeypatch):
    run(tmp_path)
    for path in files(tmp_path):
        os.utime(path, (0, 0))
    assert run(tmp_path)[1] == []


def test_a_linked_folder_is_followed(tmp_path):
    (tmp_path / "large disk").mkdir()
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "run").symlink_to(tmp_path / "large disk")
    run(tmp_path / "runs")
    assert len(list((tmp_path / "large disk").glob("chunk_*"))) == 6


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        "..",
        "../run",
        "a/b",
        "a\\b",
        "/etc",
        "C:run",
        ".hidden",
        "dot.",
        "a\0b",
        "a\nb",
        "CON",
        "lpt1.x",
        "a" * 121,
        "trailing ",
        "~root/x",
        "%2e%2e",
        "ä" * 61,
    ],
)
def test_a_name_that_could_leave_the_folder_is_refused(tmp_path, name):
    with pytest.raises(RunError, match="run_name: "):
        run(tmp_path, name=name)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "name", ["my-video", "\u0412\u0438\u0434\u0435\u043e 3", "\u52d5\u753b_(2)", "a" * 120, "shot.v2", "ä" * 60]
)
def test_names_of_all_languages_are_folders(tmp_path, name):
    assert check_name(name) == name
    assert run(tmp_path, name=name)[1]
    assert len(files(tmp_path, name)) == 6


@pytest.mark.skipif(os.name == "nt", reason="kills as POSIX does")
def test_killed_at_any_moment_no_finished_chunk_is_lost_or_altered():
    script = Path(__file__).parent / "kill_runs.py"
    done = subprocess.run([sys.executable, str(script), "64", "1"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["losses"] == []
    assert found["killed"] == 64
    assert found["runs"] > 3
    assert found["equal"]
    assert found["files"] == 6
