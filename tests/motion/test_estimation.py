import pytest
import torch
from wan_motion_chunks.benchmarks.layers import waves
from wan_motion_chunks.motion import (
    FlowError,
    estimate_both,
    estimate_flow,
    estimate_flow_between,
    estimation,
    estimator_names,
    register_estimator,
)

PRECISIONS = pytest.mark.parametrize("dtype", [torch.float32, torch.float64])


def error(flow, x, y, margin=0.0):
    """Mean endpoint error away from the border that content enters through."""
    wrong = (flow.displacement - torch.tensor([x, y], dtype=flow.displacement.dtype).view(1, 2, 1, 1)).norm(dim=1)
    edge = int(max(abs(x), abs(y)) + margin)
    return wrong[:, edge : wrong.shape[1] - edge, edge : wrong.shape[2] - edge].mean().item()


@PRECISIONS
@pytest.mark.parametrize("shift", [(0, 0), (0.5, -0.25), (3, 2), (-7.5, 4), (18, -11)])
@pytest.mark.parametrize("size", [(160, 192), (270, 330)])
def test_a_shifted_picture_is_found(dtype, shift, size):
    a, b = waves(*size, dtype=dtype), waves(*size, shift, dtype=dtype)
    flow = estimate_flow_between(a, b)
    assert flow.displacement.dtype == dtype
    assert error(flow, *shift, margin=12) < 0.05
    edge = 24
    assert flow.confidence[..., edge:-edge, edge:-edge].mean() > 0.8


def test_motion_into_the_frame_is_trusted_and_out_of_it_is_not():
    flow = estimate_flow_between(waves(160, 192), waves(160, 192, (12, 0)))
    assert (flow.confidence[..., -10:] == 0).all()
    assert flow.confidence[..., 40:-40].mean() > 0.8


@pytest.mark.parametrize("shift", [(3, -2), (14, -9)])
def test_a_change_of_light_is_no_motion(shift):
    a, b = waves(160, 192), waves(160, 192, shift) * 0.8 + 0.1
    flow = estimate_flow_between(a, b)
    assert error(flow, *shift, margin=12) < 0.25
    assert flow.confidence[..., 24:-24, 24:-24].mean() > 0.5


def test_stripes_are_not_trusted():
    stripes = waves(160, 192).mean(dim=2, keepdim=True).expand(-1, -1, 160, -1)  # the same along every column
    flow = estimate_flow_between(stripes, stripes.roll(1, dims=3))
    assert flow.confidence.mean() < 0.05


@PRECISIONS
def test_backward_is_forward_of_the_swapped_pair(dtype):
    a, b = waves(120, 140, dtype=dtype), waves(120, 140, (2, 1), dtype=dtype)
    forward, backward = estimate_both(a, b)
    swapped = estimate_both(b, a)
    torch.testing.assert_close(forward.displacement, swapped[1].displacement)
    torch.testing.assert_close(backward.confidence, swapped[0].confidence)
    torch.testing.assert_close(estimate_flow_between(a, b).displacement, forward.displacement)
    assert error(forward, 2, 1, margin=4) < 0.05
    assert error(backward, -2, -1, margin=4) < 0.05


@PRECISIONS
def test_a_clip_is_its_pairs(dtype):
    frames = torch.cat([waves(90, 100, (t * 1.5, 0), dtype=dtype) for t in range(4)])
    clip = estimate_flow(frames)
    assert clip.displacement.shape == (3, 2, 90, 100)
    for t in range(3):
        pair = estimate_flow_between(frames[t : t + 1], frames[t + 1 : t + 2])
        torch.testing.assert_close(clip.displacement[t : t + 1], pair.displacement, rtol=0, atol=1e-3)


def test_groups_change_nothing(monkeypatch):
    frames = torch.cat([waves(90, 100, (t * 1.5, 0)) for t in range(4)])
    whole = estimate_flow(frames)
    monkeypatch.setattr(estimation, "GROUP", 1)
    torch.testing.assert_close(estimate_flow(frames).displacement, whole.displacement, rtol=0, atol=1e-3)


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (7, 5), (15, 40), (33, 17), (257, 255), (300, 301)])
def test_any_size_has_a_flow(size):
    flow = estimate_flow_between(waves(*size), waves(*size, (0.5, 0)))
    assert flow.displacement.shape == (1, 2, *size)
    assert torch.isfinite(flow.displacement).all()
    assert torch.isfinite(flow.confidence).all()


@pytest.mark.parametrize("value", [0.0, 0.37, 1.0])
def test_an_even_picture_has_no_motion_and_no_confidence(value):
    frames = torch.full((2, 3, 64, 80), value)
    flow = estimate_flow(frames)
    assert flow.displacement.abs().max() < 1e-3
    assert flow.confidence.max() < 1e-3


def test_a_scene_cut_is_not_trusted():
    flow = estimate_flow_between(waves(240, 320, seed=1), waves(240, 320, seed=2))
    assert flow.confidence.mean() < 0.05


def test_half_precision_comes_back_as_it_went_in():
    a, b = waves(64, 64).half(), waves(64, 64, (1, 0)).half()
    flow = estimate_flow_between(a, b)
    assert flow.displacement.dtype == flow.confidence.dtype == torch.float16
    assert error(flow, 1, 0, margin=4) < 0.05


def test_frames_are_left_as_they_were():
    a, b = waves(64, 64), waves(64, 64, (1, 0))
    before = a.clone(), b.clone()
    estimate_both(a, b)
    assert torch.equal(a, before[0])
    assert torch.equal(b, before[1])


@pytest.mark.parametrize(
    ("frames", "message"),
    [
        (torch.rand(1, 3, 32, 32), "two frames"),
        (torch.rand(2, 1, 32, 32), "RGB"),
        (torch.rand(2, 4, 32, 32), "RGB"),
        (torch.rand(3, 32, 32), "RGB"),
        (torch.rand(0, 3, 32, 32), "RGB"),
        (torch.zeros(2, 3, 32, 32, dtype=torch.uint8), "divide"),
        (torch.full((2, 3, 32, 32), float("nan")), "NaN"),
        (torch.rand(2, 3, 32, 32) * 255, r"expected \[0, 1\]"),
    ],
)
def test_what_is_no_clip_is_refused(frames, message):
    with pytest.raises(ValueError, match=message):
        estimate_flow(frames)


def test_frames_of_two_kinds_are_refused():
    with pytest.raises(ValueError, match="one kind"):
        estimate_flow_between(torch.rand(1, 3, 32, 32), torch.rand(1, 3, 32, 32).double())


def test_frames_of_two_sizes_are_refused():
    with pytest.raises(ValueError, match="one size"):
        estimate_flow_between(torch.rand(1, 3, 32, 32), torch.rand(1, 3, 32, 40))


def test_an_estimator_of_ones_own():
    def drift(first, second):
        return torch.ones_like(first[:, :2])

    a, b = waves(48, 48), waves(48, 48, (1, 1))
    register_estimator("drift", lambda: drift)
    try:
        assert "drift" in estimator_names()
        assert (estimate_flow_between(a, b, estimator="drift").displacement == 1).all()
        with pytest.raises(ValueError, match="got 'drift'"):
            register_estimator("drift", lambda: drift)
    finally:
        del estimation._factories["drift"]
    assert (estimate_flow_between(a, b, estimator=drift).displacement == 1).all()


@pytest.mark.parametrize("name", ["", "auto", "raft", "lucas_kanade"])
def test_a_name_that_is_taken_is_refused(name):
    with pytest.raises(ValueError, match=f"estimator .*got {name!r}"):
        register_estimator(name, lambda: None)


def test_an_unknown_estimator_is_named_with_those_there_are():
    with pytest.raises(ValueError, match=r"'horn'.*lucas_kanade"):
        estimate_flow(torch.rand(2, 3, 32, 32), estimator="horn")


@pytest.mark.parametrize("broken", [lambda a, b: a[:, :1], lambda a, b: a[:, :2] * float("nan")])
def test_a_broken_estimator_is_told_apart(broken):
    with pytest.raises(FlowError):
        estimate_flow(torch.rand(2, 3, 32, 32), estimator=broken)


@pytest.mark.parametrize("error", [RuntimeError, KeyError, TypeError, ZeroDivisionError])
def test_what_an_estimator_raises_is_its_own(error):
    def broken(first, second):
        raise error("why")

    with pytest.raises(FlowError) as raised:
        estimate_flow(torch.rand(2, 3, 32, 32), estimator=broken)
    assert type(raised.value.__cause__) is error


@pytest.mark.parametrize("error", [torch.OutOfMemoryError, MemoryError, KeyboardInterrupt])
def test_memory_and_interrupts_are_not_an_estimators_own(error):
    def stopped(first, second):
        raise error

    with pytest.raises(error):
        estimate_flow(torch.rand(2, 3, 32, 32), estimator=stopped)
