"""The joining nodes as the host calls them."""

import json
import re
from fractions import Fraction

import pytest
import torch
from wan_motion_chunks.blending import measure_seam
from wan_motion_chunks.blending.seam import GRADES
from wan_motion_chunks.tests.reports import read_report


@pytest.fixture
def image(comfy):
    from wan_motion_chunks.tests.blending.clips import pan

    return pan().movedim(1, -1)


def test_join_clips_matches_colors_and_counts_frames_once(image):
    from wan_motion_chunks.nodes.join import JoinClips

    joined, report, video = JoinClips.execute(image[:24], image[15:] * 0.96, 9, 0.8, 0.35, "affine", False).args
    assert joined.shape == image.shape
    assert (joined - image).abs().mean() < 0.5 / 255
    assert float(re.search(r"colors .*?([\d.]+)", read_report(report).details[0])[1]) > 1
    (frame, grade, score, *_) = read_report(report).rows[0]
    near = measure_seam(joined.movedim(-1, 1), int(frame))
    assert (grade, score) == (near.grade, f"{near.score:.2f}") == (GRADES[0], score)
    assert torch.equal(video.get_components().images, joined)
    assert video.get_components().frame_rate == 16
    cut, report, _ = JoinClips.execute(image[:24], image[15:] * 0.96, 9, 0.8, 0.35, "affine", True).args
    assert torch.equal(cut[24:], (image * 0.96)[24:])
    assert read_report(report).rows == []


def test_a_seam_that_stands_out_has_its_grade_in_the_report_of_the_join(image):
    from wan_motion_chunks.nodes.join import JoinClips

    frames, report, _ = JoinClips.execute(image[:20], image[25:], 0, 0.8, 0.35, "none", False).args
    seam = measure_seam(frames.movedim(-1, 1), 20)
    ((frame, grade, score, flags, *_),) = read_report(report).rows
    assert (frame, grade, score) == ("20", seam.grade, f"{seam.score:.2f}")
    assert flags.split(", ") == list(seam.flags)
    assert seam.grade in read_report(report).summary
    report = JoinClips.execute(image[:1], image[1:2], 0, 0.8, 0.35, "none", False).args[1]
    assert read_report(report).rows == []


def test_join_clips_keeps_the_rate_and_the_sound_of_videos(image):
    from comfy_api.latest import InputImpl
    from comfy_api.util import VideoComponents
    from wan_motion_chunks.nodes.join import JoinClips

    def clip(frames, rate):
        sound = {"waveform": torch.ones(1, 1, 800) * rate, "sample_rate": 800}
        return InputImpl.VideoFromComponents(VideoComponents(images=frames, audio=sound, frame_rate=Fraction(rate)))

    rest = (9, 0.8, 0.35, "affine", False)
    joined, _, video = JoinClips.execute(clip(image[:24], 24), clip(image[15:], 24), *rest).args
    plain, _, _ = JoinClips.execute(image[:24], image[15:], *rest).args
    assert torch.equal(joined, plain)
    found = video.get_components()
    assert found.frame_rate == 24
    assert found.audio["waveform"].max() == 24
    with pytest.raises(ValueError, match=r"^second: .* got 16"):
        JoinClips.execute(clip(image[:24], 24), clip(image[15:], 16), *rest)


def test_match_color_by_what_both_show_and_by_distribution(image):
    from wan_motion_chunks.nodes.join import MatchColor

    for method, reference in (("affine", image[:4]), ("mkl", image)):
        matched = MatchColor.execute(image * 0.96, reference, method, 1.0).args[0]
        assert (matched - image).abs().mean() < 1 / 255
    assert torch.equal(MatchColor.execute(image, image[:1] * 0.9, "affine", 0.0).args[0], image)


@pytest.mark.parametrize("method", ["mkl", "mean"])
def test_the_colors_of_a_whole_clip_are_matched_however_many_images_say_which(image, method):
    from wan_motion_chunks.nodes.join import MatchColor

    faded = torch.cat((image[:1] * 0, image * 0.96))
    for reference in (image[:1], torch.cat((image, image))):
        matched = MatchColor.execute(faded, reference, method, 1.0).args[0]
        assert (matched.mean(dim=(0, 1, 2)) - reference.mean(dim=(0, 1, 2))).abs().max() < 1e-4


def test_measure_seams_reports_in_words_figures_and_a_plot(image):
    from wan_motion_chunks.nodes.join import MeasureSeams

    changed = image.clone()
    changed[20:, ..., 0] += 4 / 255
    for told in ("20", ""):
        report, figures, plot = MeasureSeams.execute(changed, told).args
        assert read_report(report).rows[0][0] == "20"
        assert json.loads(figures)["seams"][0]["flags"] == ["color step"]
        assert plot.shape == (1, 640, 960, 3)


def test_gaussian_blend_masks_rise_within_their_region(comfy):
    from wan_motion_chunks.nodes.join import GaussianBlendMask

    masks = GaussianBlendMask.execute(9, 64, 48, 0.35).args[0]
    assert masks.shape == (9, 48, 64)
    torch.testing.assert_close(masks + masks.flip(0), torch.ones(9, 48, 64))
    region = torch.zeros(1, 48, 64)
    region[..., 32:] = 1
    soft = GaussianBlendMask.execute(9, 64, 48, 0.35, region).args[0]
    assert soft[-1, 24, 63] > 0.95
    assert soft[-1, 24, 0] < 0.01


def test_what_does_not_fit_is_refused_with_the_inputs_name(image):
    from wan_motion_chunks.nodes.join import GaussianBlendMask, JoinClips, MatchColor, MeasureSeams

    with pytest.raises(ValueError, match=r"^overlap.* 5 .* 35, got 9"):
        JoinClips.execute(image[:5], image[5:], 9, 0.8, 0.35, "affine", False)
    with pytest.raises(ValueError, match=r"^color_match .*got 'wavelet'"):
        JoinClips.execute(image, image, 9, 0.8, 0.35, "wavelet", False)
    with pytest.raises(ValueError, match=r"^reference: .*images"):
        MatchColor.execute(image, image[:, :32], "affine", 1.0)
    with pytest.raises(ValueError, match=r"^reference: .* 4, .*got 5"):
        MatchColor.execute(image[:4], image[:5], "affine", 1.0)
    with pytest.raises(ValueError, match=r"^seams: .*got 'x'"):
        MeasureSeams.execute(image, "20, x")
    with pytest.raises(ValueError, match=r"^frames .*got 0"):
        GaussianBlendMask.execute(0, 64, 48, 0.35)


def test_they_move_the_hosts_progress_bar_from_one_end_to_the_other(image):
    import comfy.utils
    from wan_motion_chunks.nodes.flow import EstimateFlow
    from wan_motion_chunks.nodes.join import JoinClips, MeasureSeams

    told = []
    comfy.utils.set_progress_bar_global_hook(lambda value, total, preview, **more: told.append(value / total))
    try:
        for execute, least in (
            (lambda: MeasureSeams.execute(image, ""), 0.9),
            (lambda: JoinClips.execute(image[:24], image[15:] * 0.96, 9, 0.8, 0.35, "affine", False), 0.6),
            (lambda: EstimateFlow.execute(image.repeat(4, 2, 2, 1), "auto"), 0.5),
        ):
            told.clear()
            execute()
            assert told == sorted(set(told))
            assert least <= told[-1] <= 1
    finally:
        comfy.utils.set_progress_bar_global_hook(None)
