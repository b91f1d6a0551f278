import pytest
import torch
from wan_motion_chunks.benchmarks.layers import waves
from wan_motion_chunks.blending.replay import replayed_frames

SEAM = 20


def along(path):
    """A texture that is shifted to the right by each of ``path``, in pixels."""
    return torch.cat([waves(48, 64, (float(x), 0.0), shortest=7.0) for x in path])


STEADY = 0.7 * torch.arange(40.0)


@pytest.mark.parametrize("count", [1, 2, 4])
def test_a_frame_that_is_held_is_found_however_long(count):
    clip = along(STEADY)
    held = torch.cat((clip[:SEAM], clip[SEAM - 1 : SEAM].repeat(count, 1, 1, 1), clip[SEAM:]))
    assert replayed_frames(held, SEAM) == 1


@pytest.mark.parametrize("count", [2, 5, 13])
def test_frames_that_are_shown_again_are_counted(count):
    clip = along(STEADY)
    assert replayed_frames(torch.cat((clip[:SEAM], clip[SEAM - count :])), SEAM) == count


@pytest.mark.parametrize("speed", [0.3, 1.5, 6.0])
@pytest.mark.parametrize("middle", [19.0, 19.5])
@pytest.mark.parametrize("kind", ["swing", "throw", "ease"])
def test_a_pan_that_turns_back_or_comes_to_rest_is_not_frozen(speed, middle, kind):
    time = torch.arange(40.0) - middle
    path = {
        "swing": 8 * speed * torch.cos(time / 8),
        "throw": 0.06 * speed * time.square(),
        "ease": 0.005 * speed * time**3,  # slows down to rest and goes on
    }[kind]
    clip = along(path)
    assert [replayed_frames(clip[max(0, seam - 16) : seam + 16], min(seam, 16)) for seam in range(14, 26)] == [0] * 12


def test_a_clip_that_runs_back_from_a_frame_shown_twice_is_not_frozen():
    clip = along(STEADY)
    assert replayed_frames(torch.cat((clip[:SEAM], clip[:SEAM].flip(0))), SEAM) == 0


def test_a_motion_in_circles_replays_nothing():
    clip = along(3 * torch.sin(torch.arange(40.0) * (2 * torch.pi / 8)))
    assert replayed_frames(clip, SEAM) == 0


def test_a_film_that_holds_every_third_frame_is_not_frozen():
    clip = along(STEADY[torch.arange(40) * 2 // 3])
    held = [seam for seam in range(4, 36) if torch.equal(clip[seam], clip[seam - 1])]
    assert held
    assert [replayed_frames(clip, seam) for seam in held] == [0] * len(held)


def test_a_frame_is_held_at_the_end_too():
    clip = along(STEADY)
    assert replayed_frames(torch.cat((clip[:SEAM], clip[SEAM - 1 : SEAM])), SEAM) == 1
    assert replayed_frames(torch.cat((clip[:1], clip)), 1) == 1
