import pytest
import torch
from torchvision.utils import flow_to_image
from wan_motion_chunks.motion import flow_to_rgb
from wan_motion_chunks.motion.picture import draw_arrows, heat_map, legend, overlay_mask


def field(seed=0):
    return torch.randn(2, 2, 24, 32, generator=torch.Generator().manual_seed(seed)) * 5


def test_colours_are_those_of_torchvision():
    for flow in field():  # torchvision takes the longest vector of the whole batch as well
        expected = flow_to_image(flow[None]).float() / 255
        assert (flow_to_rgb(flow[None]) - expected).abs().max() < 0.02


def test_rest_is_white():
    assert torch.equal(flow_to_rgb(torch.zeros(1, 2, 4, 4)), torch.ones(1, 3, 4, 4))


def test_opposite_motions_have_different_colours():
    right, left = flow_to_rgb(torch.tensor([[[[1.0]], [[0.0]]], [[[-1.0]], [[0.0]]]])).flatten(1)
    assert (right - left).norm() > 0.8


def test_longer_than_the_largest_is_darker():
    one, two = (flow_to_rgb(torch.full((1, 2, 1, 1), length), largest=2.0) for length in (1.4, 14.0))
    assert two.max() <= 0.75 < one.max()


def test_the_legend_shows_the_colours_of_its_directions():
    wheel = legend(33, torch.zeros(1))
    right = flow_to_rgb(torch.tensor([1.0, 0.0]).view(1, 2, 1, 1), largest=1.0)
    torch.testing.assert_close(wheel[..., 16:17, 32:33], right)
    assert torch.equal(wheel[..., 0, 0], torch.ones(1, 3))


def test_arrows_end_where_their_pixels_go():
    flow = torch.zeros(1, 2, 32, 32)
    flow[:, 0] = 5.0
    drawn = draw_arrows(torch.full((1, 3, 32, 32), 0.5), flow)
    assert torch.equal(drawn[0, :, 8, 13], torch.ones(3))
    assert torch.equal(drawn[0, :, 8, 8:13], torch.zeros(3, 5))
    assert (drawn[0, :, 9] == 0.5).all()


def test_masks_and_heat_keep_their_ends():
    picture = torch.full((1, 3, 4, 4), 0.4)
    mask = torch.zeros(1, 1, 4, 4)
    mask[..., 0] = 1
    tinted = overlay_mask(picture, mask)
    assert torch.equal(tinted[..., 1:], picture[..., 1:])
    assert not torch.equal(tinted[..., 0], picture[..., 0])
    ends = heat_map(torch.tensor([0.0, 1.0]).view(2, 1, 1, 1))
    assert torch.equal(ends.flatten(1), torch.tensor([[0.0, 0, 0], [1, 1, 1]]))


def test_a_largest_of_nothing_is_refused():
    with pytest.raises(ValueError, match="above 0"):
        flow_to_rgb(field(), largest=0.0)
