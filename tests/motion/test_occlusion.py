import pytest
import torch
from wan_motion_chunks.benchmarks.layers import grain, two_layers, waves
from wan_motion_chunks.motion import (
    estimate_both,
    forward_backward_error,
    inconsistency_mask,
    occlusion_mask,
)
from wan_motion_chunks.motion.occlusion import error_signs, flow_confidence, picture_confidence

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


def recall(found, true):
    return ((found & true).sum() / true.sum()).item()


@pytest.mark.parametrize("even", ["", "ground", "top", "ground and top"])
@pytest.mark.parametrize(("shift", "noise"), [((4, 0), 0), ((8, -5), 0), ((0, 12), 3), ((-6, 0), 6)])
def test_the_strip_that_a_square_hides_is_found_on_even_surfaces_too(even, shift, noise):
    scene = two_layers(shift, even=even)
    a, b = grain(scene.first, noise, seed=1), grain(scene.second, noise, seed=2)
    forward, backward = (flow.displacement for flow in estimate_both(a, b))
    found = occlusion_mask(a, b, forward, backward)
    assert recall(found, scene.hidden) >= 0.5
    assert f1(found, scene.hidden) >= 0.3
    assert f1(occlusion_mask(a, b, scene.forward, scene.backward), scene.hidden) >= 0.9


@pytest.mark.parametrize("noise", [0, 3])
def test_nothing_is_hidden_where_nothing_moves(noise):
    for picture in (waves(96, 128), torch.full((1, 3, 96, 128), 0.5)):
        a, b = grain(picture, noise, seed=1), grain(picture, noise, seed=2)
        forward, backward = (flow.displacement for flow in estimate_both(a, b))
        assert occlusion_mask(a, b, forward, backward)[..., 4:-4, 4:-4].float().mean() < 0.02


def test_each_pair_of_a_batch_is_masked_as_alone():
    scenes = [
        two_layers((4, 0), size=96, square=(30, 60)),
        two_layers((0, -6), size=96, square=(30, 60), even="ground"),
    ]
    batch = [
        torch.cat([getattr(scene, name) for scene in scenes]) for name in ("first", "second", "forward", "backward")
    ]
    alone = [occlusion_mask(scene.first, scene.second, scene.forward, scene.backward) for scene in scenes]
    assert torch.equal(occlusion_mask(*batch), torch.cat(alone))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_every_precision_is_taken_and_answered_in_float32_or_better(dtype):
    scene = two_layers((4, 2), size=96, square=(30, 60))
    given = [part.to(dtype) for part in (scene.first, scene.second, scene.forward, scene.backward)]
    for function in (flow_confidence, picture_confidence):
        found = function(*given)
        assert found.dtype == torch.promote_types(dtype, torch.float32)
        exact = function(*(part.float() for part in given))
        torch.testing.assert_close(found.float(), exact, rtol=0, atol=1e-3)
    assert forward_backward_error(*given[2:]).dtype == torch.promote_types(dtype, torch.float32)
    assert f1(occlusion_mask(*given), scene.hidden) > 0.7


@pytest.mark.parametrize("channels", [1, 2, 4])
@pytest.mark.parametrize("function", [flow_confidence, picture_confidence, occlusion_mask, error_signs])
def test_frames_that_are_no_rgb_are_refused(function, channels):
    frames, flow = torch.rand(1, channels, 32, 32), torch.zeros(1, 2, 32, 32)
    with pytest.raises(ValueError, match=rf"RGB .*\(1, {channels}, 32, 32\)"):
        function(frames, frames, flow, flow)


def test_flows_of_another_size_are_refused():
    frames = torch.rand(1, 3, 32, 32)
    with pytest.raises(ValueError, match=r"\(1, 2, 16, 32\)"):
        occlusion_mask(frames, frames, torch.zeros(1, 2, 32, 32), torch.zeros(1, 2, 16, 32))
