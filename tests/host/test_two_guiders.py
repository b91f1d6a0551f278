"""Two guiders, each with its own model, sampler and noise levels, against two stock samplers in a row."""

import pytest
import torch
from wan_motion_chunks.tests.host.video import custom_video, guiders
from wan_motion_chunks.wan.settings import choose_settings

SEED, STEPS, SWITCH = 7, 6, 3


@pytest.fixture(scope="module")
def image():
    return torch.rand(1, 32, 48, 3, generator=torch.Generator().manual_seed(4))


@pytest.fixture(scope="module")
def other(tiny):
    """A second model of the same form."""
    model = tiny[0].clone()
    key = next(name for name in model.model_state_dict() if name.endswith("blocks.0.self_attn.v.weight"))
    model.add_patches({key: ("diff", (torch.full(model.model_state_dict()[key].shape, 1e-2),))}, 1.0)
    return model


@pytest.fixture
def parts(tiny, other, conditioning):
    """Guider, sampler and noise levels of each expert, of other numbers."""
    import comfy.samplers

    sigmas = comfy.samplers.KSampler(tiny[0], STEPS, "cpu", "euler", "simple").sigmas
    high, low = (guiders(model, conditioning)["cfg"] for model in (tiny[0], other))
    high.set_cfg(2.5)
    low.set_cfg(1.0)
    names = ("euler", "dpmpp_2m")
    levels = (sigmas[: SWITCH + 1], sigmas[SWITCH:])
    return [
        (guider, comfy.samplers.sampler_object(name), part)
        for guider, name, part in zip((high, low), names, levels, strict=True)
    ]


def both(parts):
    (guider, sampler, sigmas), (low, low_sampler, low_sigmas) = parts
    more = {"guider_low_noise": low, "sampler_low_noise": low_sampler, "sigmas_low_noise": low_sigmas}
    return (guider, sampler, sigmas), more


def test_two_guiders_equal_two_stock_samplers_bit_for_bit(tiny, image, conditioning, parts):
    from comfy_extras.nodes_custom_sampler import Noise_EmptyNoise, Noise_RandomNoise, SamplerCustomAdvanced
    from comfy_extras.nodes_wan import WanImageToVideo
    from wan_motion_chunks.wan.host.noise import SECOND_EXPERT

    *graph, latent = WanImageToVideo.execute(*conditioning, tiny[2], 48, 32, 17, 1, start_image=image).args
    noise = [Noise_RandomNoise(SEED), Noise_EmptyNoise()]
    noise[1].seed = (SEED + SECOND_EXPERT) % 2**64
    for (guider, sampler, sigmas), own in zip(parts, noise, strict=True):
        stock = guiders(guider.model_patcher, graph)["cfg"]
        stock.set_cfg(guider.cfg)
        latent = SamplerCustomAdvanced.execute(own, stock, sampler, sigmas, latent).args[0]
    first, more = both(parts)
    _, ours, report, _ = custom_video(tiny, image, *first, **more)
    assert torch.equal(ours["samples"], latent["samples"])
    assert f" {SWITCH} of {STEPS} " in report


@pytest.mark.parametrize("level", ["overlap_pinned", "motion"])
def test_what_is_held_stays_through_both(tiny, image, parts, finished, level):
    first, more = both(parts)
    settings = choose_settings(own={"overlap_frames": 8}, continuity=level)
    custom_video(tiny, image, *first, **more, length=25.0, settings=settings)
    one, two = (kept.read("latent")["latent"] for kept in finished[-1][1].kept if kept.path is not None)
    torch.testing.assert_close(two[:, :, 1:3], one[:, :, -2:], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("change", ["cfg", "sampler", "sigmas"])
def test_another_second_expert_makes_another_video(tiny, image, parts, finished, change):
    import comfy.samplers

    first, more = both(parts)
    custom_video(tiny, image, *first, **more)
    if change == "cfg":
        more["guider_low_noise"].set_cfg(1.5)
    elif change == "sampler":
        more["sampler_low_noise"] = comfy.samplers.sampler_object("euler")
    else:
        more["sigmas_low_noise"] = torch.cat((more["sigmas_low_noise"][:1], more["sigmas_low_noise"][2:]))
    custom_video(tiny, image, *first, **more)
    assert finished[-1][1].reused == 0


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"guider_low_noise": None}, "sigmas_low_noise"),
        ({"guider_low_noise": None, "sigmas_low_noise": None}, "sampler_low_noise"),
        ({"sigmas_low_noise": None}, "guider_low_noise"),
        ({"sigmas_low_noise": torch.tensor([0.5, 0.0])}, "sigmas_low_noise"),
        ({"sigmas_low_noise": torch.tensor([0.5])}, "sigmas_low_noise"),
    ],
    ids=str,
)
def test_parts_that_do_not_fit_are_refused(tiny, image, parts, change, name):
    first, more = both(parts)
    with pytest.raises(ValueError, match=rf"^{name}: "):
        custom_video(tiny, image, *first, **(more | change))
