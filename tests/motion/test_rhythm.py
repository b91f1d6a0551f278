import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from wan_motion_chunks.benchmarks.layers import waves
from wan_motion_chunks.motion import Flow, estimate_flow
from wan_motion_chunks.motion.prediction import predict_clip_motion
from wan_motion_chunks.motion.rhythm import pair_speed, rhythm_share
from wan_motion_chunks.motion.trajectory import predict_motion

GROUP = (1.6, 1.1, 0.8, 0.5)


def flows(speeds, size=16):
    """An even motion to the right, of another speed in each frame."""
    displacement = torch.zeros(len(speeds), 2, size, size)
    displacement[:, 0] = torch.as_tensor(speeds).view(-1, 1, 1)
    return Flow(displacement, torch.ones(len(speeds), 1, size, size))


def test_a_rhythm_of_the_groups_is_seen_and_steady_motion_has_none():
    assert rhythm_share(torch.as_tensor(GROUP * 2), 4) > 0.99
    assert rhythm_share(torch.as_tensor([1.0] * 8), 4) == 0
    assert rhythm_share(torch.as_tensor([0.0] * 8), 4) == 0


@settings(deadline=None, max_examples=50)
@given(st.floats(0.2, 3.0), st.floats(-0.15, 0.15), st.integers(0, 1000))
def test_what_speeds_up_or_slows_down_has_no_rhythm(speed, change, seed):
    noise = 0.02 * torch.randn(8, generator=torch.Generator().manual_seed(seed))
    steady = speed * (change * torch.arange(8.0) + noise).exp()
    assert rhythm_share(steady, 4) < 0.95  # eight frames cannot rule out chance


def test_by_chance_there_is_seldom_a_rhythm():
    generator = torch.Generator().manual_seed(0)
    shares = [rhythm_share((0.2 * torch.randn(8, generator=generator)).exp(), 4).item() for _ in range(300)]
    assert sum(share > 0.5 for share in shares) < 0.1 * len(shares)


def test_a_longer_clip_tells_chance_from_rhythm_better():
    generator = torch.Generator().manual_seed(1)
    chance = [(0.2 * torch.randn(16, generator=generator)).exp() for _ in range(200)]
    few, many = (sum(rhythm_share(speeds[-count:], 4) > 0.2 for speeds in chance) for count in (8, 16))
    assert many < few


def test_the_speed_of_a_pair_is_that_of_what_moves_and_is_trusted():
    flow = flows([0.0, 2.0])
    flow.displacement[1, 0, :8] = 0  # the upper half rests
    flow.displacement[1, 0, 8:, :4] = 9.0  # and a part is not to be trusted
    flow.confidence[1, 0, 8:, :4] = 0
    assert pair_speed(flow).tolist() == [0.0, pytest.approx(2.0)]


def test_too_short_a_clip_tells_nothing():
    assert rhythm_share(torch.as_tensor(GROUP), 4) == 0
    assert rhythm_share(torch.as_tensor(GROUP * 2), 1) == 0


@pytest.mark.parametrize("period", [1, 4])
def test_velocities_over_whole_groups_are_those_of_the_motion(period):
    backward = flows(GROUP * 2)
    backward = Flow(-backward.displacement, backward.confidence)
    found = predict_motion(None, 4, step_gain=1.0, backward=backward, period=period).displacement[3, 0].mean() / 4
    if period == 4:
        assert found == pytest.approx(1.0, abs=0.01)
    else:
        assert found < 0.5


def test_fewer_frames_than_two_periods_have_no_rhythm_to_follow():
    clip = torch.cat([waves(48, 64, (x, 0.0)) for x in (0.0, 1.0, 3.0, 4.0, 6.0, 7.0)])
    short = predict_clip_motion(clip, 4, period=4)
    for frames in range(2, 7):
        assert predict_clip_motion(clip[-frames:], 4, period=4).displacement.isfinite().all()
    backward = estimate_flow(clip.flip(0))
    alone = predict_motion(None, 4, backward=Flow(backward.displacement.flip(0), backward.confidence.flip(0)))
    assert (short.displacement - alone.displacement).abs().mean() < 0.05
