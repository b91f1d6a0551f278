"""Confidence where nothing can be known: even, shaded and striped frames, with and without noise."""

import pytest
import torch
from wan_motion_chunks.benchmarks.layers import grain, shade, stripes, waves
from wan_motion_chunks.motion import estimate_flow_between

SIZE = (120, 144)
NOISE = pytest.mark.parametrize("noise", [0, 1, 6])
UNKNOWN = 0.2
BLIND = {
    "even": torch.full((1, 3, *SIZE), 0.5),
    "black": torch.zeros(1, 3, *SIZE),
    "white": torch.ones(1, 3, *SIZE),
    "shaded": shade(*SIZE, 0),
    "shaded obliquely": shade(*SIZE, 30, depth=0.2),
    "stripes": stripes(*SIZE, 90),
    "oblique stripes": stripes(*SIZE, 30),
    "diagonal stripes": stripes(*SIZE, 45, length=8),
    "bars": torch.sign(stripes(*SIZE, 30, length=12) - 0.5) / 4 + 0.5,
}


def trusted(a, b):
    return estimate_flow_between(a, b).confidence.mean().item()


@NOISE
@pytest.mark.parametrize("name", BLIND)
def test_what_shows_no_motion_is_not_trusted(name, noise):
    if name == "bars":  # their steps of a pixel are seen to rest
        assert trusted(grain(BLIND[name], noise, seed=1), grain(BLIND[name], noise, seed=2)) < 0.3
    else:
        assert trusted(grain(BLIND[name], noise, seed=1), grain(BLIND[name], noise, seed=2)) < UNKNOWN


@pytest.mark.parametrize("name", ["even", "oblique stripes"])
@pytest.mark.parametrize("noisy", [0, 1])
def test_noise_in_one_frame_alone_shows_no_motion(name, noisy):
    frames = [grain(BLIND[name], 3 * (one == noisy), seed=1) for one in (0, 1)]
    assert trusted(*frames) < UNKNOWN


@pytest.mark.parametrize("size", [1, 2, 4, 8])
def test_coarse_grain_and_blocks_show_no_motion(size):
    assert trusted(*(grain(BLIND["even"], 2, seed=seed, size=size) for seed in (1, 2))) < UNKNOWN


def test_noise_of_each_channel_its_own_shows_no_motion():
    generator, levels = torch.Generator().manual_seed(0), torch.tensor([0.0, 1.0, 6.0]).view(1, 3, 1, 1) / 255
    assert trusted(*(0.5 + levels * torch.randn(1, 3, *SIZE, generator=generator) for _ in range(2))) < UNKNOWN


@pytest.mark.parametrize("size", [(2, 3), (16, 16), (16, 80), (33, 47)])
@pytest.mark.parametrize("noise", [0, 2])
def test_small_frames_show_no_more(size, noise):
    even = torch.full((1, 3, *size), 0.5)
    assert trusted(grain(even, noise, seed=1), grain(even, noise, seed=2)) < UNKNOWN


@pytest.mark.parametrize(
    ("shift", "contrast", "noise", "least"),
    [
        ((0, 0), 1.0, 0, 0.85),
        ((0, 0), 0.1, 0, 0.85),
        ((0, 0), 0.1, 1, 0.7),
        ((3, -2), 1.0, 2, 0.7),
        ((3, -2), 1.0, 6, 0.55),
    ],
)
def test_texture_is_not_taken_for_noise(shift, contrast, noise, least):
    a, b = ((waves(160, 192, moved) - 0.5) * contrast + 0.5 for moved in ((0, 0), shift))
    assert trusted(grain(a, noise, seed=1), grain(b, noise, seed=2)) > least


def test_grain_that_moves_along_is_texture():
    picture = grain(torch.full((1, 3, 160, 192), 0.5), 20, seed=1, size=4)
    assert trusted(picture, picture) > 0.85
    assert trusted(picture, picture.roll((1, 2), dims=(2, 3))) > 0.7
