import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from wan_motion_chunks.benchmarks.layers import waves
from wan_motion_chunks.blending import measure_seam
from wan_motion_chunks.blending.pace import JITTER, expected_speed, speed_change
from wan_motion_chunks.blending.seam import judge
from wan_motion_chunks.blending.series import PairSeries, measure_pairs

SIZE, SEAM = (72, 96), 20


def along(path, size=SIZE):
    """A texture that is shifted by each of ``path``, x or (x, y) in pixels."""
    path = [(float(step), 0.0) if getattr(step, "ndim", 0) == 0 else tuple(step.tolist()) for step in path]
    return torch.cat([waves(*size, step, shortest=7.0) for step in path])


def zoomed(powers, factor=1.01):
    """A texture that grows by ``factor`` to each of ``powers``."""
    picture = waves(144, 192, shortest=9.0)
    frames = []
    for power in powers:
        scale = factor ** -float(power)
        grid = F.affine_grid(torch.tensor([[[scale, 0, 0], [0, scale, 0]]]), (1, 3, *SIZE), align_corners=False)
        frames.append(F.grid_sample(picture, grid, mode="bicubic", align_corners=False).clamp(0, 1))
    return torch.cat(frames)


TIME = torch.arange(40.0)


def faster(factor):
    """Time that goes on ``factor`` times as fast behind the seam."""
    return torch.where(TIME < SEAM, TIME, SEAM - 1 + (TIME - SEAM + 1) * factor)


@pytest.mark.parametrize("jump", [0.5, 1.0, 2.5])
def test_where_things_land_is_how_far_they_jump(jump):
    clip = along(0.6 * TIME + jump * (TIME >= SEAM))
    landing_error = measure_pairs(clip[SEAM - 8 : SEAM + 8]).landing_error.flatten(1).median(dim=1).values
    expected = torch.zeros(15)
    expected[6:9] = torch.tensor([0.5, 1.0, 0.5]) * jump  # the neighbors are held against the jump
    torch.testing.assert_close(landing_error, expected, atol=0.06, rtol=0)


def test_at_a_clips_ends_one_neighbor_tells_where_things_go():
    # From the neighbor's velocity, or from where it and the next lead, whichever is less.
    for jump, acceleration, expected in ((1.0, 0.0, 1.0), (0.0, 0.1, 0.0), (1.0, 0.1, 0.9), (-1.0, 0.1, 1.0)):
        path = 0.5 * acceleration * TIME[:6].square() + 0.3 * TIME[:6]
        path[0] -= jump
        for clip, end in ((along(path), 0), (along(path).flip(0), -1)):
            assert measure_pairs(clip).landing_error[end].median().item() == pytest.approx(expected, abs=0.06)


@pytest.mark.parametrize("make", [lambda time: along(0.7 * time), zoomed], ids=["pan", "zoom"])
@pytest.mark.parametrize("dropped", [1, 2, 4])
def test_missing_frames_are_found(make, dropped):
    report = measure_seam(make(TIME + dropped * (TIME >= SEAM)), SEAM)
    assert "position jump" in report.flags
    assert report.speed_change < 1
    assert report.score > 1


@pytest.mark.parametrize("make", [lambda time: along(0.7 * time), zoomed], ids=["pan", "zoom"])
@pytest.mark.parametrize("factor", [0.5, 0.67, 1.5, 2.0, 3.0, -1.0])
def test_a_lasting_change_of_speed_is_found(make, factor):
    assert "speed change" in measure_seam(make(faster(factor)), SEAM).flags


def test_frames_shown_twice_or_left_out_in_turn_are_a_change_of_speed():
    steps = torch.arange(SEAM)
    for way in (steps // 2, steps * 3 // 2):
        clip = along(0.7 * torch.cat((TIME[:SEAM], SEAM + way)))
        assert "speed change" in measure_seam(clip, SEAM).flags


def test_a_subject_that_jumps_over_a_still_ground_is_found():
    ground = along(torch.zeros(40))
    clip = ground.clone()
    for frame in range(40):
        subject = waves(24, 30, (0.3 * frame + 1.5 * (frame >= SEAM), 0.0), seed=3, shortest=6.0)
        clip[frame, :, 20:44, 30:60] = subject[0]  # a tenth of the picture
    assert "position jump" in measure_seam(clip, SEAM).flags
    assert measure_seam(clip, 12).flags == ()


@pytest.mark.parametrize(
    "path",
    [
        0.7 * TIME,
        torch.stack((0.2 * TIME, 0.9 * TIME), dim=1),
        0.02 * TIME.square(),
        6 * torch.cos((TIME - 19.5) / 8),
        6 * torch.cos((TIME - 19) / 8),
        torch.zeros(40),
    ],
    ids=["pan", "down", "faster and faster", "turning", "turning at a frame", "still"],
)
def test_natural_motion_is_left_alone(path):
    series = measure_pairs(along(path))
    assert {judge(series, pair).flags for pair in range(len(series))} == {()}


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_precision_and_alpha_do_not_change_what_is_found(dtype):
    clip = along(faster(2.0))
    report = measure_seam(torch.cat((clip, clip[:, :1]), dim=1).to(dtype), SEAM)
    assert "speed change" in report.flags


def test_three_frames_tell_nothing_and_a_short_end_no_change_of_speed():
    clip = along(0.7 * TIME)
    assert measure_seam(clip[:3], 1).flags == measure_seam(clip[:3], 2).flags == ()
    assert measure_seam(clip, 2).speed_change == 0
    assert measure_seam(clip, 38).speed_change == 0


def moving(velocity):
    """A series of ``velocity`` (P, 2) in all blocks, and no other figures."""
    pairs = len(velocity)
    blocks = velocity.view(pairs, 2, 1, 1).expand(pairs, 2, 3, 4)
    none = torch.zeros(pairs)
    cells = torch.zeros(pairs, 12, 16)
    speed = velocity.norm(dim=1)
    return PairSeries(none, none, none, speed, torch.zeros(pairs, 3), none, cells, cells > -1, blocks)


@settings(deadline=None, max_examples=40)
@given(before=st.floats(0, 5), behind=st.floats(0, 5), slope=st.floats(0, 1))
def test_a_change_of_speed_is_what_no_trend_explains(before, behind, slope):
    time = torch.arange(-8.0, 9.0)
    speed = torch.where(time < 0, before, behind) + slope * time
    found = speed_change(moving(torch.stack((speed, torch.zeros(17)), dim=1)), 8, 8)
    # The means of four pairs lie five pairs apart; neighboring doubled pairs differ by two slopes.
    change = abs(behind - before + 5 * slope)
    shaking = 2 * slope / 1.25
    assert found == pytest.approx(change / (shaking + 5 * slope + JITTER), rel=1e-3, abs=1e-4)


@given(angle=st.floats(0, 6.28), speed=st.floats(0.1, 10))
@settings(deadline=None, max_examples=40)
def test_two_that_move_alike_lead_to_their_speed_and_a_turn_through_rest(angle, speed):
    way = speed * torch.tensor([torch.cos(torch.tensor(angle)), torch.sin(torch.tensor(angle))])
    none = torch.zeros(2)
    assert expected_speed(moving(torch.stack((way, none, way))), 1) == pytest.approx(speed, rel=1e-4)
    assert expected_speed(moving(torch.stack((way, none, -way))), 1) < 0.06
