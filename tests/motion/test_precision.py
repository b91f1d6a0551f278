"""Every public function takes half, bfloat16 and double precision."""

import pytest
import torch
from wan_motion_chunks.benchmarks.layers import waves
from wan_motion_chunks.motion import estimate_both, estimate_flow, flow_to_rgb, invert_flow, predict_motion, resize_flow
from wan_motion_chunks.motion.prediction import predict_clip_motion, render
from wan_motion_chunks.motion.preview import show_prediction
from wan_motion_chunks.motion.pyramid import to_gray

PRECISIONS = pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])


def moving(count=9, size=(64, 80)):
    return torch.cat([waves(*size, (1.5 * t, -1.0 * t)) for t in range(count)])


@PRECISIONS
@pytest.mark.parametrize("size", [(12, 20), (24, 40), (50, 70), (30, 30)])
def test_a_flow_is_resized_in_its_own_precision(dtype, size):
    flow = torch.randn(2, 2, 24, 40, generator=torch.Generator().manual_seed(0)) * 8
    resized = resize_flow(flow.to(dtype), size)
    assert resized.dtype == dtype
    tolerance = 16 * torch.finfo(dtype).eps * 8 if dtype != torch.float64 else 1e-3
    torch.testing.assert_close(resized.float(), resize_flow(flow, size), rtol=0, atol=tolerance)


@PRECISIONS
@pytest.mark.parametrize("period", [1, 4])
@pytest.mark.parametrize("count", [1, 8])
def test_motion_is_predicted_and_shown(dtype, period, count):
    clip = moving().to(dtype)
    motion = predict_clip_motion(clip, count, period=period)
    frames, confidence = render(clip[-1:], motion)
    preview = show_prediction(clip[-1:], motion, frames, confidence)
    for part in (motion.displacement, motion.confidence, frames, confidence, preview):
        assert part.dtype == dtype
        assert torch.isfinite(part).all()
    exact = predict_clip_motion(clip.float(), count, period=period)  # of the same, rounded frames
    step = 32 * torch.finfo(dtype).eps if dtype != torch.float64 else 1e-2
    torch.testing.assert_close(motion.displacement.float(), exact.displacement, rtol=0, atol=max(step, 1e-2))


@PRECISIONS
def test_flow_is_found_and_inverted_and_drawn(dtype):
    clip = moving(3).to(dtype)
    for flow in (estimate_flow(clip), *estimate_both(clip[:1], clip[1:2]), invert_flow(estimate_flow(clip))):
        assert flow.displacement.dtype == flow.confidence.dtype == dtype
        assert torch.isfinite(flow.displacement).all()
    assert torch.isfinite(flow_to_rgb(estimate_flow(clip).displacement)).all()
    assert torch.isfinite(predict_motion(estimate_flow(clip), 4).displacement).all()


@pytest.mark.parametrize("channels", [1, 2, 4])
def test_brightness_is_of_rgb(channels):
    with pytest.raises(ValueError, match="RGB"):
        to_gray(torch.rand(1, channels, 8, 8))
