import pytest
import torch
from wan_motion_chunks.motion import (
    estimate_both,
    forward_backward_error,
    inconsistency_mask,
    occlusion_mask,
)
from wan_motion_chunks.motion.occlusion import flow_confidence

from .waves import waves

SHIFTS = pytest.mark.parametrize("shift", [(3, 0), (8, -5), (-12, 12)])


def layers(shift, *, size=160, square=(50, 100)):
    """A square that moves over a still ground: both frames, both true flows, and what the square hides."""
    first, last = square
    grid = torch.arange(size)
    inside = (grid >= first) & (grid < last)
    here = (inside[:, None] & inside[None, :])[None, None]
    there = torch.roll(here, (shift[1], shift[0]), dims=(2, 3))
    vector = torch.tensor(shift, dtype=torch.float32).view(1, 2, 1, 1)
    ground, top = waves(size, size, seed=1) * 0.6, waves(size, size, seed=2) * 0.6 + 0.4
    moved = torch.roll(top, (shift[1], shift[0]), dims=(2, 3))
    frames = torch.where(here, top, ground), torch.where(there, moved, ground)
    return *frames, here * vector, -(there * vector), there & ~here


def f1(found, true):
    return (2 * (found & true).sum() / (found.sum() + true.sum())).item()


@SHIFTS
def test_what_a_square_hides_contradicts_true_flow(shift):
    _, _, forward, backward, hidden = layers(shift)
    assert f1(inconsistency_mask(forward, backward), hidden) >= 0.9


@SHIFTS
def test_what_a_square_hides_is_found_from_true_flow(shift):
    a, b, forward, backward, hidden = layers(shift)
    assert f1(occlusion_mask(a, b, forward, backward), hidden) >= 0.9


@SHIFTS
def test_what_a_square_hides_is_found_from_estimated_flow(shift):
    a, b, _, _, hidden = layers(shift)
    forward, backward = (flow.displacement for flow in estimate_both(a, b))
    assert f1(occlusion_mask(a, b, forward, backward), hidden) >= 0.45


@SHIFTS
def test_a_change_of_light_hides_little_more(shift):
    a, b, _, _, hidden = layers(shift)
    b = b * 0.8 + 0.1
    forward, backward = (flow.displacement for flow in estimate_both(a, b))
    assert f1(occlusion_mask(a, b, forward, backward), hidden) >= 0.3


def test_half_precision_does_not_overflow():
    forward = torch.full((1, 2, 4, 8), 300.0, dtype=torch.float16)
    forward[:, 1] = 0.0
    forward[..., :4, :] = 0.0
    backward = forward.clone()
    backward[:, 0, :, 4:] = 300.0
    assert torch.equal(inconsistency_mask(forward, backward), inconsistency_mask(forward.float(), backward.float()))


def test_leaving_the_frame_is_occlusion():
    forward = torch.zeros(1, 2, 16, 16)
    forward[:, 0] = 4.0
    leaves = torch.arange(16) >= 12
    assert torch.equal(inconsistency_mask(forward, -forward)[0, 0, 0], leaves)
    assert torch.equal(occlusion_mask(waves(16, 16), waves(16, 16, (4, 0)), forward, -forward)[0, 0, 0], leaves)


def test_there_and_back_again_has_no_error():
    forward = torch.full((1, 2, 16, 16), 1.5)
    assert forward_backward_error(forward, -forward).max() == 0
    torch.testing.assert_close(forward_backward_error(forward, forward), torch.full((1, 1, 16, 16), 3 * 2**0.5))


def test_confidence_falls_with_the_error_put_into_a_true_flow():
    a, b, forward, backward, _ = layers((4, 2))
    means = [
        flow_confidence(a, b, forward + wrong, backward)[..., 8:-8, 8:-8].mean().item() for wrong in (0, 0.25, 1.0, 4.0)
    ]
    assert means == sorted(means, reverse=True)
    assert means[0] > 0.9
    assert means[-1] < 0.1
