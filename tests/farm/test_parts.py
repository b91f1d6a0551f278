"""Long shots in parallel: their parts make what the whole would have made, to the bit."""

from dataclasses import replace

import pytest
from wan_motion_chunks.farm.jobs import Line
from wan_motion_chunks.farm.names import DONE
from wan_motion_chunks.farm.redo import redo
from wan_motion_chunks.farm.scenes import split


@pytest.fixture
def frames(shared, object_info):
    """The mean and the first pixels of all frames that runs hold: read by Load Run, compared as digests."""

    def read(*runs):
        import torch
        from safetensors.torch import load

        found = []
        for run in runs:
            for chunk in shared.storage.read("runs", run, "run.json")["chunks"]:
                content = shared.storage.fs.cat_file(shared.storage.path("runs", run, chunk["file"]))
                tensors = load(content)
                if "tail" in tensors:
                    tail = tensors["tail"].float()
                    found[-1] = torch.cat((found[-1][: -len(tail)], tail)) if len(tail) < len(found[-1]) else tail
                found.append(tensors["added"].float())
        return torch.cat(found)

    return read


def with_cut(job, object_info):
    """A second scene from another picture, from chunk 3 on, with a second prompt behind its first chunk."""
    from wan_motion_chunks.farm.graph import add_node

    prompt = job.prompt
    add_node(prompt, "other", "WanMotionTinyScene", {"seed": 8, "sprites": 2}, object_info)
    stacks = (
        ("one", {"positive": ["scene", 1], "start": 1.0}),
        ("two", {"positive": ["other", 1], "start": 3.0, "start_image": ["other", 0], "prompt_stack": ["one", 0]}),
        ("three", {"positive": ["scene", 1], "start": 4.0, "prompt_stack": ["two", 0]}),
    )
    for number, inputs in stacks:
        add_node(prompt, number, "WanMotionPromptStack", {"negative": "", "unit": "chunks"} | inputs, object_info)
    prompt["video"]["inputs"]["prompt"] = ""
    prompt["video"]["inputs"]["prompt_stack"] = ["three", 0]
    return job


def test_scenes_made_apart_are_the_frames_of_the_whole(shared, tiny, object_info, frames):
    import torch

    length = 17 + 8 + 17 + 8
    shared.book.add(with_cut(tiny("whole", frames=length), object_info))
    jobs = split(with_cut(tiny("apart", frames=length), object_info), object_info, shared.ask)
    assert [job.name for job in jobs] == ["apart (scene 1)", "apart (scene 2)", "apart"]
    for job in jobs:
        assert shared.book.add(job) is None
    statuses = shared.drive()
    assert {statuses[name] for name in ("whole", *(job.name for job in jobs))} == {DONE}
    whole, apart = frames("whole"), frames("apart (scene 1)", "apart (scene 2)")
    assert len(whole) == length
    assert torch.equal(whole, apart)
    assert len(shared.book.result("apart")["files"]) == 1


@pytest.mark.parametrize(("name", "value"), [("noise", "absolute"), ("feature_continuity", 0.5)])
def test_what_depends_on_the_whole_video_is_refused(shared, tiny, object_info, name, value):
    from wan_motion_chunks.farm.graph import add_node

    job = with_cut(tiny(f"with {name}"), object_info)
    add_node(job.prompt, "options", "WanMotionOptions", {name: value}, object_info)
    job.prompt["video"]["inputs"]["options"] = ["options", 0]
    with pytest.raises(ValueError, match=name):
        split(job, object_info, shared.ask)


def test_a_video_without_a_cut_is_not_split(shared, tiny, object_info):
    with pytest.raises(ValueError, match="scenes"):
        split(tiny("uncut"), object_info, shared.ask)


def test_chunks_made_again_at_once_leave_their_neighbors(shared, tiny, contents):
    frames = 33 + 4 * 24
    base = tiny("base", frames=frames, chunk_frames=33)
    shared.book.add(base)
    assert shared.drive()["base"] == DONE
    line = Line(1, "again", None, {}, {}, redo=(2, 4), of="base")
    jobs = redo(replace(tiny("again", frames=frames, chunk_frames=33)), line, shared.storage)
    assert [job.name for job in jobs] == ["again (chunk 2)", "again (chunk 4)", "again"]
    for job in jobs:
        assert shared.book.add(job) is None
    assert {shared.drive()[job.name] for job in jobs} == {DONE}
    before, after = contents("base"), contents("again")
    assert [first == second for first, second in zip(before, after, strict=True)] == [True, False, True, False, True]


def test_chunks_of_a_run_that_is_not_there_cannot_be_made_again(shared, tiny):
    with pytest.raises(ValueError, match="gone"):
        redo(tiny("never"), Line(1, "never", None, {}, {}, redo=(1,), of="gone"), shared.storage)
