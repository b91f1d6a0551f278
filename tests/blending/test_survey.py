import json

import pytest
import torch
from wan_motion_chunks.blending import plot_seams, survey_video
from wan_motion_chunks.blending.plot import COLORS
from wan_motion_chunks.blending.seam import GRADES
from wan_motion_chunks.tests.blending.clips import pan, spoil


@pytest.mark.parametrize("name", ["replay", "held frame", "flash", "color", "jump", "cut"])
def test_a_seam_that_nobody_told_of_is_found(name):
    report = survey_video(spoil(pan(), name))
    assert report.seams
    assert abs(report.seams[0] - 20) <= 1
    assert report.flagged == report.seams


def test_nothing_is_found_in_a_clean_video():
    report = survey_video(pan())
    assert report.seams == ()
    assert report.usual.boundary_jump == pytest.approx(1, abs=0.1)
    assert "0 seams" in str(report)


def test_a_told_seam_is_judged_beside_what_is_usual():
    report = survey_video(spoil(pan(), "color"), (20, 30))
    assert report.seams == (20, 30)
    assert report.flagged == (20,)
    assert report.reports[0].color_step > 5 * report.usual.color_step
    assert "frame 20" in str(report)
    assert "median elsewhere" in str(report)


def test_drift_is_the_distance_from_the_first_frame():
    from skimage.color import rgb2lab

    clip = torch.full((30, 3, 32, 32), 0.4)
    clip[:, 0] += torch.linspace(0, 0.1, 30).view(-1, 1, 1)
    first, last = (rgb2lab(frame.movedim(0, -1).numpy()).mean(axis=(0, 1)) for frame in (clip[0], clip[-1]))
    report = survey_video(clip)
    assert report.drift[0] == 0
    assert report.drift[-1].item() == pytest.approx(float(((first - last) ** 2).sum() ** 0.5), rel=1e-3)


def test_the_figures_are_json():
    report = survey_video(spoil(pan(30), "color"), (20,))
    read = json.loads(report.as_json())
    assert read["seams"][0]["frame"] == 20
    assert read["seams"][0]["flags"] == ["color step"]
    assert len(read["drift"]) == 30


@pytest.mark.parametrize("name", ["clean", "color", "cut"])
def test_the_plot_marks_a_seam_by_its_grade_and_draws_a_line_where_each_begins(name):
    found = survey_video(pan() if name == "clean" else spoil(pan(), name), (20,))
    picture = plot_seams(found)[0]
    assert picture.shape == (3, 640, 960)
    lengths = {}
    for words, color in COLORS.items():
        ink = torch.tensor([int(color[at : at + 2], 16) for at in (1, 3, 5)]).view(3, 1, 1) / 255
        there = (picture - ink).abs().amax(dim=0) < 0.01
        lengths[words] = there.sum(dim=0).max().item(), there.sum(dim=1).max().item()
    grade = found.reports[0].grade
    assert {words for words, (height, _) in lengths.items() if height > 300} == {grade}
    assert {words for words, (_, width) in lengths.items() if width > 700} == set(GRADES[1:])


def test_frame_1_is_no_seam_unless_it_is_told():
    clip = pan(30)
    clip[0] = clip[0] * 0.8 + 0.2
    found = survey_video(clip)
    assert found.scores[0] > 1.5
    assert found.seams == ()
    assert survey_video(torch.cat((clip[1:2], clip[1:]))).seams == ()
    assert survey_video(clip, (1,)).flagged == (1,)


def test_the_score_of_each_frame_pair_is_that_of_a_seam_there():
    clip = spoil(pan(30), "color")
    found = survey_video(clip, (9, 20))
    assert found.scores[[8, 19]].tolist() == pytest.approx([report.score for report in found.reports])


def test_a_survey_that_is_watched_is_the_same_and_stops_where_it_is_told_to():
    class Stop(Exception):
        pass

    def stop(done):
        if done > 0.5:
            raise Stop

    clip, told = spoil(pan(), "jump"), []
    assert survey_video(clip, watch=told.append).as_json() == survey_video(clip).as_json()
    assert told == sorted(told)
    assert (told[0], told[-1]) == (0, pytest.approx(1, abs=0.01))
    with pytest.raises(Stop):
        survey_video(clip, watch=stop)


def test_a_long_video_is_measured_as_in_one_piece():
    whole = survey_video(pan(40), ())
    part = survey_video(pan(40)[10:35], ())
    torch.testing.assert_close(whole.series.acceleration[11:33], part.series.acceleration[1:23], atol=1e-5, rtol=1e-3)


@pytest.mark.parametrize(
    ("frames", "seams", "says"), [(pan(2), None, "^frames: .*got 2"), (pan(9), (9,), "^seams: .*1 to 8, got 9")]
)
def test_what_cannot_be_measured_is_refused(frames, seams, says):
    with pytest.raises(ValueError, match=says):
        survey_video(frames, seams)
