import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from wan_motion_chunks.wan.guidance_schedule import (
    Schedule,
    end_percent_map,
    guidance_warnings,
    held_steps,
    held_steps_of_part,
    step_index,
    step_mask,
)

TABLE = torch.arange(1, 1001) / 1000


def shifted(time, shift=8.0):
    return shift * time / (1 + (shift - 1) * time)


def levels_of(steps, shift=8.0):
    return shifted(torch.linspace(1, 0, steps + 1), shift)


@settings(deadline=None, max_examples=100)
@given(steps=st.integers(1, 50), release=st.floats(0, 0.999), switch=st.integers(0, 50))
def test_a_cell_is_held_for_its_share_of_the_steps_and_some_are_free(steps, release, switch):
    held = held_steps(torch.tensor([release]), steps, switch).item()
    split = 0 < switch < steps
    assert held <= steps - (2 if steps > 3 else 1)
    assert held <= switch - 0.5 or not split
    if not (split and held == switch - 0.5):
        assert held == int(held)
        if held < steps - 2:
            assert abs(held - release * steps) < 1 + 1e-3


@pytest.mark.parametrize(("steps", "switch"), [(1, 0), (4, 2), (20, 8)])
def test_a_release_of_one_is_held_to_the_end(steps, switch):
    assert held_steps(torch.ones(1), steps, switch).item() == steps


def test_a_step_is_found_by_its_level():
    levels = levels_of(4)
    assert [step_index(level[None], levels).item() for level in levels[:-1]] == [0, 1, 2, 3]
    assert step_index((levels[1] + levels[2])[None] / 2, levels) == 1  # a call between two levels
    assert step_index(levels[-1:], levels) == 3  # and one at the end


@settings(deadline=None, max_examples=50)
@given(steps=st.integers(1, 50), shift=st.sampled_from([1.0, 3.0, 8.0]), release=st.floats(0, 1))
def test_a_call_that_is_the_whole_run_holds_what_the_schedule_says(steps, shift, release):
    found = held_steps_of_part(torch.tensor([release]), levels_of(steps, shift), shifted(TABLE, shift))
    assert found.item() == held_steps(torch.tensor([release]), steps).item()


@settings(deadline=None, max_examples=100)
@given(
    steps=st.integers(2, 30), cut=st.integers(1, 29), shift=st.sampled_from([1.0, 5.0, 8.0]), release=st.floats(0, 1)
)
def test_two_calls_that_are_even_in_time_hold_what_two_experts_would(steps, cut, shift, release):
    cut = min(cut, steps - 1)
    levels, table, release = levels_of(steps, shift), shifted(TABLE, shift), torch.tensor([release])
    first = held_steps_of_part(release, levels[: cut + 1], table).item()
    second = held_steps_of_part(release, levels[cut:], table).item()
    expected = held_steps(release, steps, cut).item()
    assert first == pytest.approx(min(expected, cut), abs=1 if (release * steps % 1).item() < 0.03 else 0)
    assert second == (steps - cut if expected == steps else 0)


def test_pinned_stays_pinned_and_free_stays_free():
    mask = torch.tensor([0.0, 1.0])
    assert [step_mask(mask, torch.tensor([9.0, 0.0]), step).tolist() for step in range(3)] == [[0.0, 1.0]] * 3


def test_a_step_that_is_half_held_mixes_the_guide_and_what_the_model_says():
    held = held_steps(torch.tensor([0.8]), steps=4, switch=2)
    masks = [step_mask(torch.ones(1), held, torch.tensor(step)).item() for step in range(4)]
    assert masks == [0.0, 0.5, 1.0, 1.0]


@pytest.mark.parametrize(
    ("levels", "switch", "weight", "count"),
    [
        (levels_of(20), 0, 0.3, 0),
        (levels_of(4), 2, 0.3, 0),
        (levels_of(4), 1, 0.3, 0),  # half of the only step of the high-noise expert
        (levels_of(1), 0, 0.3, 1),
        (levels_of(1), 0, 0.0, 0),  # not asked for
        (torch.linspace(1, 0, 21) ** 7, 0, 0.3, 1),  # karras: at 0.0002 where guidance ends
        (torch.linspace(1, 0, 21) ** 7, 0, 1.0, 0),  # held to the end, as asked for
    ],
)
def test_a_schedule_that_defeats_guidance_is_told_of(levels, switch, weight, count):
    assert len(guidance_warnings(Schedule(levels, switch), weight)) == count


def test_what_is_certain_is_held_to_the_end_by_weight_one_alone():
    confidence = torch.full((4, 1, 32, 32), 0.96)
    assert (end_percent_map(confidence, 1.0, 0.0) == 1).all()
    assert (end_percent_map(confidence, 0.99, 0.0) < 1).all()
    assert (end_percent_map(confidence * 0.9, 1.0, 0.0) < 1).all()


def test_full_confidence_is_released_by_the_weight_and_none_is_silent():
    confidence = torch.ones(8, 1, 64, 96)
    release = end_percent_map(confidence, 0.3, 0.35)
    assert release.shape == (1, 1, 2, 8, 12)
    torch.testing.assert_close(release, torch.full_like(release, 0.3 ** (1 / 3)))
    assert (end_percent_map(confidence * 0, 0.3, 0.35) == 0).all()
    assert (end_percent_map(confidence, 0.0, 0.35) == 0).all()


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 100), mask_sigma=st.floats(0, 1))
def test_a_release_is_alike_in_a_token_and_never_above_its_confidence(seed, mask_sigma):
    confidence = torch.rand(4, 1, 64, 64, generator=torch.Generator().manual_seed(seed))
    release = end_percent_map(confidence, 1.0, mask_sigma)[0, 0] ** 3
    tokens = release.unflatten(-1, (4, 2)).unflatten(-3, (4, 2))
    assert (tokens == tokens[:, :, :1, :, :1]).all()
    release = torch.where(release == 1, 0.0, release)  # certain enough to be held to the end
    own = torch.nn.functional.avg_pool2d(confidence.amin(dim=0), 8)
    pooled = torch.nn.functional.avg_pool2d(own, 2).repeat_interleave(2, 1).repeat_interleave(2, 2)
    assert (release <= pooled + 1e-6).all()


def test_a_latent_is_as_sure_as_its_least_certain_frame():
    confidence = torch.ones(8, 1, 32, 32)
    confidence[2] = 0.5
    release = end_percent_map(confidence, 0.4, 0.0)[0, 0]
    torch.testing.assert_close(release[:, 0, 0] ** 3, torch.tensor([0.2, 0.4]))


def test_a_region_scales_the_guide():
    region = torch.zeros(1, 1, 32, 64)
    region[..., 32:] = 1.0
    release = end_percent_map(torch.ones(4, 1, 32, 64), 0.3, 0.0, region)[0, 0, 0]
    assert (release[:, :4] == 0).all()
    torch.testing.assert_close(release[:, 4:], torch.full((4, 4), 0.3 ** (1 / 3)))
