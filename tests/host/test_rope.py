"""The host's rotary embedding with one frequency slowed."""

import math

import pytest
import torch


def rotations(model, latents):
    """``(N, D / 2, 2, 2)`` at one place, over time."""
    ids = torch.zeros(1, latents, 3)
    ids[0, :, 0] = torch.arange(latents)
    return model.get_model_object("diffusion_model.rope_embedder")(ids)[0, 0]


def test_one_frequency_does_not_repeat_and_the_others_are_the_models(tiny):
    from wan_motion_chunks.wan.rope import slow_rope

    model = tiny[0]
    slowed = slow_rope(model, 4, 121)
    own, slow = rotations(model, 31), rotations(slowed, 31)
    others = [index for index in range(own.shape[1]) if index != 3]
    assert torch.equal(slow[:, others], own[:, others])
    angle = torch.atan2(slow[:, 3, 1, 0], slow[:, 3, 0, 0])
    turned = angle.diff().remainder(2 * math.pi).sum().item()
    assert turned == pytest.approx(0.9 * 2 * math.pi * 30 / 31, abs=1e-4)
    assert torch.equal(rotations(model, 31), own)  # the loaded model is left as it is


def test_it_reaches_the_sampler_and_leaves_no_trace(tiny):
    import comfy.sample
    from wan_motion_chunks.wan.rope import slow_rope

    model, clip, _ = tiny
    words = clip.encode_from_tokens_scheduled(clip.tokenize("a red ball"))
    image, mask = torch.zeros(1, 16, 22, 2, 2), torch.ones(1, 4, 22, 2, 2)
    words = [[words[0][0], {**words[0][1], "concat_latent_image": image, "concat_mask": mask}]]

    def sample(model):
        start = torch.zeros(1, 16, 22, 2, 2)
        noise = comfy.sample.prepare_noise(start, 0)
        return comfy.sample.sample(model, noise, 2, 1.0, "euler", "simple", words, words, start, seed=0)

    before, slowed, after = sample(model), sample(slow_rope(model, 2, 85)), sample(model)
    assert torch.equal(before, after)
    assert not torch.equal(before, slowed)


def test_chunks_of_a_trained_length_are_left_alone(tiny):
    from wan_motion_chunks.wan.rope import slow_rope

    assert slow_rope(tiny[0], 6, 81) is tiny[0]


@pytest.mark.parametrize(
    ("component", "frames", "says"), [(0, 121, "component"), (23, 121, "component"), (6, 120, "4n")]
)
def test_what_does_not_exist_is_refused(tiny, component, frames, says):
    from wan_motion_chunks.wan.rope import slow_rope

    with pytest.raises(ValueError, match=says):
        slow_rope(tiny[0], component, frames)
