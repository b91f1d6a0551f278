"""Long shots in parallel: their parts make what the whole would have made, to the bit."""

import pytest
from wan_motion_chunks.farm.jobs import Line
from wan_motion_chunks.farm.names import DONE
from wan_motion_chunks.farm.redo import redo
from wan_motion_chunks.farm.scenes import split
from wan_motion_chunks.tests.farm.drive import with_cut

CUT = 17 + 8 + 17 + 8


@pytest.fixture
def frames(shared):
    """All frames that runs hold, put together from their chunk files."""

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


def test_scenes_made_apart_are_the_frames_of_the_whole(shared, driven, frames):
    import torch

    names = ["apart (scene 1)", "apart (scene 2)", "apart"]
    assert [driven.statuses[name] for name in ("whole", *names)] == [DONE] * 4
    assert shared.book.job("apart").after == ("apart (scene 1)", "apart (scene 2)")
    whole, apart = frames("whole"), frames("apart (scene 1)", "apart (scene 2)")
    assert len(whole) == CUT
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


def test_chunks_made_again_at_once_leave_their_neighbors(again, contents):
    assert {again.statuses[name] for name in ("again (chunk 2)", "again (chunk 4)", "again")} == {DONE}
    before, after = contents("base"), contents("again")
    assert [first == second for first, second in zip(before, after, strict=True)] == [True, False, True, False, True]
    assert again.made("again") == 0  # it only puts together what the others made


def test_chunks_of_a_run_that_is_not_there_cannot_be_made_again(shared, tiny):
    with pytest.raises(ValueError, match="gone"):
        redo(tiny("never"), Line(1, "never", None, {}, {}, redo=(1,), of="gone"), shared.storage)
