"""A size that is left to the picture, and what is said of a picture that loses much."""

import pytest
import torch
from wan_motion_chunks.tests.reports import read_report
from wan_motion_chunks.wan.prompts import Keyframe
from wan_motion_chunks.wan.size import Picture, choose_size


@pytest.fixture
def plan(comfy):
    """The state and the report of a planned video."""
    from wan_motion_chunks.nodes import PlanVideo

    def run(width, height, **pictures):
        state, _, report = PlanVideo.execute(width, height, 33.0, "frames", 16.0, 81, **pictures).args
        return state, read_report(report)

    return run


def picture(width, height, count=1):
    return torch.rand(count, height, width, 3)


@pytest.mark.parametrize("asked", [(0, 0), (320, 0), (0, 320)])
def test_a_size_of_0_is_that_of_the_picture_and_the_report_says_so(plan, asked):
    state, report = plan(*asked, start_image=picture(300, 450))
    width, height = choose_size(*asked, Picture("start_image", 300, 450))
    assert state.start.shape == (1, 3, height, width)
    assert any(detail.startswith(f"{width} x {height}") and "start_image" in detail for detail in report.details)
    assert not report.warnings


def test_a_source_leads_and_a_picture_of_a_stack_does_without_either(plan):
    state, _ = plan(0, 0, source=picture(160, 90, 20), start_image=picture(64, 64))
    assert state.start.shape[-2:] == (480, 848)
    stack = [Keyframe("a", "", start_image=picture(90, 160)), Keyframe("b", "", 1, end_image=picture(64, 64))]
    state, _ = plan(0, 0, prompt_stack=stack)
    assert state.start.shape[-2:] == (848, 480)


@pytest.mark.parametrize("more", [{}, {"end_image": picture(64, 64)}, {"reference_image": picture(64, 64)}])
def test_without_a_picture_to_start_from_it_is_refused_by_name(plan, more):
    with pytest.raises(ValueError, match=r"^width: .*start_image"):
        plan(0, 0, **more)


def test_a_mask_of_the_picture_fits_a_size_that_follows_it(plan):
    state, _ = plan(0, 64, start_image=picture(90, 60), motion_region=torch.ones(1, 60, 90))
    assert state.region.shape == (1, 1, 64, 96)


def test_a_picture_that_loses_much_is_said_first_by_its_name(plan):
    stack = [Keyframe("a", "", end_image=picture(64, 64)), Keyframe("b", "", 1, start_image=picture(100, 50))]
    _, report = plan(128, 64, start_image=picture(64, 64), end_image=picture(128, 66), prompt_stack=stack)
    named = [warning.split(" is ")[0] for warning in report.warnings if " % " in warning]
    assert named == ["start_image", "prompt_stack: end_image"]
    _, report = plan(128, 64, source=picture(64, 64, 20))
    assert "50 %" in report.warnings[0]
