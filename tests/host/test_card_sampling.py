"""Models of full size under our guide and the host's sampler, on a pretended card."""

from dataclasses import replace

import pytest
import torch
from wan_motion_chunks.benchmarks.card_loop import Places, host_device
from wan_motion_chunks.benchmarks.card_sampling import Sampling, sample
from wan_motion_chunks.benchmarks.fake_card import CARD, record, replay

HOST = Places(host=CARD)
GUIDE_ON_CARD = Places(latents=CARD, given=CARD, host=CARD)
"""As with --gpu-only."""
I2V, A14B, VACE = "Wan2.1 I2V 14B", "Wan2.2 I2V A14B", "Wan2.1 VACE 14B"
SMALL, LARGE = (480, 832), (720, 1280)
SAMPLER_CALL = {1: 1, 2: 2}
"""Reads of ours by the number of experts: whether there is noise, and of the second whether it goes on from a level."""


def replayed(sampling, places, **changes):
    recording = record(sampling.prepare, sample, Places())
    with host_device(CARD):
        return replay(recording, replace(sampling, **changes).prepare, sample, places, scaled=True)


@pytest.mark.parametrize(
    ("product", "size", "places", "dtype"),
    [
        (I2V, SMALL, GUIDE_ON_CARD, torch.float16),
        (I2V, LARGE, HOST, torch.bfloat16),
        (A14B, LARGE, GUIDE_ON_CARD, torch.bfloat16),
        (VACE, SMALL, HOST, torch.float16),
    ],
)
def test_one_evaluation_of_a_large_model_has_the_shapes_of_its_guide(comfy, product, size, places, dtype):
    sampling = Sampling(product, steps=1, dtype=dtype)
    found = replayed(sampling, places, size=size, length=81, small=False)
    assert tuple(found.result.shape) == (1, 16, 21, size[0] // 8, size[1] // 8)
    assert found.result.dtype == torch.float32
    assert found.total().reads == SAMPLER_CALL[1]
    assert found.total().down == 0


@pytest.mark.parametrize(("product", "size"), [(A14B, SMALL), (VACE, LARGE)])
def test_two_large_experts_take_one_step_each(comfy, product, size):
    found = replayed(Sampling(product, switch=1), HOST, size=size, length=81, small=False)
    assert tuple(found.result.shape) == (1, 16, 21, size[0] // 8, size[1] // 8)
    assert found.total().reads == SAMPLER_CALL[2]


@pytest.mark.parametrize("places", [HOST, GUIDE_ON_CARD])
@pytest.mark.parametrize(
    ("experts", "stock", "sampler"), [(1, False, "dpmpp_2m"), (1, True, "euler"), (2, False, "euler")]
)
def test_no_sampling_step_waits_for_the_card(comfy, places, experts, stock, sampler):
    """Twin runs of 4 and 8 steps read and copy the same; what is launched in a step is launched in each."""
    few, many = (
        replayed(Sampling(A14B, steps, 6.0, steps // 2 * (experts - 1), sampler, stock=stock), places)
        for steps in (4, 8)
    )
    assert few.total().reads == many.total().reads == SAMPLER_CALL[experts]
    assert few.total().down == many.total().down == 0
    assert few.total().up == many.total().up
    assert (many.total().launches - few.total().launches) % 4 == 0
    assert (many.total().launches - few.total().launches) // 4 <= 10
