import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from wan_motion_chunks.wan.latents import (
    check_size,
    covering_length,
    frame_length,
    known_rows,
    latent_length,
    nearest_length,
)


@pytest.mark.parametrize(("frames", "latents"), [(1, 1), (5, 2), (9, 3), (17, 5), (77, 20), (81, 21)])
def test_frames_and_latents_convert_by_the_table(frames, latents):
    assert latent_length(frames) == latents
    assert frame_length(latents) == frames


@given(st.integers(1, 10_000))
def test_frame_length_and_latent_length_are_inverse(latents):
    assert latent_length(frame_length(latents)) == latents


@pytest.mark.parametrize(("frames", "nearest"), [(80, 81), (16, 17), (6, 5), (7, 9), (0, 1), (-3, 1), (79, 81)])
def test_a_length_off_the_grid_is_refused_with_the_nearest(frames, nearest):
    with pytest.raises(ValueError, match=f"got {frames};.* {nearest}"):
        latent_length(frames)


@given(st.integers(1, 10_000))
def test_covering_length_is_the_smallest_on_the_grid_that_is_long_enough(frames):
    covering = covering_length(frames)
    assert covering % 4 == 1
    assert 0 <= covering - frames < 4


@given(st.integers(1, 10_000))
def test_nearest_length_is_at_most_two_away(frames):
    assert nearest_length(frames) % 4 == 1
    assert abs(nearest_length(frames) - frames) <= 2


@pytest.mark.parametrize(("asked", "overlap"), [(8, 9), (16, 17), (24, 25), (1, 1), (2, 5), (5, 5)])
def test_the_seeds_overlaps_become_the_next_on_the_grid(asked, overlap):
    assert covering_length(asked) == overlap


@pytest.mark.parametrize("known", range(18))
def test_known_rows_follow_the_hosts_own_layout(known):
    # WanFirstLastFrameToVideo: mask[:, :, :start + 3] = 0, then view(1, T, 4, h, w).transpose(1, 2)
    reference = torch.ones(1, 1, 5 * 4, 2, 3)
    if known:
        reference[:, :, : known + 3] = 0.0
    reference = reference.view(1, 5, 4, 2, 3).transpose(1, 2)
    torch.testing.assert_close(known_rows(known, 17, 2, 3), reference, rtol=0, atol=0)


@given(st.integers(0, 20))
def test_whole_latents_are_known_for_overlaps_on_the_grid(k):
    mask = known_rows(4 * k + 1, 81, 1, 1)
    assert mask[:, :, : k + 1].sum() == 0
    assert (mask[:, :, k + 1 :] == 1).all()


@pytest.mark.parametrize(("pixels", "nearest"), [(8, 16), (72, 64), (0, 16), (-16, 16), (90, 96)])
def test_a_size_off_the_grid_is_refused_with_the_nearest(pixels, nearest):
    with pytest.raises(ValueError, match=f"^width .*16, got {pixels};.* {nearest}"):
        check_size("width", pixels)


def test_more_known_frames_than_the_chunk_has_are_refused():
    with pytest.raises(ValueError, match=r"17 .* 0 to 17 .*got 18"):
        known_rows(18, 17, 1, 1)
