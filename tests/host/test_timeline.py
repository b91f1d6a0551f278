"""How much a node tells its timeline."""

import json
from dataclasses import replace

import pytest
import torch
from wan_motion_chunks.blending.null import NULL
from wan_motion_chunks.blending.seam import GRADES, SeamReport
from wan_motion_chunks.wan import ChunkRecord, ChunkState, plan_chunks


def scored(count):
    """A state of so many chunks, and the scores of those that have one."""
    plan = plan_chunks(17 + 8 * (count - 1), chunk_frames=17, overlap_frames=9, fps=8.0)
    scores = {index: (index % 5) / 2 for index in range(1, count) if index % 7}
    seams = {
        index: SeamReport(0.0, 0.0, score * NULL["color_step"][2], 0.0, 0.0, 0.0) for index, score in scores.items()
    }
    records = tuple(ChunkRecord(index, 8, seam=seams.get(index)) for index in range(count))
    return replace(ChunkState(plan, torch.zeros(1, 3, 16, 16)), records=records), scores


def test_pictures_are_made_of_the_seams_that_one_can_choose(comfy):
    from wan_motion_chunks.nodes.timeline import DRAWN, choosable

    few, _ = scored(DRAWN)
    assert choosable(few, False) == list(range(1, DRAWN))
    assert choosable(few, True) == list(range(DRAWN))
    many, scores = scored(3000)
    chosen = choosable(many, False)
    assert len(chosen) == DRAWN
    assert {scores[index] for index in chosen} == {2.0}
    assert chosen == sorted(chosen)
    assert choosable(replace(many, records=()), False) == []


def test_a_timeline_of_very_many_chunks_tells_as_much_as_can_be_drawn(comfy, tmp_path):
    from wan_motion_chunks.nodes.timeline import DRAWN, Timeline
    from wan_motion_chunks.wan.runs.store import RunStore, no_fingerprint

    timeline, sizes = Timeline(RunStore(tmp_path, no_fingerprint)), []
    for count in (DRAWN, 3000, 30_000):
        state, scores = scored(count)
        shown = timeline.describe(state)
        told = {chunk["index"]: chunk for chunk in shown["chunks"]}
        assert shown["count"] == count
        assert set(range(0, count, shown["step"])) | set(shown["seams"]) == set(told)
        assert all(told[index]["score"] == pytest.approx(scores[index]) for index in told if index in scores)
        assert {each["grade"] for each in told.values()} <= {None, *GRADES}
        sizes.append(len(json.dumps(shown)))
    assert shown["step"] == 100
    assert sizes[2] < 1.1 * sizes[1] < 3 * sizes[0]
