import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from wan_motion_chunks.blending import feather_mask, gaussian_blur, gaussian_ramp, gaussian_window


@settings(deadline=None)
@given(length=st.integers(1, 60), sigma=st.floats(0, 30))
def test_a_ramp_and_its_reverse_sum_to_one_exactly(length, sigma):
    ramp = gaussian_ramp(length, sigma=sigma)
    assert torch.equal(ramp + ramp.flip(0), torch.ones(length))


@settings(deadline=None)
@given(length=st.integers(1, 60), center=st.floats(0, 60), sigma=st.floats(0, 30))
def test_a_ramp_rises_from_the_first_clip_to_the_second(length, center, sigma):
    ramp = gaussian_ramp(length, center=center, sigma=sigma)
    assert (ramp.diff() >= 0).all()
    assert ((ramp >= 0) & (ramp <= 1)).all()


def test_a_ramp_without_width_is_a_hard_cut():
    assert gaussian_ramp(6, center=4, sigma=0).tolist() == [0, 0, 0, 0, 1, 1]


def test_a_ramp_is_a_step_blurred_by_a_gaussian():
    step = torch.zeros(1, 1, 1, 4001)
    step[..., 2000:] = 1
    blurred = gaussian_blur(step, 200.0)[0, 0, 0]  # a hundred samples to a frame
    found = gaussian_ramp(10, sigma=2.0)
    torch.testing.assert_close(found, blurred[2000 - 450 : 2000 + 451 : 100], atol=5e-3, rtol=0)


def test_a_window_is_even_and_falls_off():
    window = gaussian_window(9)
    assert window.argmax() == 4
    torch.testing.assert_close(window, window.flip(0))
    assert (window[:5].diff() > 0).all()


@pytest.mark.parametrize("size", [(64, 96), (480, 832)])
def test_a_feather_is_as_wide_as_it_says(size):
    mask = torch.zeros(1, 1, *size)
    mask[..., size[1] // 2 :] = 1
    sigma = 0.35 * min(size) / 8
    soft = feather_mask(mask, 0.35)[0, 0, size[0] // 2]
    x = torch.arange(size[1]) + 0.5 - size[1] / 2
    torch.testing.assert_close(soft, torch.special.ndtr(x / sigma), atol=0.03, rtol=0)


def test_a_feather_inwards_lets_nothing_grow():
    mask = (torch.rand(2, 1, 40, 40, generator=torch.Generator().manual_seed(0)) > 0.5).float()
    soft = feather_mask(mask, 0.5, inwards=True)
    assert (soft <= mask).all()
    assert torch.equal(feather_mask(mask, 0.0), mask)


@pytest.mark.parametrize("wrong", [-0.1, 1.1, float("nan")])
def test_a_feather_out_of_range_is_refused(wrong):
    with pytest.raises(ValueError, match=rf"^mask_sigma .*\[0, 1\].*got {wrong}"):
        feather_mask(torch.ones(1, 1, 8, 8), wrong)


@pytest.mark.parametrize(("length", "sigma", "says"), [(0, None, "ramp .*got 0"), (4, -1.0, "^sigma .*got -1")])
def test_a_ramp_of_nothing_is_refused(length, sigma, says):
    with pytest.raises(ValueError, match=says):
        gaussian_ramp(length, sigma=sigma)


@pytest.mark.parametrize("mask", [torch.ones(1, 1, 8, 8) > 0, torch.ones(1, 3, 8, 8), torch.ones(8, 8)])
def test_what_is_no_mask_is_not_feathered(mask):
    with pytest.raises(ValueError, match=r"^mask: "):
        feather_mask(mask, 0.5)
