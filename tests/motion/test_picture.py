import pytest
import torch
from torchvision.utils import flow_to_image
from wan_motion_chunks.motion import Flow, flow_to_rgb
from wan_motion_chunks.motion.label import draw_text
from wan_motion_chunks.motion.picture import (
    SPACING,
    color_wheel,
    draw_arrows,
    heat_map,
    legend,
    overlay_mask,
    show_flow,
)


def field(seed=0):
    return torch.randn(2, 2, 24, 32, generator=torch.Generator().manual_seed(seed)) * 5


def test_colors_are_those_of_torchvision():
    for flow in field():  # torchvision takes the longest vector of the whole batch as well
        expected = flow_to_image(flow[None]).float() / 255
        assert (flow_to_rgb(flow[None]) - expected).abs().max() < 0.02


def test_all_directions_keep_their_color_at_full_length():
    turn = torch.linspace(0, 2 * torch.pi, 3600)
    rim = torch.stack((turn.cos(), turn.sin())).view(1, 2, 1, -1)
    for largest in (0.01, 1.0, 3.7, 5000.0):
        full, less, longer = (flow_to_rgb(rim * largest * share, largest=largest) for share in (0.9999, 0.99, 1.01))
        assert (full - less).abs().max() < 0.02
        assert (longer - 0.75 * full).abs().max() < 0.02


def test_rest_is_white():
    assert torch.equal(flow_to_rgb(torch.zeros(1, 2, 4, 4)), torch.ones(1, 3, 4, 4))


def test_opposite_motions_have_different_colors():
    right, left = flow_to_rgb(torch.tensor([[[[1.0]], [[0.0]]], [[[-1.0]], [[0.0]]]])).flatten(1)
    assert (right - left).norm() > 0.8


def test_longer_than_the_largest_is_darker():
    one, two = (flow_to_rgb(torch.full((1, 2, 1, 1), length), largest=2.0) for length in (1.4, 14.0))
    assert two.max() <= 0.75 < one.max()


def test_the_legend_shows_the_colors_of_its_directions():
    wheel = color_wheel(33, torch.zeros(1))
    right = flow_to_rgb(torch.tensor([1.0, 0.0]).view(1, 2, 1, 1), largest=1.0)
    torch.testing.assert_close(wheel[..., 16:17, 32:33], right)
    assert torch.equal(wheel[..., 0, 0], torch.ones(1, 3))


def test_the_legend_says_how_long_its_rim_is():
    picture = torch.zeros(1, 3, 264, 300)
    slow, fast = (legend(length, picture) for length in (2.5, 7.5))
    height = draw_text("2.50px", picture).shape[-2]
    assert slow.shape[-2] == fast.shape[-2] == 33 + height
    torch.testing.assert_close(slow[..., :33, -33:], color_wheel(33, picture))
    assert torch.equal(slow[..., :33, -33:], fast[..., :33, -33:])
    assert not torch.equal(slow[..., 33:, :], fast[..., 33:, :])
    written = draw_text("2.50px", picture)
    assert torch.equal(slow[..., 33:, -written.shape[-1] :], written.expand(-1, 3, -1, -1))


@pytest.mark.slow
@pytest.mark.parametrize("length", [1e-6, 0.1, 12.34, 123.4, 12345.6])
@pytest.mark.parametrize("size", [(8, 8), (40, 300), (480, 832), (2160, 3840)])
def test_any_length_and_any_size_has_a_legend_within_its_picture(length, size):
    flow = Flow(torch.zeros(1, 2, *size), torch.ones(1, 1, *size))
    assert show_flow(flow, "colors", largest=length).shape == (1, 3, *size)


@pytest.mark.parametrize("size", [10, 15, 33])
def test_text_is_dark_on_a_white_margin_and_as_large_as_asked(size):
    text, other = (draw_text(words, torch.zeros(1), size=size)[0, 0] for words in ("12.34px", "12.84px"))
    assert 0.6 * size < len(text) < 1.5 * size
    assert text.min() < 0.2
    assert all((edge == 1).all() for edge in (text[0], text[-1], text[:, 0], text[:, -1]))
    assert not torch.equal(text, other)


@pytest.mark.parametrize("longest", [0.5, 40.0])
def test_arrows_can_be_scaled(longest):
    flow = Flow(torch.zeros(1, 2, 48, 48), torch.ones(1, 1, 48, 48))
    flow.displacement[:, 0] = longest
    drawn = show_flow(flow, "arrows", largest=longest)
    first = SPACING // 2
    assert (drawn[0, :, first, first + SPACING :: SPACING] == 1.0).all()
    assert (drawn[0, :, first, first + 1 : first + SPACING] == 0.0).all()


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
