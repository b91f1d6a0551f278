import pytest
import torch
from wan_motion_chunks.benchmarks.layers import two_layers, waves
from wan_motion_chunks.motion import Flow, estimate_both, predict_frames, predict_motion
from wan_motion_chunks.motion.prediction import predict_clip_motion, render
from wan_motion_chunks.motion.trajectory import HORIZON, trace_back

PRECISIONS = pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
SIZE = (48, 64)


def flows(velocities, dtype=torch.float32):
    """Uniform motions, one after the other."""
    displacement = torch.tensor(velocities, dtype=dtype).view(-1, 2, 1, 1).repeat(1, 1, *SIZE)
    return Flow(displacement, torch.ones(len(velocities), 1, *SIZE, dtype=dtype))


def predict_scene(scene):
    """One frame ahead of a square whose anchor is the scene's first frame."""
    back = Flow(-scene.forward, torch.ones(1, 1, 160, 160))
    return predict_motion(None, 1, step_gain=1, backward=back)


def middle(tensor):
    return tensor[..., 20:-20, 20:-20]


@PRECISIONS
@pytest.mark.parametrize("velocity", [(0.0, 0.0), (1.0, 0.0), (-0.75, 0.5)])
def test_constant_velocity_is_carried_on_exactly(dtype, velocity):
    predicted = predict_motion(flows([velocity] * 5, dtype), 8, step_gain=1)
    steps = torch.arange(1, 9, dtype=dtype).view(-1, 1, 1, 1)
    expected = steps * torch.tensor(velocity, dtype=dtype).view(1, 2, 1, 1)
    torch.testing.assert_close(middle(predicted.displacement), expected.expand(-1, -1, 8, 24), rtol=1e-5, atol=1e-6)


@PRECISIONS
def test_constant_acceleration_is_carried_on_exactly_where_it_is_switched_on(dtype):
    clip = flows([(0.25 * t, -0.125 * t) for t in range(4, 9)], dtype)
    predicted = predict_motion(clip, 4, step_gain=1, acceleration=True)
    expected = torch.stack([torch.tensor([0.25, -0.125], dtype=dtype) * sum(range(9, 9 + n)) for n in range(1, 5)])
    torch.testing.assert_close(
        middle(predicted.displacement), expected[..., None, None].expand(-1, -1, 8, 24), rtol=1e-4, atol=1e-4
    )


def test_acceleration_never_runs_away():
    predicted = predict_motion(flows([(0.0, 0.0), (0.0, 0.0), (0.0, 0.0), (4.0, 0.0)]), 8, acceleration=True)
    assert predicted.displacement.norm(dim=1).amax(dim=(1, 2)).le(4.0 * torch.arange(1, 9) + 1e-3).all()


def test_step_gain_is_the_share_of_the_velocity_left_a_second_ahead():
    clip = flows([(0.5, 0.0)] * 4)
    for gain in (1.0, 0.5, 0.1, 0.0):
        path = middle(predict_motion(clip, 17, step_gain=gain).displacement)[:, 0, 0, 0]
        steps = path.diff()
        assert path[0] == pytest.approx(0.5)  # the next frame is left as it is
        assert steps[15] == pytest.approx(0.5 * gain, abs=1e-4)


def test_backward_flows_and_inverted_forward_ones_agree():
    clip, back = flows([(1.0, 0.5)] * 4), flows([(-1.0, -0.5)] * 4)
    inverted, given = predict_motion(clip, 4), predict_motion(clip, 4, backward=back)
    torch.testing.assert_close(inverted.displacement, given.displacement, rtol=1e-4, atol=1e-4)


def test_an_unsteady_velocity_goes_less_far_and_is_trusted_less():
    steady = predict_motion(flows([(2.0, 0.0)] * 4), 8)
    shaky = predict_motion(flows([(2.0, 0.0), (1.0, 1.0), (3.0, -1.0), (2.0, 0.0)]), 8)
    assert (middle(shaky.displacement).norm(dim=1) < middle(steady.displacement).norm(dim=1) - 0.1).all()
    assert (middle(shaky.confidence) < middle(steady.confidence)).all()


def test_an_unsteady_velocity_that_is_not_shrunk_goes_as_far_as_a_steady_one_and_is_trusted_no_more():
    steady = predict_motion(flows([(2.0, 0.0)] * 4), 8)
    unsteady = flows([(2.0, 0.0), (1.0, 1.0), (3.0, -1.0), (2.0, 0.0)])
    kept, shrunk = (predict_motion(unsteady, 8, shrink=shrink) for shrink in (False, True))
    torch.testing.assert_close(middle(kept.displacement), middle(steady.displacement), rtol=1e-4, atol=1e-4)
    share = shrunk.displacement[:, :1] / kept.displacement[:, :1]
    torch.testing.assert_close(middle(kept.confidence), middle(shrunk.confidence * share), rtol=1e-4, atol=1e-4)
    still = predict_motion(flows([(0.2, 0.0), (-0.2, 0.0)] * 2), 8, shrink=False)
    assert middle(still.confidence).max() < 1e-3  # nothing but noise


def test_a_steady_velocity_is_the_same_shrunk_or_not():
    one, other = (predict_motion(flows([(1.5, -0.5)] * 4), 8, shrink=shrink) for shrink in (False, True))
    torch.testing.assert_close(one.displacement, other.displacement)
    torch.testing.assert_close(one.confidence, other.confidence)


def test_velocities_that_cancel_out_go_nowhere():
    predicted = predict_motion(flows([(2.0, 0.0), (-2.0, 0.0), (2.0, 0.0), (-2.0, 0.0)]), 4, step_gain=1)
    assert middle(predicted.displacement).abs().max() < 1e-3


@pytest.mark.parametrize("velocity", [0.0, 260.0])
def test_half_precision_neither_overflows_nor_divides_by_nothing(velocity):
    displacement = torch.full((4, 2, 8, 1600), velocity, dtype=torch.float16)
    clip = Flow(displacement, torch.ones(4, 1, 8, 1600, dtype=torch.float16))
    for acceleration in (False, True):
        predicted = predict_motion(clip, 4, backward=Flow(-displacement, clip.confidence), acceleration=acceleration)
        assert torch.isfinite(predicted.displacement).all()
        assert torch.isfinite(predicted.confidence).all()


def test_confidence_never_rises_and_ends_at_the_horizon():
    generator = torch.Generator().manual_seed(0)
    displacement = torch.randn(4, 2, *SIZE, generator=generator) * 2
    clip = Flow(displacement, torch.rand(4, 1, *SIZE, generator=generator))
    confidence = predict_motion(clip, HORIZON + 2).confidence
    assert (confidence.diff(dim=0) <= 0).all()
    assert (confidence[HORIZON:] == 0).all()
    assert confidence.min() >= 0
    assert confidence.max() <= 1


def test_what_leaves_the_frame_is_not_trusted():
    predicted = predict_motion(flows([(4.0, 0.0)] * 4), 3, step_gain=1)
    gone = (torch.arange(SIZE[1])[None] + 4 * torch.arange(1, 4)[:, None]) > SIZE[1] - 0.5
    assert (predicted.confidence[:, 0].transpose(1, 2)[gone] == 0).all()
    assert (predicted.confidence[0, 0, :, 8:-4] > 0.5).all()


def test_what_is_covered_is_not_trusted_and_what_covers_it_is():
    scene = two_layers((6, 0))
    top = scene.forward[0, 0] > 0
    confidence = predict_scene(scene).confidence[0, 0]
    assert confidence[top].min() > 0.4
    assert confidence[scene.hidden[0, 0]].max() < 0.1
    assert confidence[20:40, 20:40].min() > 0.9


def test_a_cut_in_the_last_pair_leaves_nothing_to_trust():
    clip = torch.cat([waves(96, 128, (2.0 * t, 0)) for t in range(4)] + [waves(96, 128, seed=9)])
    assert predict_clip_motion(clip, 4).confidence.mean() < 0.05


def test_what_lies_before_a_cut_does_not_count():
    after = [waves(96, 128, (2.0 * t, 0)) for t in range(4)]
    whole = torch.cat([waves(96, 128, (-2.0, 0)), *after])
    cut = torch.cat([waves(96, 128, seed=9), *after])
    there, here = (predict_clip_motion(clip, 4) for clip in (whole, cut))
    wrong = (there.displacement - here.displacement).norm(dim=1)[..., 24:-24, 24:-24]
    assert wrong.mean() < 0.1


def test_a_path_leads_back_to_where_it_came_from():
    path = trace_back(flows([(-1.0, 0.0), (-2.0, 1.0), (-3.0, -1.0)]))
    expected = torch.tensor([[3.0, 1.0], [2.0, -1.0], [1.0, 0.0]])
    torch.testing.assert_close(middle(path.velocity)[:, :, 0, 0], expected)
    assert (path.confidence.diff(dim=0) <= 0).all()
    assert (path.confidence[0, 0, :, :3] == 0).all()  # they came from outside


@pytest.mark.parametrize("velocity", [(1.5, -1.0), (-4.0, 0.0)])
def test_a_panning_picture_is_predicted(velocity):
    x, y = velocity
    clip = torch.cat([waves(96, 128, (x * t, y * t)) for t in range(9)])
    frames, confidence = predict_frames(clip, 3, step_gain=1)
    assert frames.shape == (3, 3, 96, 128)
    for n in range(3):
        true = waves(96, 128, (x * (9 + n), y * (9 + n)))
        error = (frames[n] - true).square().mean(dim=1, keepdim=True)
        assert -10 * error[confidence[n : n + 1] > 0.3].mean().log10() > 35
        assert (confidence[n] > 0.3).float().mean() > 0.7


def test_a_still_clip_stays_as_it_is():
    clip = waves(64, 80).expand(5, -1, -1, -1)
    frames, confidence = predict_frames(clip, 8)
    torch.testing.assert_close(frames, clip[:1].expand(8, -1, -1, -1), rtol=0, atol=1e-4)
    assert confidence[0].mean() > 0.8


def test_what_comes_into_view_is_not_claimed():
    scene = two_layers((6, 0))
    shown, confidence = render(scene.first, predict_scene(scene))
    top = scene.forward[:, :1] > 0
    assert (confidence[top & ~torch.roll(top, 6, dims=3)] == 0).all()
    assert confidence[torch.roll(top, 6, dims=3)].min() > 0.4
    sure = (confidence > 0.4).expand_as(shown)
    torch.testing.assert_close(shown[sure], scene.second[sure], rtol=0, atol=1e-4)


def test_half_precision_comes_back_as_it_went_in():
    clip = torch.cat([waves(64, 64, (t, 0)) for t in range(5)]).half()
    frames, confidence = predict_frames(clip, 2)
    assert frames.dtype == confidence.dtype == torch.float16
    assert torch.isfinite(frames).all()


def test_one_flow_is_enough_and_none_is_not():
    a, b = waves(64, 64), waves(64, 64, (2.0, 0))
    forward, backward = estimate_both(a, b)
    predicted = predict_motion(forward, 1, backward=backward).displacement[0, 0, 16:-16, 16:-16]
    assert (predicted - 2.0).abs().mean() < 0.05
    with pytest.raises(ValueError, match="two frames"):
        predict_motion(Flow(torch.zeros(0, 2, 8, 8), torch.zeros(0, 1, 8, 8)), 1)


@pytest.mark.parametrize(
    ("numbers", "message"),
    [({"steps": 0}, "^steps .*got 0"), ({"steps": 1, "step_gain": 1.5}, r"^step_gain .*got 1\.5")],
)
def test_numbers_out_of_range_are_refused(numbers, message):
    with pytest.raises(ValueError, match=message):
        predict_motion(flows([(0.0, 0.0)]), **numbers)
