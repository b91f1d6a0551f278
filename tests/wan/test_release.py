import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from wan_motion_chunks.wan.release import release_map, step_fraction, step_mask

TABLE = torch.arange(1, 1001) / 1000


def shifted(time, shift=8.0):
    return shift * time / (1 + (shift - 1) * time)


@settings(deadline=None, max_examples=50)
@given(steps=st.integers(1, 50), release=st.floats(0, 1), shift=st.sampled_from([1.0, 3.0, 8.0]))
def test_a_cell_is_held_for_its_share_of_the_steps(steps, release, shift):
    sigmas = shifted(torch.linspace(1, 0, steps + 1), shift)
    mask, releases = torch.ones(1), torch.tensor([release])
    table = shifted(TABLE, shift)
    free = [step_mask(mask, releases, step_fraction(sigma[None], sigmas, table)).item() for sigma in sigmas[:-1]]
    assert free == sorted(free)  # once released, it stays free
    held = free.count(0)
    assert abs(held - release * steps) < 1 + 1e-3 or (release > 0.998 and held == steps)


def test_pinned_stays_pinned_and_free_stays_free():
    sigmas = shifted(torch.linspace(1, 0, 21))
    mask = torch.tensor([0.0, 1.0])
    for sigma in sigmas[:-1]:
        assert step_mask(mask, mask * 0, step_fraction(sigma[None], sigmas, shifted(TABLE))).tolist() == [0.0, 1.0]


@pytest.mark.parametrize("cut", [3, 10, 17])
def test_a_run_split_over_two_samplers_releases_in_the_same_step(cut):
    sigmas, table = shifted(torch.linspace(1, 0, 21)), shifted(TABLE)
    whole = [step_fraction(sigma[None], sigmas, table).item() for sigma in sigmas[:-1]]
    first = [step_fraction(sigma[None], sigmas[: cut + 1], table).item() for sigma in sigmas[:cut]]
    second = [step_fraction(sigma[None], sigmas[cut:], table).item() for sigma in sigmas[cut:-1]]
    torch.testing.assert_close(torch.tensor(first + second), torch.tensor(whole), rtol=0, atol=2e-3)


def test_between_two_levels_the_step_is_the_one_that_runs():
    sigmas = shifted(torch.linspace(1, 0, 5))
    middle = (sigmas[1] + sigmas[2]) / 2
    assert step_fraction(middle[None], sigmas, shifted(TABLE)) == 0.25


def test_full_confidence_is_released_by_the_weight_and_none_is_silent():
    confidence = torch.ones(8, 1, 64, 96)
    release = release_map(confidence, 0.3, 0.35)
    assert release.shape == (1, 1, 2, 8, 12)
    torch.testing.assert_close(release, torch.full_like(release, 0.3 ** (1 / 3)))
    assert (release_map(confidence * 0, 0.3, 0.35) == 0).all()
    assert (release_map(confidence, 0.0, 0.35) == 0).all()


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 100), mask_sigma=st.floats(0, 1))
def test_a_release_is_alike_in_a_token_and_never_above_its_confidence(seed, mask_sigma):
    confidence = torch.rand(4, 1, 64, 64, generator=torch.Generator().manual_seed(seed))
    release = release_map(confidence, 1.0, mask_sigma)[0, 0] ** 3
    tokens = release.unflatten(-1, (4, 2)).unflatten(-3, (4, 2))
    assert (tokens == tokens[:, :, :1, :, :1]).all()
    own = torch.nn.functional.avg_pool2d(confidence.amin(dim=0), 8)
    pooled = torch.nn.functional.avg_pool2d(own, 2).repeat_interleave(2, 1).repeat_interleave(2, 2)
    assert (release <= pooled + 1e-6).all()


def test_a_latent_is_as_sure_as_its_least_certain_frame():
    confidence = torch.ones(8, 1, 32, 32)
    confidence[2] = 0.5
    release = release_map(confidence, 0.4, 0.0)[0, 0]
    torch.testing.assert_close(release[:, 0, 0] ** 3, torch.tensor([0.2, 0.4]))


def test_a_region_scales_the_guide():
    region = torch.zeros(1, 1, 32, 64)
    region[..., 32:] = 1.0
    release = release_map(torch.ones(4, 1, 32, 64), 0.3, 0.0, region)[0, 0, 0]
    assert (release[:, :4] == 0).all()
    torch.testing.assert_close(release[:, 4:], torch.full((4, 4), 0.3 ** (1 / 3)))
