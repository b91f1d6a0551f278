import json
import multiprocessing
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from wan_motion_chunks.tests.fakes import CausalVae, CountingModel, numbered_frames
from wan_motion_chunks.wan import ChunkState, Entry, GuideSettings, Tools, generate, plan_chunks
from wan_motion_chunks.wan.contract import describe_chunk
from wan_motion_chunks.wan.run_files import RunError, check_name, read_facts
from wan_motion_chunks.wan.run_store import load_run, open_run, pack, unpack

TOTAL = 17 + 5 * 8


class Stop(BaseException):
    """The host's interrupt."""


def start(total=TOTAL, **more):
    plan = plan_chunks(total, chunk_frames=17, overlap_frames=9, entries=more.pop("entries", ()))
    return ChunkState(plan, numbered_frames(more.pop("first", 0), 1), GuideSettings("overlap"), **more)


def run(folder, state=None, stop_after=None, name="run", **more):
    """Make a kept video; returns its frames, the indices of the chunks that were sampled, and the store."""
    vae, made = CausalVae(), []
    model = CountingModel(vae)

    def sample(guide):
        if len(made) == stop_after:
            raise Stop
        made.append(guide.chunk_index)
        return model(guide)

    with open_run(folder, name, describe_chunk, **more) as store:
        final = generate(state or start(), Tools(vae, sample), store)
        return torch.cat(list(store.footage())), made, store, final


def files(folder, name="run"):
    return sorted((folder / name).glob("chunk_*.safetensors"))


def test_a_kept_video_is_the_video(tmp_path):
    video, made, store, final = run(tmp_path)
    assert torch.equal(video, numbered_frames(0, TOTAL))
    assert made == [0, 1, 2, 3, 4, 5]
    assert store.reused == 0
    assert final.released > 0
    assert len(final.lines) == 6


def test_an_equal_run_makes_nothing_again(tmp_path):
    video, _, _, final = run(tmp_path)
    before = [path.read_bytes() for path in files(tmp_path)]
    again, made, store, second = run(tmp_path)
    assert torch.equal(video, again)
    assert (made, store.reused) == ([], 6)
    assert second.lines == final.lines
    assert [path.read_bytes() for path in files(tmp_path)] == before


@pytest.mark.parametrize("stop_after", range(6))
def test_an_interrupt_keeps_what_is_finished_and_gets_through(tmp_path, stop_after):
    with pytest.raises(Stop):
        run(tmp_path, stop_after=stop_after)
    assert len(files(tmp_path)) == stop_after
    partial = load_run(tmp_path, "run")
    assert len(partial.kept) == stop_after
    if stop_after:
        assert torch.equal(torch.cat(list(partial.footage())), numbered_frames(0, partial.frames))
    video, made, store, _ = run(tmp_path)
    assert torch.equal(video, numbered_frames(0, TOTAL))
    assert made == list(range(stop_after, 6))
    assert store.reused == stop_after


def test_a_longer_run_takes_all_chunks_that_are_equal(tmp_path):
    run(tmp_path)
    video, made, _, final = run(tmp_path, start(TOTAL + 16))
    assert made == [6, 7]
    assert torch.equal(video, numbered_frames(0, TOTAL + 16))
    assert [line.split(":")[0] for line in final.lines] == [f"chunk {number}/8" for number in range(1, 9)]
    shorter, made, _, _ = run(tmp_path, start(TOTAL - 3))
    assert made == [5]  # its last chunk is another: it keeps fewer frames
    assert torch.equal(shorter, numbered_frames(0, TOTAL - 3))


def test_what_changes_from_some_chunk_on_is_made_from_there_on(tmp_path):
    run(tmp_path, start(entries=[Entry("a", ""), Entry("b", "", 3)]))
    _, made, _, _ = run(tmp_path, start(entries=[Entry("a", ""), Entry("c", "", 3)]))
    assert made == []  # what a prompt says is the sampler's to tell
    _, made, _, _ = run(tmp_path, start(entries=[Entry("a", ""), Entry("b", "", 2)]))
    assert made == [2, 3, 4, 5]
    _, made, _, _ = run(tmp_path, start(first=7))
    assert made == [0, 1, 2, 3, 4, 5]


def test_a_variation_is_made_once(tmp_path):
    run(tmp_path)
    for expected in ([4, 5], []):
        _, made, _, _ = run(tmp_path, start(vary_from=4, variation=1))
        assert made == expected
    _, made, _, _ = run(tmp_path)
    assert made == [4, 5]


def test_anew_forgets_what_was_kept(tmp_path):
    run(tmp_path)
    assert run(tmp_path, anew=True)[1] == [0, 1, 2, 3, 4, 5]


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


def test_the_manifest_says_what_is_kept(tmp_path):
    run(tmp_path)
    manifest = json.loads((tmp_path / "run" / "run.json").read_text(encoding="utf-8"))
    assert manifest["frames"] == TOTAL
    assert [chunk["frames"] for chunk in manifest["chunks"][:2]] == [[0, 16], [17, 24]]
    assert manifest["chunks"][1]["report"].startswith("chunk 2/6: 8 new frames")
    assert manifest["made_from"]["chunk"] == {"start": 40, "length": 17, "overlap": 9, "adds": 8}


def test_a_full_disk_costs_no_chunk(tmp_path, monkeypatch):
    from wan_motion_chunks.wan import run_store

    def full(path, facts, tensors):
        if facts.index == 3:
            raise OSError(28, "No space left on device")
        return real(path, facts, tensors)

    real = run_store.write_chunk
    monkeypatch.setattr(run_store, "write_chunk", full)
    video, made, store, _ = run(tmp_path)
    assert torch.equal(video, numbered_frames(0, TOTAL))
    assert made == [0, 1, 2, 3, 4, 5]
    assert len(files(tmp_path)) == 3
    assert "chunk 4 could not be kept ([Errno 28] No space left on device): it and all after it stay" in store.notes[0]
    monkeypatch.setattr(run_store, "write_chunk", real)
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


@pytest.mark.parametrize("name", ["my-video", "Видео 3", "動画_(2)", "a" * 120, "shot.v2", "ä" * 60])
def test_names_of_all_languages_are_folders(tmp_path, name):
    assert check_name(name) == name
    assert run(tmp_path, name=name)[1]
    assert len(files(tmp_path, name)) == 6


@given(st.lists(st.floats(-0.5, 1.5, width=32), min_size=1, max_size=20), st.booleans())
def test_8_bit_values_are_kept_exactly_and_others_in_half_precision(values, rounded):
    frames = torch.tensor(values).view(-1, 1, 1, 1)
    if rounded:
        frames = (frames.clamp(0, 1) * 255).round() / 255
    kept = pack(frames)
    assert (kept.dtype == torch.uint8) or not rounded
    torch.testing.assert_close(unpack(kept), frames, atol=0 if rounded else 5e-4, rtol=0)
    assert torch.equal(unpack(pack(unpack(kept))), unpack(kept))


def test_a_run_that_another_job_changed_is_not_shown_as_the_old_one(tmp_path):
    _, _, store, _ = run(tmp_path)
    run(tmp_path, start(first=3))
    with pytest.raises(RunError, match="was made anew or taken away by another job"):
        list(store.footage())


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
