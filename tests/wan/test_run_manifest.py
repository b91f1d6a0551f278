"""What a run's folder says of its video: the manifest, the names of takes, and what is shown without either."""

import errno
import json
import os
import shutil
import time

import pytest
import torch
from wan_motion_chunks.tests.fakes import numbered_frames
from wan_motion_chunks.tests.wan.kept import TOTAL, file_of, files, run, start
from wan_motion_chunks.wan.runs.load import load_run
from wan_motion_chunks.wan.runs.manifest import read_manifest
from wan_motion_chunks.wan.runs.takes import Takes, list_files, name_take, parse_take


def test_a_manifest_that_names_a_missing_take_shows_what_is_there(tmp_path):
    run(tmp_path)
    run(tmp_path, start(first=3))
    gone = file_of(tmp_path, 3, take=2)
    gone.unlink()
    shown = load_run(tmp_path, "run")
    assert len(shown.kept) == 2
    assert [note.startswith(gone.name) for note in shown.notes] == [True]
    assert run(tmp_path, start(first=3))[1] == [2]
    assert file_of(tmp_path, 3, take=2) == gone or file_of(tmp_path, 3, take=2).exists()


@pytest.mark.parametrize("flip", [1, 2])
def test_a_take_with_a_flipped_bit_costs_itself_alone(tmp_path, flip):
    run(tmp_path)
    run(tmp_path, start(first=3))
    path = file_of(tmp_path, 2, take=flip)
    whole = path.read_bytes()
    path.write_bytes(whole[:-50] + bytes([whole[-50] ^ 1]) + whole[-49:])
    for first in (0, 3):
        video, made, _, _ = run(tmp_path, start(first=first))
        assert made == ([1] if first == 3 * (flip - 1) else [])
        assert torch.equal(video, numbered_frames(first, TOTAL))
    assert path.read_bytes() == whole
    assert len(files(tmp_path)) == 12


def test_without_a_manifest_the_newest_that_fit_are_shown(tmp_path):
    run(tmp_path)
    run(tmp_path, start(first=3))
    (tmp_path / "run" / "run.json").unlink()
    shown = load_run(tmp_path, "run")
    assert torch.equal(torch.cat(list(shown.footage())), numbered_frames(3, TOTAL))
    assert len(shown.notes) == 1


def test_a_crash_between_a_chunk_and_the_manifest_loses_nothing(tmp_path, monkeypatch):
    from wan_motion_chunks.wan.runs import store as run_store

    class Killed(BaseException):
        pass

    real, written = run_store.write_manifest, []

    def write(folder, words, chunks):
        chunks = list(chunks)
        if len(chunks) == 3 and words["making"] is None:
            raise Killed
        written.append(real(folder, words, chunks))

    monkeypatch.setattr(run_store, "write_manifest", write)
    with pytest.raises(Killed):
        run(tmp_path)
    assert len(read_manifest(tmp_path / "run").takes) == 2
    assert len(load_run(tmp_path, "run").kept) == 3
    monkeypatch.undo()
    assert run(tmp_path)[1] == [3, 4, 5]


def test_a_disk_that_is_full_for_the_manifest_alone_loses_nothing(tmp_path, monkeypatch):
    from wan_motion_chunks.wan.runs import manifest

    real = manifest.write_text

    def write(path, text):
        if len(json.loads(text)["chunks"]) > 2:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(path, text)

    monkeypatch.setattr(manifest, "write_text", write)
    video, made, _, _ = run(tmp_path)
    assert made == [0, 1, 2, 3, 4, 5]
    shown = load_run(tmp_path, "run")
    assert torch.equal(torch.cat(list(shown.footage())), video)
    assert run(tmp_path)[1] == []


@pytest.mark.parametrize(
    "words",
    [
        {"chunks": [{"file": "../../x"}], "making": None},
        {"chunks": [{"file": name_take(1, 1, "0" * 64, "").name}], "making": None},
        {"chunks": [{"file": 3}], "making": None},
        {"chunks": 3, "making": None},
        {"chunks": [], "making": "run.json"},
        {"chunks": []},
    ],
    ids=str,
)
def test_a_manifest_of_a_stranger_names_files_of_the_run_alone(tmp_path, words):
    run(tmp_path, start(25))
    (tmp_path / "run" / "run.json").write_text(json.dumps({"format": 3, **words}), encoding="utf-8")
    shown = load_run(tmp_path, "run")
    assert all(kept.path.parent == tmp_path / "run" for kept in shown.kept)
    assert run(tmp_path, start(25))[1] == []


def test_ten_thousand_takes_are_listed_at_once(tmp_path):
    run(tmp_path, start(25))
    for number in range(2, 10_000):
        (tmp_path / "run" / name_take(1, number, f"{number:064x}", "").name).touch()
    began = time.process_time()
    store = load_run(tmp_path, "run")
    assert (len(store.kept), len(list(store.takes))) == (2, 10_000)
    assert len(list_files(tmp_path / "run")) == 10_001
    assert time.process_time() - began < 5  # a second, on an idle machine
    assert Takes(tmp_path / "run").next_number(1) == 10_000


def test_names_of_takes_are_read_as_they_are_written():
    for index, number, token in ((0, 1, ""), (9_999, 99, "f" * 64), (123_456, 1234, "0" * 64)):
        take = name_take(index, number, "0123456789abcdef" * 4, token)
        assert parse_take(take.name) == take
    for name in ("chunk_0000_take_01_0123456789abcdef.safetensors", "chunk_0001_take_00_0123456789abcdef.safetensors"):
        assert parse_take(name) is None


def test_a_copied_run_is_a_run(tmp_path):
    run(tmp_path)
    shutil.copytree(tmp_path / "run", tmp_path / "copy")
    assert run(tmp_path, name="copy")[1] == []
