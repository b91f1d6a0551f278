"""Prompts that differ in more than their words, mixed while one takes over from the other."""

import pytest
import torch

SHARE = 0.25


@pytest.fixture(scope="module")
def encoded(tiny):
    clip = tiny[1]
    words = ("a red ball moves left fast", "a blue ball moves right fast")
    return [clip.encode_from_tokens_scheduled(clip.tokenize(text)) for text in words]


@pytest.fixture(scope="module")
def predict(tiny):
    """What the model predicts from noise for a conditioning, in the host's sampler: one step of Euler ends there."""
    import comfy.sample

    known = {"concat_latent_image": torch.zeros(1, 16, 3, 4, 4), "concat_mask": torch.ones(1, 4, 3, 4, 4)}

    def run(conditioning):
        told = [[tokens, {**options, **known}] for tokens, options in conditioning]
        start = torch.zeros(1, 16, 3, 4, 4)
        noise = comfy.sample.prepare_noise(start, 0)
        return comfy.sample.sample(tiny[0], noise, 1, 1.0, "euler", "simple", told, told, start, seed=0)

    return run


def with_options(conditioning, **options):
    return [[tokens, {**own, **options}] for tokens, own in conditioning]


def test_predictions_are_averaged_where_options_differ(encoded, predict):
    from wan_motion_chunks.wan.host.encoding import mix_conditioning

    mask = torch.zeros(1, 32, 32)
    mask[..., 16:] = 1
    before, after = encoded[0], with_options(encoded[1], mask=mask, set_area_to_bounds=False, mask_strength=1.0)
    mixed = mix_conditioning([(before, 1 - SHARE), (after, SHARE)])
    found, old, new = predict(mixed), predict(before), predict(encoded[1])
    assert not torch.allclose(old, new)
    torch.testing.assert_close(found[..., 2:], ((1 - SHARE) * old + SHARE * new)[..., 2:], rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(found[..., :2], old[..., :2], rtol=1e-3, atol=1e-4)


def test_a_strength_of_its_own_counts(encoded, predict):
    from wan_motion_chunks.wan.host.encoding import mix_conditioning

    mixed = mix_conditioning([(encoded[0], 1 - SHARE), (with_options(encoded[1], strength=3.0), SHARE)])
    old, new = predict(encoded[0]), predict(encoded[1])
    torch.testing.assert_close(predict(mixed), (old + new) / 2, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(
    "options",
    [
        ({"area": (4, 4, 0, 0)}, {"area": (4, 2, 0, 2)}),
        ({}, {"start_percent": 0.0, "end_percent": 0.5}),
        ({"mask": torch.ones(1, 4, 4)}, {"mask": torch.zeros(1, 4, 4)}),
        ({"hooks": object()}, {"hooks": object()}),
    ],
)
def test_what_differs_is_taken_from_neither_at_once(encoded, options):
    from wan_motion_chunks.wan.host.encoding import mix_conditioning

    parts = [
        (with_options(text, **own), share) for text, own, share in zip(encoded, options, (0.75, 0.25), strict=True)
    ]
    before = [dict(conditioning[0][1]) for conditioning, _ in parts]
    mixed = mix_conditioning(parts)
    assert [item[1]["strength"] for item in mixed] == [0.75, 0.25]
    for item, text, own in zip(mixed, encoded, options, strict=True):
        assert item[0] is text[0][0]
        assert all(item[1][name] is value for name, value in own.items())
    assert [conditioning[0][1].keys() for conditioning, _ in parts] == [each.keys() for each in before]


def test_what_is_the_same_stays_one(encoded):
    from wan_motion_chunks.wan.host.encoding import mix_conditioning

    options = [{"mask": torch.ones(1, 4, 4), "start_percent": 0.25, "nested": {"a": [1, 2.0]}} for _ in encoded]
    parts = [(with_options(text, **own), 0.5) for text, own in zip(encoded, options, strict=True)]
    (item,) = mix_conditioning(parts)
    assert "strength" not in item[1]
    torch.testing.assert_close(item[0], (encoded[0][0][0] + encoded[1][0][0]) / 2)
