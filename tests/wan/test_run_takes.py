"""Takes: nothing is overwritten, earlier ones come back, one chunk is made again between its neighbors."""

import json

import pytest
import torch
from wan_motion_chunks.tests.fakes import CausalVae, CountingModel, numbered_frames
from wan_motion_chunks.tests.wan.kept import LONG, TOTAL, file_of, files, long, make_long, run, start
from wan_motion_chunks.wan import Tools, generate
from wan_motion_chunks.wan.identity import Identity
from wan_motion_chunks.wan.runs.files import RunError
from wan_motion_chunks.wan.runs.fingerprint import find_reads, fingerprint_chunk
from wan_motion_chunks.wan.runs.load import load_run
from wan_motion_chunks.wan.runs.store import open_run


def takes(store):
    return [kept.facts.take for kept in store.kept]


def test_going_back_to_an_earlier_setting_finds_its_takes(tmp_path):
    videos = {}
    for first in (0, 3, 0, 3):
        video, made, store, _ = run(tmp_path, start(first=first))
        assert made == ([0, 1, 2, 3, 4, 5] if first not in videos else [])
        assert torch.equal(video, videos.setdefault(first, video))
        assert takes(store) == [2 if first else 1] * 6
    assert len(files(tmp_path)) == 12


def test_a_shorter_video_lists_what_it_does_not_use(tmp_path):
    run(tmp_path)
    run(tmp_path, start(33))
    shown = load_run(tmp_path, "run")
    assert torch.equal(torch.cat(list(shown.footage())), numbered_frames(0, 33))
    manifest = json.loads((tmp_path / "run" / "run.json").read_text(encoding="utf-8"))
    assert {*manifest["others"], *(chunk["file"] for chunk in manifest["chunks"])} == {f.name for f in files(tmp_path)}
    assert (len(manifest["chunks"]), len(manifest["others"])) == (3, 3)


@pytest.mark.parametrize(("keep", "left"), [(None, 12), (1, 6), (2, 12), (3, 12)])
def test_unused_takes_are_deleted_when_asked(tmp_path, keep, left):
    run(tmp_path, start(first=3))
    with open_run(tmp_path, "run", fingerprint_chunk) as store:
        generate(start(), Tools(CausalVae(), CountingModel(CausalVae())), store)
        if keep is not None:
            store.drop_unused(keep)
    assert len(files(tmp_path)) == left
    assert len(store.notes) == (left == 6)
    assert torch.equal(torch.cat(list(load_run(tmp_path, "run").footage())), numbered_frames(0, TOTAL))


def test_a_run_stops_and_goes_on(tmp_path):
    whole, _, _, _ = run(tmp_path, name="whole")
    done = 0
    for count in (1, 2, 2, 9):
        video, made, store, final = run(tmp_path, stop_after=count)
        assert made == list(range(done, min(done + count, 6)))
        done = min(done + count, 6)
        assert torch.equal(video, whole[: len(video)])
        assert final.made == store.reused + len(made) == done
        assert torch.equal(torch.cat(list(load_run(tmp_path, "run").footage())), video)
    assert torch.equal(video, whole)


def test_a_chosen_take_comes_back_with_those_behind_it(tmp_path):
    first, _, _, _ = make_long(tmp_path, long())
    second, made, _, _ = make_long(tmp_path, long(vary_from=1, variation=1))
    assert made == [1, 2, 3]
    assert not torch.equal(first, second)
    again, made, store, _ = make_long(tmp_path, long(), use_takes={1: 2})
    assert (made, takes(store)) == ([], [1, 2, 2, 2])
    assert torch.equal(again, second)
    for choice in ({1: 3}, {0: 2}):
        with pytest.raises(RunError, match=r"^use_takes: .*has no take"):
            make_long(tmp_path, long(), use_takes=choice)


def test_one_chunk_of_a_chosen_take_is_made_again(tmp_path):
    make_long(tmp_path, long())
    make_long(tmp_path, long(vary_from=1, variation=1))
    again = long(vary_from=1, variation=5, keep_later=True)
    _, made, store, _ = make_long(tmp_path, again, use_takes={1: 2})
    assert (made, takes(store)) == ([1], [1, 3, 1, 1])  # the stand-in's takes all end alike


def test_later_takes_made_from_other_settings_come_back_with_the_chosen_one_and_are_told(tmp_path):
    run(tmp_path)
    reads = {}

    def other(state):  # from chunk 3 on made from something else, as behind another prompt
        known = fingerprint_chunk(state, prompt="other" if state.made > 1 else "")
        reads[state.made] = known
        return known

    def third(state):
        return fingerprint_chunk(state, prompt={0: "", 1: ""}.get(state.made, "third"))

    _, made, store, _ = run(tmp_path, fingerprint=other)
    assert made == [0, 1, 2, 3, 4, 5]
    _, made, store, _ = run(tmp_path, fingerprint=other, use_takes={2: 1})
    assert (made, takes(store)) == ([], [2, 2, 1, 2, 2, 2])  # those of these settings go on from there as well
    _, made, store, _ = run(tmp_path, start(vary_from=4, variation=1), fingerprint=other, use_takes={2: 1})
    assert made == [4, 5]
    _, made, store, _ = run(tmp_path, fingerprint=third, use_takes={2: 2})
    assert (made, takes(store)[:4]) == ([], [2, 2, 2, 2])
    for path in [file_of(tmp_path, chunk, take=2) for chunk in (4, 5, 6)]:
        path.unlink()
    _, made, store, _ = run(tmp_path, fingerprint=other, use_takes={2: 1})
    assert made == []
    assert [note.split(" ")[:2] for note in store.notes] == [["chunk", str(chunk)] for chunk in (4, 5, 6)]


def test_a_take_behind_another_chunk_cannot_be_chosen(tmp_path):
    run(tmp_path)
    run(tmp_path, start(first=3))
    with pytest.raises(RunError, match=r"^use_takes: take 2"):
        run(tmp_path, use_takes={2: 2})


@pytest.mark.parametrize("index", [0, 1, 2])
def test_one_chunk_is_made_again_between_its_neighbors(tmp_path, index):
    before, _, first, state = make_long(tmp_path, long())
    after, made, store, final = make_long(tmp_path, long(vary_from=index, variation=1, keep_later=True))
    assert made == [index]
    assert takes(store) == [2 if at == index else 1 for at in range(4)]
    changed = [at for at in range(LONG) if not torch.equal(before[at], after[at])]
    begin, end = first.kept[index].facts.start, first.kept[index + 1].facts.start
    assert changed
    assert begin <= changed[0]
    assert changed[-1] < end - find_reads(_behind(store, long(), index)).frames
    assert torch.equal(final.latent, state.latent)
    old, new = (kept[index].read("latent")["latent"] for kept in (first.kept, store.kept))
    assert torch.equal(old[:, :, -2:], new[:, :, -2:])
    assert not torch.equal(old, new)
    assert final.records[index].end_seam is not None
    again, made, _, _ = make_long(tmp_path, long(vary_from=index, variation=1, keep_later=True))
    assert made == []
    assert torch.equal(again, after)
    assert torch.equal(torch.cat(list(load_run(tmp_path, "run").footage())), after)


def _behind(store, state, index):
    """The state behind a chunk of a run."""
    with open_run(store.folder.parent, store.folder.name, fingerprint_chunk) as again:
        for _ in range(index + 1):
            state = again.recall(state)
    return state


def test_a_chunk_is_made_again_only_where_one_is_kept_and_there_is_room(tmp_path):
    with pytest.raises(RunError, match=r"^keep_later: chunk 2"):
        make_long(tmp_path, long(vary_from=1, variation=1, keep_later=True))
    assert not files(tmp_path)
    run(tmp_path, name="short")
    with pytest.raises(RunError, match=r"^keep_later: .*nothing is left"):
        run(tmp_path, start(vary_from=1, variation=1, keep_later=True), name="short")
    make_long(tmp_path, long())
    _, made, store, _ = make_long(tmp_path, long(vary_from=3, variation=1, keep_later=True))
    assert (made, len(store.notes)) == ([3], 1)  # nothing goes on from the last


def unsure(token):
    return lambda state: fingerprint_chunk(state, model=Identity("1" * 64, ("a lock",), token))


def test_what_cannot_be_compared_is_taken_up_in_its_own_process_alone(tmp_path):
    _, made, store, _ = run(tmp_path, start(25), fingerprint=unsure("a"))
    assert (made, len(store.notes)) == ([0, 1], 1)
    assert run(tmp_path, start(25), fingerprint=unsure("a"))[1] == []
    assert run(tmp_path, start(25), fingerprint=unsure("b"))[1] == [0, 1]
    _, made, store, _ = run(tmp_path, start(25), fingerprint=unsure("c"), reuse_unsure=True)
    assert made == []
    assert [note.startswith(f"chunk {chunk} is taken") for chunk, note in enumerate(store.notes, 1)] == [True, True]
    assert [kept.facts.take for kept in store.kept] == [2, 2]  # the newest
