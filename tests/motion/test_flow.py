import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from wan_motion_chunks.motion import Flow, backward_warp, compose_flow, resize_flow
from wan_motion_chunks.motion.warp import lands_inside

PRECISIONS = pytest.mark.parametrize("dtype", [torch.float32, torch.float64])


def picture(dtype=torch.float32, n=2, h=24, w=40, seed=0):
    return torch.rand(n, 3, h, w, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def constant(x, y, dtype=torch.float32, n=2, h=24, w=40):
    return torch.tensor([x, y], dtype=dtype).view(1, 2, 1, 1).repeat(n, 1, h, w)


@PRECISIONS
def test_no_motion_changes_nothing(dtype):
    source = picture(dtype)
    torch.testing.assert_close(backward_warp(source, constant(0, 0, dtype)), source, rtol=0, atol=2e-6)


@PRECISIONS
@settings(deadline=None, max_examples=25)
@given(x=st.integers(-6, 6), y=st.integers(-6, 6))
def test_whole_pixels_are_a_roll(dtype, x, y):
    source = picture(dtype)
    flow = constant(x, y, dtype)
    rolled = torch.roll(source, (-y, -x), dims=(2, 3))
    inside = lands_inside(flow).expand_as(source)
    torch.testing.assert_close(backward_warp(source, flow)[inside], rolled[inside], rtol=0, atol=1e-5)


@PRECISIONS
def test_x_points_right_and_y_down(dtype):
    source = torch.zeros(1, 1, 8, 8, dtype=dtype)
    source[0, 0, 2, 5] = 1.0
    flow = constant(3, -1, dtype, n=1, h=8, w=8)  # the value at (5, 2) is found from (2, 3)
    assert backward_warp(source, flow)[0, 0, 3, 2] == 1.0


@PRECISIONS
def test_half_a_pixel_is_the_mean_of_neighbors(dtype):
    source = picture(dtype)
    half = backward_warp(source, constant(0.5, 0, dtype))
    torch.testing.assert_close(half[..., :-1], (source[..., 1:] + source[..., :-1]) / 2)


@PRECISIONS
def test_outside_repeats_the_border(dtype):
    source = picture(dtype)
    warped = backward_warp(source, constant(100, 0, dtype))
    torch.testing.assert_close(warped, source[..., -1:].expand_as(source))
    assert not lands_inside(constant(100, 0)).any()


def test_half_precision_finds_the_right_pixel_of_a_wide_frame():
    source = torch.arange(1280.0).view(1, 1, 1, -1).repeat(1, 1, 2, 1).half()
    warped = backward_warp(source, torch.full((1, 2, 2, 1280), 1.0).half() * torch.tensor([1.0, 0.0]).view(1, 2, 1, 1))
    assert torch.equal(warped[..., :-1], source[..., 1:])


@PRECISIONS
def test_warping_commutes_with_mirroring(dtype):
    source, flow = picture(dtype), picture(dtype, seed=1)[:, :2] * 8 - 4
    mirrored = flow.flip(3) * torch.tensor([-1.0, 1.0], dtype=dtype).view(1, 2, 1, 1)
    torch.testing.assert_close(
        backward_warp(source.flip(3), mirrored), backward_warp(source, flow).flip(3), rtol=0, atol=2e-5
    )


@PRECISIONS
@settings(deadline=None, max_examples=25)
@given(h=st.integers(1, 60), w=st.integers(1, 60))
def test_resizing_scales_the_vectors_of_each_axis(dtype, h, w):
    resized = resize_flow(constant(2.0, 3.0, dtype), (h, w))
    torch.testing.assert_close(resized, constant(2.0 * w / 40, 3.0 * h / 24, dtype, h=h, w=w))


@PRECISIONS
def test_a_resized_flow_warps_the_resized_picture_alike(dtype):
    position = torch.linspace(0, 1, 40, dtype=dtype)
    source = (torch.sin(6 * position) + torch.linspace(0, 1, 24, dtype=dtype)[:, None])[None, None]
    flow = constant(2.0, -1.0, dtype, n=1)
    small = F.interpolate(source, (12, 20), mode="bilinear", align_corners=False, antialias=True)
    large = F.interpolate(backward_warp(source, flow), (12, 20), mode="bilinear", align_corners=False, antialias=True)
    warped = backward_warp(small, resize_flow(flow, (12, 20)))
    torch.testing.assert_close(warped[..., 2:-2, 2:-2], large[..., 2:-2, 2:-2], rtol=0, atol=3e-3)


@PRECISIONS
def test_composing_with_no_motion_is_the_identity(dtype):
    flow = picture(dtype)[:, :2] * 4 - 2
    still = torch.zeros_like(flow)
    torch.testing.assert_close(compose_flow(flow, still), flow)
    torch.testing.assert_close(compose_flow(still, flow), flow, rtol=0, atol=1e-5)


@PRECISIONS
def test_composed_shifts_add_up(dtype):
    both = compose_flow(constant(1.5, -2, dtype), constant(0.25, 3, dtype))
    torch.testing.assert_close(both, constant(1.75, 1, dtype))


@PRECISIONS
def test_a_flow_and_its_reverse_compose_to_rest(dtype):
    turn = 0.05  # a rotation about the middle, whose reverse is known in closed form
    y, x = torch.meshgrid(torch.arange(41.0) - 20, torch.arange(41.0) - 20, indexing="ij")
    at = torch.stack((x, y))[None].to(dtype)

    def rotation(angle):
        c, s = torch.cos(torch.tensor(angle)), torch.sin(torch.tensor(angle))
        return torch.stack((c * x - s * y, s * x + c * y))[None].to(dtype) - at

    rest = compose_flow(rotation(turn), rotation(-turn))
    assert rest[..., 4:-4, 4:-4].abs().max() < 1e-4


def test_a_displacement_of_another_size_is_refused():
    with pytest.raises(ValueError, match="resize_flow"):
        backward_warp(picture(), constant(0, 0, h=12, w=20))


def test_a_flow_has_one_confidence_per_vector():
    with pytest.raises(ValueError, match="confidence"):
        Flow(constant(0, 0), torch.ones(2, 1, 24, 39))
