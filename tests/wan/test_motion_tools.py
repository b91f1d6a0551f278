"""Where motion is worked out, and what happens when that device's memory runs out."""

import pytest
import torch
from wan_motion_chunks.motion.transfer import to_device
from wan_motion_chunks.wan.motion_tools import WORKING_MEMORY, MotionTools

CARD = torch.device("meta")
FRAMES = torch.rand(3, 3, 16, 24), torch.rand(2, 3, 16, 24)


def work(estimator, *frames):
    return estimator, [clip.device for clip in frames], [clip.shape for clip in frames]


def test_frames_go_to_the_device_once_room_is_made_for_them():
    asked = []
    tools = MotionTools("dis", CARD, make_room=lambda *room: asked.append(room))
    found, ran_out = tools.run(work, *FRAMES)
    assert found == ("dis", [CARD, CARD], [clip.shape for clip in FRAMES])
    assert not ran_out
    assert asked == [(WORKING_MEMORY * 5 * 16 * 24, CARD)]


def test_room_is_made_for_what_is_looked_at():
    asked = []
    tools = MotionTools("auto", CARD, make_room=lambda *room: asked.append(room))
    tools.run(work, FRAMES[0][:1], count=40)
    assert asked == [(WORKING_MEMORY * 40 * 16 * 24, CARD)]


def test_by_default_nothing_is_moved_and_no_room_made():
    asked = []
    given = MotionTools(make_room=lambda *room: asked.append(room)).run(lambda estimator, *frames: frames, *FRAMES)
    assert all(one is other for one, other in zip(given[0], FRAMES, strict=True))
    assert not asked


@pytest.mark.parametrize(
    "error",
    [torch.OutOfMemoryError(), RuntimeError("CUDA error: out of memory"), RuntimeError("MPS backend out of memory")],
)
def test_where_memory_runs_out_it_is_done_at_home_by_the_built_in_estimator(error):
    cleared, tried = [], []

    def greedy(estimator, *frames):
        tried.append((estimator, frames[0].device.type))
        if frames[0].device == CARD:
            raise error
        return frames

    tools = MotionTools(lambda first, second: first, CARD, clear=lambda: cleared.append(len(tried)))
    found, ran_out = tools.run(greedy, *FRAMES)
    assert ran_out
    assert found[0].data_ptr() == FRAMES[0].data_ptr()
    assert cleared == [1]
    assert [device for _, device in tried] == ["meta", "cpu"]
    assert tried[1][0] == "auto"


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_what_is_no_lack_of_memory_gets_through(error):
    def broken(estimator, *frames):
        raise error

    with pytest.raises(error):
        MotionTools(device=CARD).run(broken, *FRAMES)


def test_tensors_are_brought_over_as_they_were():
    tensors = torch.rand(2, 3), torch.tensor([True, False]), torch.rand(()), torch.rand(4).half(), torch.arange(5)
    assert all(one is other for one, other in zip(to_device(torch.device("cpu"), *tensors), tensors, strict=True))
    for one, other in zip(to_device(CARD, *tensors), tensors, strict=True):
        assert (one.shape, one.dtype, one.device) == (other.shape, other.dtype, CARD)
