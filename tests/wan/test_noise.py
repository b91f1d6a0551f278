import re

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from wan_motion_chunks.wan.noise import MAX_SEED, POLICIES, absolute_noise, chunk_seed
from wan_motion_chunks.wan.numbers import parse_numbers

SAMPLES = torch.zeros(1, 16, 5, 8, 8)


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, MAX_SEED), first=st.integers(0, 500), shared=st.integers(1, 4))
def test_chunks_see_the_same_noise_at_the_same_moment(seed, first, shared):
    before, after = absolute_noise(SAMPLES, seed, first), absolute_noise(SAMPLES, seed, first + 5 - shared)
    assert torch.equal(before[:, :, -shared:], after[:, :, :shared])


def test_other_moments_and_other_seeds_have_other_noise():
    noise = torch.cat([absolute_noise(SAMPLES, seed, 0) for seed in range(4)])
    frames = noise.transpose(1, 2).flatten(0, 1).flatten(1)  # (20, n)
    alike = torch.corrcoef(frames) - torch.eye(len(frames))
    assert alike.abs().max() < 0.15
    assert noise.mean().abs() < 0.02
    assert noise.std() == pytest.approx(1, abs=0.02)


def test_a_policy_says_whether_the_seed_counts_on():
    assert [chunk_seed(7, index, "per_chunk") for index in range(3)] == [7, 8, 9]
    assert [chunk_seed(7, index, "fixed") for index in range(3)] == [7, 7, 7]
    assert chunk_seed(MAX_SEED, 1, "per_chunk") == 0
    assert POLICIES[0] == "per_chunk"


def test_named_seeds_are_taken_in_turn_and_counted_on():
    seeds = parse_numbers("seed_list", "7, 42\n 7")
    assert [chunk_seed(0, index, "list", seeds) for index in range(5)] == [7, 42, 7, 8, 9]
    assert parse_numbers("seed_list", " ") == ()


@pytest.mark.parametrize("text", ["7, x", "-1", "1.5", str(MAX_SEED + 1), "²"])
def test_what_is_no_seed_is_refused(text):
    wrong = text.split()[-1]
    with pytest.raises(ValueError, match=rf"^seed_list: .*{MAX_SEED} .*{re.escape(repr(wrong))}"):
        parse_numbers("seed_list", text)
