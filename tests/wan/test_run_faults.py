"""What can go wrong around a kept run, and that it costs no finished chunk."""

import errno
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from wan_motion_chunks.tests.fakes import CausalVae, CountingModel, numbered_frames
from wan_motion_chunks.tests.wan.kept import TOTAL, files, run, start
from wan_motion_chunks.wan import Tools, generate
from wan_motion_chunks.wan.runs.files import RunError, read_facts
from wan_motion_chunks.wan.runs.fingerprint import fingerprint_chunk
from wan_motion_chunks.wan.runs.load import load_run
from wan_motion_chunks.wan.runs.store import open_run


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
    assert len(store.notes) == (damage != "gone")
    assert all(note.startswith(f"{path.name} ") and note in caplog.text for note in store.notes)


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
    from wan_motion_chunks.wan.runs import files as run_files

    def full(tensors, path, metadata):
        if "chunk_0004" in path.name:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        return real(tensors, path, metadata)

    real = run_files.save_file
    monkeypatch.setattr(run_files, "save_file", full)
    video, made, store, _ = run(tmp_path)
    assert torch.equal(video, numbered_frames(0, TOTAL))
    assert made == [0, 1, 2, 3, 4, 5]
    assert len(files(tmp_path)) == 3
    (note,) = store.notes
    assert re.match(rf"chunk 4 .*\({os.strerror(errno.ENOSPC)}\)", note)
    monkeypatch.setattr(run_files, "save_file", real)
    assert run(tmp_path)[1] == [3, 4, 5]


@pytest.mark.parametrize("limit", [0, 30_000])
def test_a_file_that_ends_halfway_is_none(tmp_path, limit):
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
    try:
        video, made, store, _ = run(tmp_path, start(25))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert torch.equal(video, numbered_frames(0, 25))
    assert made == [0, 1]
    (note,) = store.notes
    assert re.match(rf"chunk 1 .*\({os.strerror(errno.EFBIG)}\)", note)
    assert {path.name for path in (tmp_path / "run").iterdir()} <= {"run.lock", "run.json"}
    assert run(tmp_path, start(25))[1] == [0, 1]


def test_a_write_that_fails_leaves_what_was_there(tmp_path, monkeypatch):
    from wan_motion_chunks.wan.runs import files as run_files

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
    with pytest.raises(RunError, match=rf"^run_name: .*/run .*\({os.strerror(errno.EEXIST)}\)"):
        run(tmp_path)


@pytest.mark.parametrize("code", [errno.EROFS, errno.EACCES, errno.ENOSPC, errno.EDQUOT])
def test_a_folder_that_takes_no_files_is_refused_at_the_start_but_a_full_one_read(tmp_path, monkeypatch, code):
    from wan_motion_chunks.wan.runs import files as run_files

    run(tmp_path, start(17))
    real = os.open

    def refuse(path, flags, *more, **options):
        if flags & os.O_EXCL:
            raise OSError(code, os.strerror(code), str(path))
        return real(path, flags, *more, **options)

    monkeypatch.setattr(run_files.os, "open", refuse)
    if code in (errno.ENOSPC, errno.EDQUOT):
        _, made, store, _ = run(tmp_path, start(25))
        assert (made, len(store.notes)) == ([1], 1)
        return
    with pytest.raises(RunError, match=rf"^run_name: .*/run .*\({os.strerror(code)}\)") as caught:
        run(tmp_path, start(17))
    assert str(tmp_path) not in str(caught.value)


def test_a_place_too_deep_for_files_is_refused_at_the_start(tmp_path):
    deep = tmp_path
    while len(str(deep)) < 4000 - 201:
        deep /= "d" * 200
    with pytest.raises(RunError, match=rf"^run_name: .*\({os.strerror(errno.ENAMETOOLONG)}\)") as caught:
        run(deep / ("e" * (4090 - len(str(deep)) - len("/run/run.lock"))))
    assert str(tmp_path) not in str(caught.value)


def test_whoever_may_read_new_files_may_read_chunks(tmp_path):
    before = os.umask(0o027)
    try:
        run(tmp_path, start(17))
    finally:
        os.umask(before)
    modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "run").iterdir()}
    assert set(modes.values()) == {0o640}, modes


def test_what_a_killed_job_left_is_tidied_up(tmp_path):
    run(tmp_path, start(17))
    left = [".chunk_0001.safetensors.part", ".chunk_0002.safetensors.01234567.part", ".run.json.part", ".tmpApUi7d"]
    left += [".chunk_0001_take_01_0123456789abcdef.safetensors.01234567.part"]
    others = [".hidden", "chunk_notes.txt", "chunk_final.safetensors", ".part"]
    for name in (*left, *others):
        (tmp_path / "run" / name).write_text("x", encoding="utf-8")
    assert run(tmp_path, start(17))[1] == []
    found = {path.name for path in (tmp_path / "run").iterdir()}
    assert not found & set(left)
    assert found >= set(others)


def test_half_a_surrogate_in_a_name_costs_no_chunk(tmp_path):
    # As the host lists a LoRA file whose name is no UTF-8.
    def fingerprint(state):
        return fingerprint_chunk(state, loras={"bad\udcff.safetensors": "1"})

    vae = CausalVae()
    with open_run(tmp_path, "run", fingerprint) as store:
        generate(start(17), Tools(vae, CountingModel(vae)), store)
    text = (tmp_path / "run" / "run.json").read_text(encoding="utf-8")
    assert json.loads(text)["made_from"]["loras"] == {"bad\udcff.safetensors": "1"}


def test_clocks_decide_nothing(tmp_path, monkeypatch):
    run(tmp_path)
    for path in files(tmp_path):
        os.utime(path, (0, 0))
    assert run(tmp_path)[1] == []


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="kills as POSIX does")
def test_killed_at_any_moment_no_finished_chunk_is_lost_or_altered():
    script = Path(__file__).parent / "kill_runs.py"
    done = subprocess.run([sys.executable, str(script), "64", "1"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["losses"] == []
    assert found["killed"] == 64
    assert found["runs"] > 1
    assert found["equal"]
    assert found["files"] == found["takes"]
