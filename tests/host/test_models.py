"""The other models of Wan's family that the loop drives, made from the tiny one, against the stock graph."""

import pytest
import torch
from wan_motion_chunks.tests.host.video import CFG, SEED, SIZE, custom_video, guiders, long_video
from wan_motion_chunks.tests.reports import read_report
from wan_motion_chunks.wan.settings import choose_settings

STEPS, SWITCH = 5, 2


@pytest.fixture(scope="module")
def weights(comfy):
    import comfy.utils
    from wan_motion_chunks.tiny import TRANSFORMER

    return comfy.utils.load_torch_file(str(TRANSFORMER))


@pytest.fixture(scope="module")
def experts(comfy, weights):
    """Two models of Wan2.2's kind: without CLIP vision, and not the same."""
    import comfy.sd

    plain = {name: weight for name, weight in weights.items() if ".img_emb." not in f".{name}"}
    plain = {name: weight for name, weight in plain.items() if "k_img" not in name and "v_img" not in name}
    other = {name: 0.9 * weight if name.startswith("head.") else weight for name, weight in plain.items()}
    return [comfy.sd.load_diffusion_model_state_dict(dict(each)) for each in (plain, other)]


@pytest.fixture(scope="module")
def image():
    return torch.rand(2, 40, 56, 3, generator=torch.Generator().manual_seed(1))


def two_samplers(models, graph, switch=SWITCH, cfgs=(CFG, CFG)):
    """What two KSamplerAdvanced make, the first of which hands on its leftover noise."""
    import nodes

    node = nodes.KSamplerAdvanced()
    high, low = ((STEPS, cfg, "euler", "simple") for cfg in cfgs)
    (first,) = node.sample(models[0], "enable", SEED, *high, *graph, 0, switch, "enable")
    (second,) = node.sample(models[1], "disable", SEED, *low, *graph[:2], first, switch, 10000, "disable")
    return second["samples"]


def run(tiny, image, conditioning, model, **changed):
    values = SIZE | {"steps": STEPS, "cfg": CFG} | changed
    return long_video((model, *tiny[1:]), image[:1], *conditioning, "euler", "simple", **values)


def test_two_experts_equal_two_advanced_samplers_bit_for_bit(tiny, experts, image, conditioning):
    from comfy_extras.nodes_wan import WanImageToVideo

    graph = WanImageToVideo.execute(*conditioning, tiny[2], 48, 32, 17, 1, start_image=image[:1]).args
    expected = two_samplers(experts, graph)
    _, latent, report, _ = run(tiny, image, conditioning, experts[0], model_low_noise=experts[1], switch_step=SWITCH)
    assert torch.equal(latent["samples"], expected)
    assert any("model_low_noise" in detail for detail in read_report(report).details)
    assert f" {SWITCH} of {STEPS}" in report
    alone, _, _, _ = run(tiny, image, conditioning, experts[0])
    assert not torch.equal(alone, tiny[2].decode(expected)[0])


@pytest.mark.parametrize("cfgs", [(CFG, 1.0), (1.0, CFG)])
def test_each_expert_has_its_own_cfg(tiny, experts, image, conditioning, cfgs):
    from comfy_extras.nodes_wan import WanImageToVideo

    graph = WanImageToVideo.execute(*conditioning, tiny[2], 48, 32, 17, 1, start_image=image[:1]).args
    values = {"model_low_noise": experts[1], "switch_step": SWITCH, "cfg": cfgs[0], "cfg_low_noise": cfgs[1]}
    _, latent, report, _ = run(tiny, image, conditioning, experts[0], **values)
    assert torch.equal(latent["samples"], two_samplers(experts, graph, cfgs=cfgs))
    assert all(f"cfg {cfg:g}" in report for cfg in cfgs)
    with pytest.raises(ValueError, match=r"^cfg_low_noise must be"):
        run(tiny, image, conditioning, experts[0], **values | {"cfg_low_noise": float("nan")})


def test_the_boundary_is_a_noise_level(tiny, experts, image, conditioning):
    import comfy.samplers

    sigmas = comfy.samplers.KSampler(experts[0], STEPS, "cpu", "euler", "simple").sigmas
    between = float(sigmas[2] + sigmas[3]) / 2
    by_step, _, _, _ = run(tiny, image, conditioning, experts[0], model_low_noise=experts[1], switch_step=3)
    by_level, _, report, _ = run(tiny, image, conditioning, experts[0], model_low_noise=experts[1], boundary=between)
    assert torch.equal(by_step, by_level)
    assert f" 3 of {STEPS}" in report


@pytest.mark.parametrize("level", ["overlap_pinned", "motion"])
def test_later_chunks_of_two_experts_equal_two_samplers_around_the_split_nodes(
    tiny, experts, image, conditioning, finished, level
):
    from wan_motion_chunks.nodes import FinishChunk, GuideNextChunk, PlanVideo
    from wan_motion_chunks.wan.host.by_step import guide_by_step

    settings = choose_settings(own={"overlap_frames": 8}, continuity=level)
    whole, _, _, _ = run(
        tiny,
        image,
        conditioning,
        experts[0],
        model_low_noise=experts[1],
        switch_step=SWITCH,
        length=25.0,
        settings=settings,
        noise="fixed",
    )
    assert finished[-1][0].records[1].continuity.level in ("overlap_pinned", "motion")
    state = PlanVideo.execute(48, 32, 25.0, "frames", 16.0, 17, image[:1], settings=settings).args[0]
    for _ in range(2):
        state, *graph, high = GuideNextChunk.execute(state, tiny[2], *conditioning, model=experts[0]).args
        low = guide_by_step(experts[1], state.guide)
        state, _, _ = FinishChunk.execute(state, {"samples": two_samplers((high, low), graph)}, tiny[2]).args
    assert torch.equal(state.video.movedim(1, -1), whole)


def test_what_is_pinned_stays_through_both_experts(tiny, experts, image, conditioning):
    from wan_motion_chunks.tests.host.samplers import ksampler
    from wan_motion_chunks.wan import ChunkState, GuideSettings, finish_chunk, guide_state, plan_chunks

    sampler = ksampler(experts[0], tuple(conditioning), 1, steps=STEPS, low_noise=experts[1], switch_step=2)
    start = image[:1, :32, :48].movedim(-1, 1)
    plan = plan_chunks(25, chunk_frames=17, overlap_frames=9)
    state = ChunkState(plan, start, GuideSettings(continuity="overlap_pinned"))
    for _ in range(2):
        state = guide_state(state, tiny[2])
        guide = state.guide
        state = finish_chunk(state, sampler(guide), tiny[2])
    torch.testing.assert_close(state.latent[:, :, :3], guide.samples[:, :, :3], rtol=1e-4, atol=1e-4)


def test_experts_of_different_kinds_are_refused(tiny, experts, image, conditioning):
    with pytest.raises(ValueError, match=r"^model_low_noise: .*model"):
        run(tiny, image, conditioning, experts[0], model_low_noise=tiny[0])


def flf(weights):
    """The tiny model with a place for a second picture, as Wan2.1 FLF2V has it."""
    import comfy.sd

    changed = dict(weights)
    prefix = next(name.removesuffix("img_emb.proj.0.bias") for name in weights if name.endswith("img_emb.proj.0.bias"))
    changed[f"{prefix}img_emb.emb_pos"] = torch.zeros(1, 514, 1280)
    return comfy.sd.load_diffusion_model_state_dict(changed)


@pytest.mark.parametrize("kind", ["flf", "wan22", "fun inp"])
def test_an_end_image_equals_the_stock_graph_bit_for_bit(tiny, weights, experts, image, conditioning, kind):
    from comfy_extras.nodes_wan import WanFirstLastFrameToVideo, WanFunInpaintToVideo

    import nodes

    # The file of Wan2.1 Fun InP is of the form of plain Wan2.1 I2V's.
    model = {"flf": flf(weights), "wan22": experts[0], "fun inp": tiny[0]}[kind]
    stock = WanFunInpaintToVideo if kind == "fun inp" else WanFirstLastFrameToVideo
    graph = stock.execute(*conditioning, tiny[2], 48, 32, 17, 1, start_image=image[:1], end_image=image[1:]).args
    expected = nodes.common_ksampler(model, SEED, STEPS, CFG, "euler", "simple", *graph)[0]["samples"]
    _, latent, _, _ = run(tiny, image, conditioning, model, end_image=image[1:])
    assert torch.equal(latent["samples"], expected)


def test_the_end_image_changes_the_last_chunk_only(tiny, experts, image, conditioning):
    plain, _, _, _ = run(tiny, image, conditioning, experts[0], length=25.0)
    ended, _, _, _ = run(tiny, image, conditioning, experts[0], length=25.0, end_image=image[1:])
    assert torch.equal(ended[:17], plain[:17])
    assert not torch.equal(ended[17:], plain[17:])


@pytest.fixture(scope="module")
def custom(tiny):
    import comfy.samplers
    from comfy_extras.nodes_custom_sampler import BasicScheduler

    sampler = comfy.samplers.sampler_object("dpmpp_2m")
    sigmas = BasicScheduler.execute(tiny[0], "simple", 4, 1.0).args[0]
    return sampler, sigmas


@pytest.mark.parametrize("kind", ["basic", "cfg"])
def test_custom_sampling_equals_the_stock_graph_bit_for_bit(tiny, image, conditioning, custom, kind):
    from comfy_extras.nodes_custom_sampler import Noise_RandomNoise, SamplerCustomAdvanced
    from comfy_extras.nodes_wan import WanImageToVideo

    *graph, latent = WanImageToVideo.execute(*conditioning, tiny[2], 48, 32, 17, 1, start_image=image[:1]).args
    stock = guiders(tiny[0], graph)[kind]
    expected = SamplerCustomAdvanced.execute(Noise_RandomNoise(SEED), stock, *custom, latent).args[0]["samples"]
    guider = guiders(tiny[0], conditioning)[kind]
    _, ours, _, _ = custom_video(tiny, image, guider, *custom)
    assert torch.equal(ours["samples"], expected)
    assert all("concat_mask" not in part for conds in guider.original_conds.values() for part in conds)


def test_custom_sampling_follows_motion_and_a_stack(tiny, image, conditioning, custom, finished):
    guider = guiders(tiny[0], conditioning)["cfg"]
    plain, _, _, _ = custom_video(tiny, image, guider, *custom, length=25.0)
    stack = [["a red ball moves left", "", 0, None], ["a blue ball moves up", "", 1, None]]
    changed, _, _, _ = custom_video(tiny, image, guider, *custom, length=25.0, prompt_stack=stack, clip=tiny[1])
    assert torch.equal(changed[:8], plain[:8])
    assert not torch.equal(changed[17:], plain[17:])
    alone, stacked = (state.records[1] for state, _ in finished)
    assert (alone.added, alone.prompt) == (8, None)
    assert (stacked.added, stacked.prompt.shares) == (8, ((1, 1.0),))
    assert alone.continuity.level == stacked.continuity.level


def test_custom_sampling_equals_long_video(tiny, image, conditioning):
    import comfy.samplers

    sampler = comfy.samplers.sampler_object("euler")
    sigmas = comfy.samplers.KSampler(tiny[0], STEPS, "cpu", "euler", "simple").sigmas
    guider = guiders(tiny[0], conditioning)["cfg"]
    ours, _, _, _ = custom_video(tiny, image, guider, sampler, sigmas, length=25.0)
    expected, _, _, _ = run(tiny, image, conditioning, tiny[0], length=25.0)
    assert torch.equal(ours, expected)


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        (lambda sigmas: sigmas[:3], "end at"),  # high_sigmas of SplitSigmas
        (lambda sigmas: sigmas[2:], "start at"),  # low_sigmas
        (lambda sigmas: sigmas.flip(0), "fall"),  # FlipSigmas
        (lambda sigmas: sigmas * float("nan"), "fall"),
        (lambda sigmas: sigmas[:1], "two or more"),
    ],
)
def test_sigmas_that_are_no_whole_schedule_are_refused(tiny, image, conditioning, custom, change, wanted):
    sampler, sigmas = custom
    with pytest.raises(ValueError, match=f"^sigmas: .*{wanted}"):
        custom_video(tiny, image, guiders(tiny[0], conditioning)["cfg"], sampler, change(sigmas))


def test_every_scheduler_of_the_host_is_a_whole_schedule(tiny, conditioning):
    import comfy.samplers
    from wan_motion_chunks.wan.host.guider import Part

    guider = guiders(tiny[0], conditioning)["cfg"]
    for name in comfy.samplers.KSampler.SCHEDULERS:
        for steps in (4, 20):
            sigmas = comfy.samplers.KSampler(tiny[0], steps, "cpu", "euler", name).sigmas
            if sigmas[0] > 0.95:  # ddim_uniform of few steps begins lower
                Part(guider, None, sigmas).check("sigmas")


def test_experts_of_different_shift_are_warned_of(tiny, experts, image, conditioning, finished):
    from comfy_extras.nodes_model_advanced import ModelSamplingSD3

    shifted = ModelSamplingSD3().patch(experts[1], 3.0)[0]
    for low in (experts[1], shifted):
        run(tiny, image, conditioning, experts[0], model_low_noise=low, switch_step=SWITCH)
    warned = [any("model_low_noise" in warning for warning in state.warnings) for state, _ in finished]
    assert warned == [False, True]
    assert "ModelSamplingSD3" in finished[1][0].warnings[-1]


def test_nan_from_the_sampler_is_not_blamed_on_the_vae(tiny, image, conditioning):
    broken = tiny[0].clone()
    broken.set_model_unet_function_wrapper(lambda apply_model, arguments: arguments["input"] * float("nan"))
    with pytest.raises(ValueError, match=r"^model: .*NaN"):
        run(tiny, image, conditioning, broken)
