import json
from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from wan_motion_chunks.tests.fakes import CausalVae, CountingModel, numbered_frames
from wan_motion_chunks.tests.wan.kept import TOTAL, Stop, file_of, files, run, start
from wan_motion_chunks.wan import Keyframe, Lora, Tools, generate
from wan_motion_chunks.wan.prompts import ChunkPrompt
from wan_motion_chunks.wan.records import ContinuityRecord, Reason
from wan_motion_chunks.wan.runs import fingerprint
from wan_motion_chunks.wan.runs.files import RunError
from wan_motion_chunks.wan.runs.fingerprint import fingerprint_chunk
from wan_motion_chunks.wan.runs.kept import pack, unpack
from wan_motion_chunks.wan.runs.load import load_run
from wan_motion_chunks.wan.runs.store import open_run


def test_a_kept_video_is_the_video(tmp_path):
    video, made, store, final = run(tmp_path)
    assert torch.equal(video, numbered_frames(0, TOTAL))
    assert made == [0, 1, 2, 3, 4, 5]
    assert store.reused == 0
    assert final.stored > 0
    assert len(final.records) == 6


def test_an_equal_run_makes_nothing_again(tmp_path):
    video, _, _, final = run(tmp_path)
    before = [path.read_bytes() for path in files(tmp_path)]
    again, made, store, second = run(tmp_path)
    assert torch.equal(video, again)
    assert (made, store.reused) == ([], 6)
    assert second.records == final.records
    assert [path.read_bytes() for path in files(tmp_path)] == before


@pytest.mark.parametrize("count", range(6))
def test_an_interrupt_keeps_what_is_finished_and_gets_through(tmp_path, count):
    with pytest.raises(Stop):
        run(tmp_path, interrupt_after=count)
    assert len(files(tmp_path)) == count
    partial = load_run(tmp_path, "run")
    assert len(partial.kept) == count
    if count:
        assert torch.equal(torch.cat(list(partial.footage())), numbered_frames(0, partial.frames))
    video, made, store, _ = run(tmp_path)
    assert torch.equal(video, numbered_frames(0, TOTAL))
    assert made == list(range(count, 6))
    assert store.reused == count


def test_a_longer_run_takes_all_chunks_that_are_equal(tmp_path):
    run(tmp_path)
    video, made, _, final = run(tmp_path, start(TOTAL + 16))
    assert made == [6, 7]
    assert torch.equal(video, numbered_frames(0, TOTAL + 16))
    assert [record.index for record in final.records] == list(range(8))
    shorter, made, _, _ = run(tmp_path, start(TOTAL - 3))
    assert made == [5]  # its last chunk is another: it keeps fewer frames
    assert torch.equal(shorter, numbered_frames(0, TOTAL - 3))


def test_what_changes_from_some_chunk_on_is_made_from_there_on(tmp_path):
    def told(*keyframes):
        def fingerprint(state):  # what a prompt says is the sampler's to tell
            shares = state.plan.chunk_prompt(state.next_chunk).shares
            return fingerprint_chunk(state, prompts=[state.plan.keyframes[index].positive for index, _ in shares])

        return run(tmp_path, start(keyframes=list(keyframes)), fingerprint=fingerprint)[1]

    told(Keyframe("a", ""), Keyframe("b", "", 3))
    assert told(Keyframe("a", ""), Keyframe("c", "", 3)) == [3, 4, 5]
    assert told(Keyframe("a", ""), Keyframe("b", "", 2)) == [2]  # as it ends as before, those behind it go on from it
    assert told(Keyframe("a", ""), Keyframe("a", "", 1), Keyframe("b", "", 3)) == []  # prompts are numbered otherwise
    _, made, _, _ = run(tmp_path, start(first=7))
    assert made == [0, 1, 2, 3, 4, 5]


def test_a_variation_is_made_once(tmp_path):
    run(tmp_path)
    for expected in ([4, 5], []):
        _, made, _, _ = run(tmp_path, start(vary_from=4, variation=1))
        assert made == expected
    assert run(tmp_path)[1] == []  # the first take is there still


def test_the_manifest_says_what_is_kept(tmp_path):
    _, _, _, final = run(tmp_path)
    manifest = json.loads((tmp_path / "run" / "run.json").read_text(encoding="utf-8"))
    assert manifest["frames"] == TOTAL
    assert [chunk["frames"] for chunk in manifest["chunks"][:2]] == [[0, 16], [17, 24]]
    assert [chunk["report"] for chunk in manifest["chunks"]] == [record.describe() for record in final.records]
    assert (manifest["version"], manifest["results"]) == (fingerprint.VERSION, fingerprint.RESULTS)
    assert manifest["made_from"]["chunk"] == {"start": 40, "length": 17, "overlap": 9, "adds": 8}
    assert [chunk["file"] for chunk in manifest["chunks"]] == [path.name for path in files(tmp_path)]
    assert (manifest["planned"], manifest["making"], manifest["others"]) == (6, None, [])


@given(st.lists(st.floats(-0.5, 1.5, width=32), min_size=1, max_size=20), st.booleans())
def test_8_bit_values_are_kept_exactly_and_others_in_half_precision(values, rounded):
    frames = torch.tensor(values).view(-1, 1, 1, 1)
    if rounded:
        frames = (frames.clamp(0, 1) * 255).round() / 255
    kept = pack(frames)
    assert (kept.dtype == torch.uint8) or not rounded
    torch.testing.assert_close(unpack(kept), frames, atol=0 if rounded else 5e-4, rtol=0)
    assert torch.equal(unpack(pack(unpack(kept))), unpack(kept))


def test_a_video_stays_when_another_is_made_under_its_name(tmp_path):
    _, _, store, _ = run(tmp_path)
    run(tmp_path, start(first=3))
    assert torch.equal(torch.cat(list(store.footage())), numbered_frames(0, TOTAL))
    file_of(tmp_path, 1).write_bytes(file_of(tmp_path, 1, take=2).read_bytes())
    with pytest.raises(RunError, match=r"^\S+/run/chunk_0001\S+ .*replaced"):
        list(store.footage())


def test_chunks_of_another_version_are_made_again_which_is_told_once(tmp_path, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(fingerprint, "RESULTS", fingerprint.RESULTS + 1)
        run(tmp_path, start(25))
    shown = load_run(tmp_path, "run")
    assert torch.equal(torch.cat(list(shown.footage())), numbered_frames(0, 25))
    video, made, store, _ = run(tmp_path, start(25))
    assert torch.equal(video, numbered_frames(0, 25))
    assert made == [0, 1]
    (note,) = store.notes
    assert note.startswith("chunks of another")
    assert run(tmp_path, start(25))[1] == []


def test_chunks_of_0_1_0_are_left_alone_which_is_told(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "chunk_0001.safetensors").write_bytes(b"of 0.1.0")
    _, made, store, _ = run(tmp_path, start(25))
    assert (made, len(store.notes)) == ([0, 1], 1)
    assert (tmp_path / "run" / "chunk_0001.safetensors").read_bytes() == b"of 0.1.0"


def test_other_results_make_all_chunks_again_and_another_version_none(tmp_path, monkeypatch):
    run(tmp_path, start(25))
    monkeypatch.setattr(fingerprint, "VERSION", "9.9.9")
    assert run(tmp_path, start(25))[1] == []
    monkeypatch.setattr(fingerprint, "RESULTS", fingerprint.RESULTS + 1)
    _, made, store, _ = run(tmp_path, start(25))
    assert (made, len(store.notes)) == ([0, 1], 1)
    assert run(tmp_path, start(25))[1] == []


def test_what_a_run_to_look_at_leaves_out_is_told(tmp_path):
    run(tmp_path, start(17 + 3 * 8))
    kept = files(tmp_path)
    kept[2].unlink()
    shown = load_run(tmp_path, "run")
    assert [note.split(" ")[:3] for note in shown.notes] == [[kept[2].name, "is", "missing:"]]
    kept[1].write_bytes(b"")
    shown = load_run(tmp_path, "run")
    assert len(shown.kept) == len(shown.notes) == 1
    assert shown.notes[0].startswith(f"{kept[1].name} is damaged")


@pytest.mark.parametrize(
    "changed",
    [
        {"prompt": ChunkPrompt(((0, 1.0),), (Lora("wide\u3000space.safetensors", 1.0, 1.0),))},
        {"continuity": ContinuityRecord("overlap_pinned", Reason.FLOW_FAILED, error="CUDA error\n" + "why" * 900)},
        {"speed": float("inf"), "adapted": (("motion_weight", float("nan")),)},
        {"failures": (("joining", "AttributeError"),)},
    ],
    ids=["names", "texts", "numbers", "failures"],
)
def test_what_is_kept_of_a_chunk_is_what_is_read_of_it(tmp_path, changed):
    state, vae = start(17), CausalVae()
    with open_run(tmp_path, "run", fingerprint_chunk) as store:
        made = generate(state, Tools(vae, CountingModel(vae)))
        made = replace(made, records=(replace(made.records[0], **changed),))
        kept = store.keep(state, made)
        assert torch.equal(torch.cat(list(store.footage())), numbered_frames(0, 17))
    with open_run(tmp_path, "run", fingerprint_chunk) as store:
        assert store.recall(state).records == kept.records
    assert kept.warnings == kept.records[0].warnings
    assert len(kept.warnings) == len(changed.get("failures", ()))
