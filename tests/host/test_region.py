"""The mask of where motion may guide lies on the video as the picture does that it was made of."""

import pytest
import torch

WIDTH, HEIGHT = 96, 64


@pytest.fixture(scope="module")
def start(comfy):
    """The state that Plan Long Video begins a video of 96 x 64 pixels with."""
    from wan_motion_chunks.nodes import PlanVideo

    def run(picture, region):
        plan = (WIDTH, HEIGHT, 17.0, "frames", 16.0, 17)
        return PlanVideo.execute(*plan, start_image=picture, motion_region=region).args[0]

    return run


def noise(height, width):
    return torch.rand(1, height, width, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("size", [(64, 96), (40, 40), (128, 64), (37, 301), (500, 750), (719, 1281)], ids=str)
def test_a_mask_of_the_picture_lies_where_the_picture_does(start, size):
    mask = noise(*size)
    state = start(mask[..., None].expand(-1, -1, -1, 3), mask)
    torch.testing.assert_close(state.region, state.start[:, :1], rtol=0, atol=1e-6)


def test_a_mask_outside_of_the_crop_guides_nothing(start):
    mask = torch.zeros(1, 96, 96)
    mask[:, :16] = 1  # the crop keeps lines 16 to 79
    assert not start(torch.rand(1, 96, 96, 3), mask).region.any()
    mask[:, 16:24] = 1
    region = start(torch.rand(1, 96, 96, 3), mask).region
    assert torch.equal(region, (torch.arange(HEIGHT) < 8).float().view(1, 1, -1, 1).expand_as(region))


def test_a_mask_of_the_videos_size_stays_as_it_is(start):
    mask = noise(HEIGHT, WIDTH)
    assert torch.equal(start(torch.rand(1, 200, 70, 3), mask).region[0], mask)


@pytest.mark.parametrize("size", [(100, 100), (51, 51), (400, 400)], ids=str)
def test_a_mask_of_the_pictures_proportions_is_cropped_as_it_is(start, size):
    mask = torch.zeros(1, *size)
    mask[:, : size[0] // 6] = 1  # above the crop, but for a line in which both have a part
    region = start(torch.rand(1, 200, 200, 3), mask).region
    assert not region[:, :, 2:].any()


def test_a_mask_of_the_videos_proportions_is_scaled(start):
    mask = (torch.arange(96) < 48).float().expand(1, 64, 96)[:, ::4, ::4]
    region = start(torch.rand(1, 200, 70, 3), mask).region
    assert region[..., :44].min() == 1
    assert region[..., 52:].max() == 0


@pytest.mark.parametrize("size", [(64, 64), (96, 64), (100, 300)], ids=str)
def test_a_mask_of_neither_is_refused(start, size):
    with pytest.raises(ValueError, match=rf"^motion_region: .*96 x 64.*start_image.*{size[1]} x {size[0]}"):
        start(torch.rand(1, 70, 200, 3), torch.ones(1, *size))


def test_a_mask_that_is_rounded_is_taken_and_two_are_not(start):
    picture = torch.rand(1, HEIGHT, WIDTH, 3)
    assert start(picture, torch.full((1, HEIGHT, WIDTH), 1.0001)).region.max() == 1
    with pytest.raises(ValueError, match=r"^motion_region: .*got 2"):
        start(picture, torch.ones(2, HEIGHT, WIDTH))


@pytest.mark.parametrize("size", [(64, 96), (32, 48)], ids=str)
def test_the_region_of_a_blend_mask_is_of_its_proportions(comfy, size):
    from wan_motion_chunks.nodes import GaussianBlendMask

    assert GaussianBlendMask.execute(5, WIDTH, HEIGHT, 0.0, torch.ones(1, *size)).args[0].shape == (5, HEIGHT, WIDTH)
    with pytest.raises(ValueError, match=r"^region: .*96 x 64.*64 x 64"):
        GaussianBlendMask.execute(5, WIDTH, HEIGHT, 0.0, torch.ones(1, 64, 64))
