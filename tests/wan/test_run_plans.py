"""Kept runs whose overlaps follow the speed, and what is deleted, chosen and made again between neighbors."""

import errno
import os
from pathlib import Path

import pytest
import torch
from wan_motion_chunks.tests.fakes import CausalVae, numbered_frames
from wan_motion_chunks.tests.wan.kept import file_of, files, long, make_long, run, start
from wan_motion_chunks.wan import ChunkState, GuideSettings, Keyframe, Tools, generate, plan_chunks
from wan_motion_chunks.wan.runs import store as run_store
from wan_motion_chunks.wan.runs.fingerprint import fingerprint_chunk
from wan_motion_chunks.wan.runs.load import load_run
from wan_motion_chunks.wan.runs.store import open_run
from wan_motion_chunks.wan.runs.takes import name_take, parse_take


def by_speed(total, end=0, keyframes=()):
    """A video of pictures at rest, whose overlap of 17 becomes the one for slow motion."""
    plan = plan_chunks(total, chunk_frames=41, overlap_frames=17, keyframes=keyframes, to_picture=bool(end))
    settings = GuideSettings("overlap", adaptive=frozenset({"overlap_frames"}))
    return ChunkState(plan, numbered_frames(7, 1), settings, end=numbered_frames(end, 1) if end else None)


def make(folder, state, fingerprint=fingerprint_chunk):
    """The indices of the chunks that were made, and the state behind them; pictures stay as the first one is."""
    made = []

    def sample(guide):
        made.append(guide.request.index)
        frames = guide.request.known[:1].expand(guide.request.length, -1, -1, -1)
        if guide.request.end is not None:
            closing = 1 + guide.request.dropped
            frames = torch.cat((frames[:-closing], guide.request.end.expand(closing, -1, -1, -1)))
        return CausalVae().encode(frames.movedim(1, -1))

    with open_run(folder, "run", fingerprint) as store:
        return made, generate(state, Tools(CausalVae(), sample), store)


def test_another_end_picture_is_made_though_only_the_speed_makes_its_chunk_the_last(tmp_path):
    made, first = make(tmp_path, by_speed(70, end=9))
    assert first.plan.overlap_frames < 17
    assert len(first.plan.chunks) < len(by_speed(70).plan.chunks)
    made, second = make(tmp_path, by_speed(70, end=30))
    assert made == [first.plan.chunks[-1].index]
    assert torch.equal(second.tail(1), numbered_frames(30, 1))
    assert make(tmp_path, by_speed(70, end=9))[0] == []


def test_another_prompt_is_told_though_only_the_speed_gives_it_its_chunk(tmp_path):
    def told(text):
        def fingerprint(state):
            shares = state.plan.chunk_prompt(state.next_chunk).shares
            return fingerprint_chunk(state, prompts=[state.plan.keyframes[index].positive for index, _ in shares])

        return make(
            tmp_path, by_speed(200, keyframes=[Keyframe("a", ""), Keyframe(text, "", 3.4, "seconds")]), fingerprint
        )

    _, first = told("b")
    of_b = [chunk.index for chunk in first.plan.chunks if first.plan.chunk_prompt(chunk).shares[-1][0] == 1]
    assert told("c")[0] == of_b
    assert told("b")[0] == []


def test_lengths_take_turns_without_making_anything_again(tmp_path):
    for turn in range(3):
        for total in (66, 70):
            made, state = make(tmp_path, by_speed(total))
            assert turn == 0 or made == []
            assert sum(record.added for record in state.records) == total
    assert len(files(tmp_path)) == 3


def test_a_chosen_take_that_was_made_between_neighbors_changes_no_other(tmp_path):
    make_long(tmp_path, long())
    make_long(tmp_path, long(vary_from=1, variation=1, keep_later=True))
    _, made, store, _ = make_long(tmp_path, long(), use_takes={1: 2})
    assert made == []
    assert [kept.facts.take for kept in store.kept] == [1, 2, 1, 1]
    file_of(tmp_path, 4).unlink()
    _, made, store, _ = make_long(tmp_path, long(), use_takes={1: 2})
    assert made == [3]
    assert store.kept[3].facts.attempt == 0


def test_a_chunk_made_between_neighbors_needs_the_one_before_no_more(tmp_path):
    again = long(vary_from=1, variation=1, keep_later=True)
    make_long(tmp_path, long())
    video, _, _, _ = make_long(tmp_path, again)
    with open_run(tmp_path, "run", fingerprint_chunk) as store:
        generate(again, Tools(CausalVae(), pytest.fail), store)
        store.drop_unused(1)
    assert len(files(tmp_path)) == 5  # the take whose end is kept stays
    file_of(tmp_path, 2).unlink()
    shown, made, _, _ = make_long(tmp_path, again)
    assert made == []
    assert torch.equal(shown, video)
    file_of(tmp_path, 1).unlink()
    shown, made, _, _ = make_long(tmp_path, again)
    assert made == [0]
    assert torch.equal(shown, video)


def test_a_video_that_is_not_on_disk_deletes_no_other(tmp_path, monkeypatch):
    from wan_motion_chunks.wan.runs import files as run_files

    run(tmp_path)
    real = run_files.save_file

    def full(tensors, path, metadata):
        if "chunk_0003" in path.name:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(tensors, path, metadata)

    monkeypatch.setattr(run_files, "save_file", full)
    _, made, store, _ = run(tmp_path, start(first=3))
    store.drop_unused(1)
    assert made == [0, 1, 2, 3, 4, 5]
    assert len(files(tmp_path)) == 8
    monkeypatch.undo()
    assert run(tmp_path)[1] == []


def test_a_file_that_cannot_be_deleted_costs_no_video(tmp_path, monkeypatch):
    run(tmp_path)
    _, _, store, _ = run(tmp_path, start(first=3))
    real = Path.unlink

    def refuse(path, *arguments, **more):
        if "chunk_0002" in path.name:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        real(path, *arguments, **more)

    monkeypatch.setattr(run_store.Path, "unlink", refuse)
    store.drop_unused(1)
    assert len(files(tmp_path)) == 7
    assert len(store.notes) == 2


def test_what_is_given_out_is_not_deleted(tmp_path):
    _, _, first, _ = run(tmp_path)
    shown = first.shown()
    _, _, second, _ = run(tmp_path, start(first=3))
    second.drop_unused(1)
    assert len(list(shown.footage())) > 0
    assert len(files(tmp_path)) == 12
    del shown
    second.drop_unused(1)
    assert len(files(tmp_path)) == 6


def test_numbers_of_strangers_do_not_count(tmp_path):
    run(tmp_path, start(25))
    (tmp_path / "run" / name_take(0, 999_999_999, "0" * 64, "").name).touch()
    run(tmp_path, start(25, first=3))
    assert run(tmp_path, start(25, first=3))[1] == []
    assert all(parse_take(path.name) is not None for path in files(tmp_path))
    assert len(load_run(tmp_path, "run").kept) == 2
