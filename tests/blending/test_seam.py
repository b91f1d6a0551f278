import json
import math

import pytest
import torch
from wan_motion_chunks.blending import measure_seam
from wan_motion_chunks.blending.replay import find_cuts, replayed_frames
from wan_motion_chunks.blending.seam import GRADES
from wan_motion_chunks.tests.blending.clips import pan, spoil


def test_a_steady_pan_has_no_seam():
    seam = measure_seam(pan(), 20)
    assert seam.flags == ()
    assert seam.boundary_jump == pytest.approx(1, abs=0.15)
    assert seam.color_step < 0.05
    assert seam.score < 1
    assert seam.grade == GRADES[0]
    assert seam.grade in str(seam)


@pytest.mark.parametrize(
    ("name", "flag"),
    [
        ("replay", "13 frames replayed"),
        ("held frame", "frozen"),
        ("flash", "color step"),
        ("color", "color step"),
        ("blur", "sharpness step"),
        ("jump", "motion jump"),
        ("cut", "cut"),
    ],
)
def test_what_is_wrong_is_found_and_named(name, flag):
    seam = measure_seam(spoil(pan(), name), 20)
    assert flag in seam.flags
    assert seam.score > 1
    assert str(seam).count(flag) == 1
    assert json.loads(json.dumps(seam.as_dict()))["flags"] == list(seam.flags)


@pytest.mark.parametrize("levels", [1.0, 4.0])
def test_a_color_step_is_measured_in_cielab(levels):
    from skimage.color import rgb2lab

    frames = pan() * 0.8
    changed = frames.clone()
    changed[20:, 0] += levels / 255
    before, after = (rgb2lab(clip[20].movedim(0, -1).numpy()) for clip in (frames, changed))
    expected = float(((after - before).mean(axis=(0, 1)) ** 2).sum() ** 0.5)
    assert measure_seam(changed, 20).color_step == pytest.approx(expected, rel=0.15)


def test_a_larger_picture_is_judged_alike():
    clip = torch.nn.functional.interpolate(spoil(pan(), "jump"), scale_factor=4, mode="bicubic").clamp(0, 1)
    assert "motion jump" in measure_seam(clip, 20).flags


def test_cuts_are_those_of_pyscenedetect(tmp_path):
    from scenedetect import ContentDetector

    shots = [pan(20, seed=seed) if seed % 2 else 1 - pan(20, seed=seed) for seed in range(4)]
    video = torch.cat((*shots, shots[-1] * torch.linspace(1, 0, 20).view(-1, 1, 1, 1)))  # the last fades out
    detector = ContentDetector(threshold=27.0, min_scene_len=1)
    theirs = []
    for number, frame in enumerate(video):
        picture = (frame.movedim(0, -1).flip(-1) * 255).round().byte().contiguous().numpy()
        theirs += cuts_of(detector, number, picture)
    assert find_cuts(video) == theirs
    assert {20, 40, 60} <= set(theirs)


def cuts_of(detector, number, picture):
    """Frames at which PySceneDetect starts a scene, whatever it calls a time code."""
    from scenedetect import FrameTimecode

    return [cut.frame_num for cut in detector.process_frame(FrameTimecode(number, 16.0), picture)]


def test_a_still_clip_gives_finite_numbers_and_replays_nothing():
    seam = measure_seam(torch.full((20, 3, 24, 24), 0.5), 10)
    assert (seam.boundary_jump, seam.color_step, seam.replayed, seam.flags) == (1, 0, 0, ())
    assert replayed_frames(torch.zeros(20, 3, 24, 24), 10) == 0


def test_a_seam_near_the_end_and_of_a_short_clip_is_measured():
    assert measure_seam(pan(3), 1).boundary_jump < 2
    assert measure_seam(pan(12), 11).flags == ()


def test_frames_are_not_changed_and_alpha_is_ignored():
    clip = pan(20)
    kept = clip.clone()
    plain = measure_seam(clip, 10)
    assert torch.equal(clip, kept)
    assert measure_seam(torch.cat((clip, clip[:, :1]), dim=1), 10) == plain


@pytest.mark.parametrize("seam", [0, 20, -1])
def test_a_seam_outside_the_clip_is_refused(seam):
    with pytest.raises(ValueError, match=f"1 to 19, got {seam}"):
        measure_seam(pan(20), seam)


def test_two_frames_have_nothing_to_compare_with():
    with pytest.raises(ValueError, match=r"seam .*got 2"):
        measure_seam(pan(2), 1)


def test_frames_that_are_not_finite_are_refused():
    with pytest.raises(ValueError, match="NaN or infinite"):
        measure_seam(pan(20) * float("nan"), 10)


@pytest.mark.parametrize(
    ("frames", "says"),
    [
        ((pan(20) * 255).byte(), "^frames: .*torch.uint8.* 255"),
        (pan(20) * 255, r"^frames: .*\[0, 1\].* 255"),
        (pan(20)[:, :2], "^frames: .*RGB"),
        (pan(20)[:, 0], "^frames: .*RGB"),
    ],
)
def test_frames_that_are_no_pictures_are_refused(frames, says):
    with pytest.raises(ValueError, match=says):
        measure_seam(frames, 10)


@pytest.mark.parametrize("size", [(1, 1), (2, 40), (8, 8)])
def test_the_smallest_pictures_give_finite_figures(size):
    report = measure_seam(torch.rand(9, 3, *size, generator=torch.Generator().manual_seed(0)), 4)
    assert all(math.isfinite(value) for value in report.as_dict().values() if isinstance(value, float))


def test_what_two_versions_have_wrong_does_not_hide_what_one_has():
    jumped = spoil(pan(), "jump")
    both = jumped.clone()
    both[20:, 0] += 3 / 255
    one, two = measure_seam(jumped, 20), measure_seam(both, 20)
    assert one.score == pytest.approx(two.score, rel=0.1)  # that of the jump
    assert two.cost > one.cost + 1
    assert measure_seam(pan(), 20).cost < 2
