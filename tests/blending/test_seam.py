import pytest
import torch
from wan_motion_chunks.blending import measure_seam


def pan(frames=20, speed=1, seed=0):
    """A texture that rolls sideways."""
    texture = torch.rand(3, 24, 48, generator=torch.Generator().manual_seed(seed))
    return torch.stack([texture.roll(speed * t, dims=-1) for t in range(frames)])


def test_a_steady_pan_has_no_seam():
    seam = measure_seam(pan(), 10)
    assert seam.difference_ratio == pytest.approx(1, abs=1e-3)
    assert seam.colour_step < 0.01


def test_a_replayed_frame_has_ratio_zero():
    frames = pan()
    frames = torch.cat((frames[:10], frames[9:-1]))
    assert measure_seam(frames, 10).difference_ratio < 0.01


def test_a_cut_between_still_scenes_stands_out():
    frames = torch.cat((pan(10, speed=0), pan(10, speed=0, seed=1)))
    assert measure_seam(frames, 10).difference_ratio > 100


@pytest.mark.parametrize("levels", [1.0, 4.0])
def test_a_colour_step_is_measured_in_levels(levels):
    frames = pan() * 0.9
    frames[10:, 0] += levels / 255
    assert measure_seam(frames, 10).colour_step == pytest.approx(levels, rel=0.01)


def test_a_still_clip_gives_finite_numbers():
    seam = measure_seam(torch.full((6, 3, 8, 8), 0.5), 3)
    assert (seam.difference_ratio, seam.colour_step) == (1, 0)


@pytest.mark.parametrize("seam", [0, 20, -1])
def test_a_seam_outside_the_clip_is_refused(seam):
    with pytest.raises(ValueError, match=f"lies at 1 to 19, got {seam}"):
        measure_seam(pan(), seam)


def test_two_frames_have_nothing_to_compare_with():
    with pytest.raises(ValueError, match="needs a neighbouring frame pair"):
        measure_seam(pan(2), 1)
