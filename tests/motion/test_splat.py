import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from wan_motion_chunks.benchmarks.layers import two_layers
from wan_motion_chunks.motion import Flow, backward_warp, forward_splat, invert_flow
from wan_motion_chunks.motion.splat import fill_holes

PRECISIONS = pytest.mark.parametrize("dtype", [torch.float32, torch.float64])


def picture(dtype=torch.float32, n=2, h=20, w=28):
    return torch.rand(n, 3, h, w, generator=torch.Generator().manual_seed(0), dtype=dtype)


def constant(x, y, dtype=torch.float32, n=2, h=20, w=28):
    return torch.tensor([x, y], dtype=dtype).view(1, 2, 1, 1).repeat(n, 1, h, w)


@PRECISIONS
@settings(deadline=None, max_examples=25)
@given(x=st.integers(-30, 30), y=st.integers(-6, 6))
def test_whole_pixels_are_a_roll_without_what_left(dtype, x, y):
    source = picture(dtype)
    image, coverage = forward_splat(source, constant(x, y, dtype))
    rows, columns = torch.arange(20) - y, torch.arange(28) - x
    came = ((rows >= 0) & (rows < 20))[:, None] & ((columns >= 0) & (columns < 28))
    expected = torch.roll(source, (y, x), dims=(2, 3)) * came
    torch.testing.assert_close(image, expected, rtol=0, atol=1e-6)
    torch.testing.assert_close(coverage, came.to(dtype).expand_as(coverage), rtol=0, atol=1e-6)


@PRECISIONS
@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 1000))
def test_nothing_is_lost_inside_the_frame(dtype, seed):
    flow = torch.rand(1, 2, 20, 28, generator=torch.Generator().manual_seed(seed), dtype=dtype) * 6 - 3
    flow[..., :4, :] = flow[..., -4:, :] = flow[..., :4] = flow[..., -4:] = 0.0
    _, coverage = forward_splat(flow, flow)
    torch.testing.assert_close(coverage.sum(), torch.tensor(20.0 * 28, dtype=dtype), rtol=1e-5, atol=0)


@PRECISIONS
def test_the_splat_is_the_transpose_of_the_warp(dtype):
    flow = picture(dtype)[:, :2] * 4 - 2
    left, right = picture(dtype)[:, :1], picture(dtype)[:, 1:2]
    image, coverage = forward_splat(left, flow)
    warped = backward_warp(right, flow, padding_mode="zeros")
    torch.testing.assert_close((image * coverage * right).sum(), (left * warped).sum(), rtol=1e-4, atol=0)


def test_the_heavier_pixel_hides_the_lighter():
    source = torch.tensor([1.0, 2.0, 3.0, 4.0]).view(1, 1, 1, 4)
    flow = torch.zeros(1, 2, 1, 4)
    flow[0, 0, 0, 0] = 2.0  # the first lands on the third
    for weight, seen in ((20.0, 1.0), (-20.0, 3.0), (0.0, 2.0)):
        image, coverage = forward_splat(source, flow, torch.tensor([weight, 0, 0, 0]).view(1, 1, 1, 4))
        torch.testing.assert_close(image.flatten(), torch.tensor([0.0, 2.0, seen, 4.0]), rtol=0, atol=1e-5)
        assert coverage.flatten().tolist() == [0, 1, 2, 1]


def test_weights_far_apart_stay_finite():
    flow = torch.zeros(1, 2, 4, 4)
    weight = torch.full((1, 1, 4, 4), -1e4)
    weight[..., 0, 0] = 1e4
    image, _ = forward_splat(torch.ones(1, 1, 4, 4), flow, weight)
    torch.testing.assert_close(image, torch.ones(1, 1, 4, 4))


@pytest.mark.parametrize("nowhere", [float("nan"), float("inf"), -1e20])
def test_what_goes_nowhere_lands_nowhere(nowhere):
    flow = torch.zeros(1, 2, 4, 4)
    flow[0, 0, 1, 2] = nowhere
    image, coverage = forward_splat(torch.ones(1, 1, 4, 4), flow)
    assert coverage[0, 0, 1, 2] == 0
    assert coverage.sum() == 15
    assert torch.isfinite(image).all()


def test_half_precision_lands_on_the_right_pixel_of_a_wide_frame():
    source = (torch.arange(1280.0) % 512).view(1, 1, 1, -1).half()
    flow = torch.zeros(1, 2, 1, 1280).half()
    flow[:, 0] = 1.0
    image, _ = forward_splat(source, flow)
    assert image.dtype == torch.float16
    assert torch.equal(image[..., 1:], source[..., :-1])


@pytest.mark.parametrize("shift", [(3, 0), (8, -5), (-12, 12)])
def test_an_uncovered_ground_is_a_hole_and_a_covered_one_a_fold(shift):
    scene = two_layers(shift)
    top = (scene.forward.abs().sum(dim=1, keepdim=True) > 0).float()
    image, coverage = forward_splat(scene.first, scene.forward, 20 * top)
    assert torch.equal(coverage == 2, scene.hidden)
    landed = torch.roll(top, (shift[1], shift[0]), dims=(2, 3))
    assert torch.equal(coverage == 0, (top > 0) & (landed == 0))
    torch.testing.assert_close(image * (coverage > 0), scene.second * (coverage > 0), rtol=0, atol=1e-5)


def test_holes_are_filled_from_around_and_the_rest_is_kept():
    field = picture()
    known = torch.ones(2, 1, 20, 28)
    known[..., 5:15, 8:20] = 0.0
    filled = fill_holes(field, known)
    torch.testing.assert_close(torch.where(known > 0, filled, field), field)
    assert filled.min() >= field.min()
    assert filled.max() <= field.max()
    flat = fill_holes(torch.full_like(field, 0.7), known)
    torch.testing.assert_close(flat, torch.full_like(field, 0.7))


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (5, 1), (2, 3), (13, 17)])
def test_any_size_is_filled(size):
    known = torch.zeros(1, 1, *size)
    known[..., 0, 0] = 1.0
    torch.testing.assert_close(fill_holes(torch.full((1, 2, *size), 3.0), known), torch.full((1, 2, *size), 3.0))
    assert (fill_holes(torch.full((1, 2, *size), 3.0), torch.zeros(1, 1, *size)) == 0).all()


@PRECISIONS
@pytest.mark.parametrize("shift", [(3, -2), (0.5, 0.25)])
def test_a_constant_flow_is_inverted_exactly(dtype, shift):
    back = invert_flow(Flow(constant(*shift, dtype), torch.ones(2, 1, 20, 28, dtype=dtype)))
    torch.testing.assert_close(back.displacement, constant(-shift[0], -shift[1], dtype))
    assert (back.confidence[..., 4:-4, 4:-4] > 0.99).all()


def test_where_nothing_came_from_is_not_trusted():
    back = invert_flow(Flow(constant(5, 0), torch.ones(2, 1, 20, 28)))
    assert (back.confidence[..., :5] == 0).all()
    assert (back.confidence[..., 5:] > 0.99).all()


def test_a_displacement_of_another_size_is_refused():
    with pytest.raises(ValueError, match="resize_flow"):
        forward_splat(picture(), constant(0, 0, h=10, w=14))
