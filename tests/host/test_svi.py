"""The level svi against its recipe, put together from the host's own parts."""

import pytest
import torch
from wan_motion_chunks.tests.host.video import keep, long_video, svi_recipe
from wan_motion_chunks.wan.settings import choose_settings

SEED, STEPS, CFG, SWITCH = 7, 4, 2.5, 2
TOTAL = 17 + 2 * 12


@pytest.fixture(scope="module")
def image():
    return torch.rand(1, 32, 48, 3, generator=torch.Generator().manual_seed(2))


@pytest.fixture
def run(tiny, image, conditioning, output):
    def call(picture=image, positive=conditioning[0], negative=conditioning[1], **changed):
        values = {"width": 48, "height": 32, "length": float(TOTAL), "steps": STEPS, "cfg": CFG, "run": keep()}
        values |= {"settings": choose_settings(continuity="svi")}
        return long_video(tiny, picture, positive, negative, "euler", "simple", **(values | changed))

    return call


@pytest.mark.parametrize("experts", [1, 2])
def test_every_chunk_is_what_the_recipe_makes(tiny, image, conditioning, run, finished, experts):
    from wan_motion_chunks.wan.host.noise import SECOND_EXPERT

    import nodes

    more = {"model_low_noise": tiny[0], "switch_step": SWITCH} if experts == 2 else {}
    frames, _, report, _ = run(**more)
    latents = [kept.read("latent")["latent"] for kept in finished[-1][1].kept]
    previous, video, node = None, [], nodes.KSamplerAdvanced()
    settings = (STEPS, CFG, "euler", "simple")
    for index, latent in enumerate(latents):
        graph, seed = (
            (*svi_recipe(tiny, conditioning, image, previous), {"samples": torch.zeros_like(latent)}),
            SEED + index,
        )
        if experts == 1:
            previous = nodes.common_ksampler(tiny[0], seed, *settings, *graph)[0]["samples"]
        else:
            (half,) = node.sample(tiny[0], "enable", seed, *settings, *graph, 0, SWITCH, "enable")
            second = (seed + SECOND_EXPERT) % 2**64
            last = node.sample(tiny[0], "disable", second, *settings, *graph[:2], half, SWITCH, 10000, "disable")
            previous = last[0]["samples"]
        assert torch.equal(latent, previous)
        video.append(tiny[2].decode(previous)[0][5 if index else 0 :])
    torch.testing.assert_close(frames, torch.cat(video), atol=5e-4, rtol=0)  # kept in half precision
    assert len(frames) == TOTAL
    assert "LoRA" in report
    assert [record.continuity.level for record in finished[-1][0].records[1:]] == ["svi", "svi"]


def test_a_cut_gives_the_later_chunks_its_own_picture(tiny, image, run, finished):
    text = "a red ball moves left"
    stack = [[text, "", 0, None], [text, "", 1, None]]
    from wan_motion_chunks.nodes import PromptStack

    (first,) = PromptStack.execute(text, "", 1.0, "chunks", 0.0, 0).args
    (stack,) = PromptStack.execute(text, "", 2.0, "chunks", 0.0, 0, prompt_stack=first, start_image=1 - image).args
    kept = []
    for picture in (image, 1 - image):
        run(picture, None, None, clip=tiny[1], prompt_stack=stack)
        kept.append([each.read("latent")["latent"] for each in finished[-1][1].kept])
    assert not torch.equal(kept[0][0], kept[1][0])
    assert torch.equal(kept[0][1], kept[1][1])
    assert torch.equal(kept[0][2], kept[1][2])


def test_another_anchor_is_another_video(image, run, finished):
    run()
    run(1 - image)
    assert finished[-1][1].reused == 0


@pytest.mark.parametrize("name", ["overlap_frames", "motion_weight", "mask_sigma", "step_gain", "blend_strength"])
def test_knobs_that_it_does_not_use_are_refused(comfy, name):
    with pytest.raises(ValueError, match=rf"^{name}: "):
        choose_settings(own={name: 0.5 if name != "overlap_frames" else 9}, continuity="svi")


def test_colors_that_it_does_not_match_are_not_asked_for(comfy):
    for method in ("mkl", "mean"):
        with pytest.raises(ValueError, match=r"^color_match: "):
            choose_settings(continuity="svi", color_match=method)
    for method in ("affine", "none"):  # as it is by default, and what it does
        assert choose_settings(continuity="svi", color_match=method).guide.color_match == method


@pytest.mark.parametrize(
    ("changed", "name"),
    [({"end_image": torch.zeros(1, 32, 48, 3)}, "end_image"), ({"picture": torch.zeros(5, 32, 48, 3)}, "start_image")],
    ids=["end", "several"],
)
def test_what_has_no_place_in_it_is_refused(run, finished, changed, name):
    with pytest.raises(ValueError, match=rf"^{name}: "):
        run(**changed)
