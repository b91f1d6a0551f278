import pytest
import torch
from wan_motion_chunks.benchmarks.layers import two_layers, waves
from wan_motion_chunks.motion import (
    estimate_both,
    forward_backward_error,
    inconsistency_mask,
    occlusion_mask,
)
from wan_motion_chunks.motion.occlusion import flow_confidence

SHIFTS = pytest.mark.parametrize("shift", [(3, 0), (8, -5), (-12, 12)])


def f1(found, true):
    return (2 * (found & true).sum() / (found.sum() + true.sum())).item()


@SHIFTS
def test_what_a_square_hides_contradicts_true_flow(shift):
    scene = two_layers(shift)
    assert f1(inconsistency_mask(scene.forward, scene.backward), scene.hidden) >= 0.9


@SHIFTS
def test_what_a_square_hides_is_found_from_true_flow(shift):
    scene = two_layers(shift)
    assert f1(occlusion_mask(scene.first, scene.second, scene.forward, scene.backward), scene.hidden) >= 0.9


@SHIFTS
def test_what_a_square_hides_is_found_from_estimated_flow(shift):
    scene = two_layers(shift)
    forward, backward = (flow.displacement for flow in estimate_both(scene.first, scene.second))
    assert f1(occlusion_mask(scene.first, scene.second, forward, backward), scene.hidden) >= 0.45


@SHIFTS
def test_a_change_of_light_hides_little_more(shift):
    scene = two_layers(shift)
    darker = scene.second * 0.8 + 0.1
    forward, backward = (flow.displacement for flow in estimate_both(scene.first, darker))
    assert f1(occlusion_mask(scene.first, darker, forward, backward), scene.hidden) >= 0.3


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
    scene = two_layers((4, 2))
    means = []
    for wrong in (0, 0.25, 1.0, 4.0):
        trusted = flow_confidence(scene.first, scene.second, scene.forward + wrong, scene.backward)
        means.append(trusted[..., 8:-8, 8:-8].mean().item())
    assert means == sorted(means, reverse=True)
    assert means[0] > 0.9
    assert means[-1] < 0.1
