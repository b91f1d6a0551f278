"""Motion guidance inside the host's own samplers, and the nodes around it."""

import pytest
import torch
from wan_motion_chunks.tests.host.video import options
from wan_motion_chunks.tiny.scenes import draw_scenes
from wan_motion_chunks.wan import GuideSettings, guide_next_chunk
from wan_motion_chunks.wan.records import Reason

STEPS = 5


@pytest.fixture(scope="module")
def clip():
    """Nine frames of a sprite that moves, ``(9, 3, 64, 64)``."""
    generator = torch.Generator().manual_seed(4)
    return draw_scenes(1, 9, generator, turn=0.0, two_sprites=0.0, pan=0.0, say_motion=0.0).frames[0]


@pytest.fixture(scope="module")
def conditioning(tiny):
    clip_model = tiny[1]
    return clip_model.encode_from_tokens_scheduled(clip_model.tokenize("a red ball"))


def guide(tiny, clip, level="motion", weight=0.3):
    return guide_next_chunk(None, clip, 9, 0.8, weight, 0.35, 0.5, tiny[2], 1, 17, 64, 64, continuity=level)


def sample(model, conditioning, found, sampler_name="euler", scheduler="simple", steps=STEPS):
    from wan_motion_chunks.tests.host.samplers import ksampler

    return ksampler(model, conditioning, 3, steps=steps, sampler_name=sampler_name, scheduler=scheduler)(found)


def watched(model):
    """The model with a mask function of another pack, which only looks; and what it has seen."""
    seen, patched = [], model.clone()

    def watch(sigma, denoise_mask, extra_options):
        seen.append((sigma.max().item(), denoise_mask.clone()))
        return denoise_mask

    patched.set_model_denoise_mask_function(watch)
    return patched, seen


def test_the_scene_is_guided(tiny, clip):
    found = guide(tiny, clip)
    assert found.level == "motion"
    assert (found.end_percent[:, :, 3:] > 0).float().mean() > 0.3


def test_no_weight_is_pinned_bit_for_bit(tiny, clip, conditioning):
    pinned, found = guide(tiny, clip, "overlap_pinned"), guide(tiny, clip, weight=0.0)
    assert torch.equal(sample(tiny[0], conditioning, found), sample(tiny[0], conditioning, pinned))


def test_the_guide_changes_what_is_made(tiny, clip, conditioning):
    pinned, found = guide(tiny, clip, "overlap_pinned"), guide(tiny, clip)
    assert not torch.equal(sample(tiny[0], conditioning, found), sample(tiny[0], conditioning, pinned))


def test_a_step_holds_a_cell_or_frees_it_and_never_takes_it_back(tiny, clip, conditioning):
    model, seen = watched(tiny[0])
    found = guide(tiny, clip)
    sample(model, conditioning, found, steps=10)
    masks = torch.stack([mask for _, mask in seen])
    assert len(masks) == 10
    assert set(masks.unique().tolist()) == {0.0, 1.0}
    assert (masks.diff(dim=0) >= 0).all()
    held = (masks[:, :, 0] == 0).float().mean(dim=0)[0]
    assert (held[:3] == 1).all()
    assert ((held - found.end_percent[0, 0])[3:].abs() <= 0.1 + 1e-3).all()  # up to 0.8, two free steps, all are below


def test_a_mask_function_that_holds_more_is_heeded(tiny, clip, conditioning):
    patched = tiny[0].clone()
    patched.set_model_denoise_mask_function(lambda sigma, denoise_mask, extra_options: denoise_mask * 0)
    found = guide(tiny, clip)
    torch.testing.assert_close(sample(patched, conditioning, found), found.samples, rtol=1e-4, atol=1e-4)


def test_the_users_model_is_left_as_it_was(tiny, clip, conditioning):
    sample(tiny[0], conditioning, guide(tiny, clip))
    assert "denoise_mask_function" not in tiny[0].model_options


def test_every_sampler_of_the_host_follows_and_keeps_what_is_pinned_as_well_as_without(tiny, clip, conditioning):
    import comfy.samplers

    found, pinned = guide(tiny, clip), guide(tiny, clip, "overlap_pinned")
    kept = {}
    for name in comfy.samplers.KSampler.SAMPLERS:
        lost = []
        for one in (found, pinned):
            latent = sample(tiny[0], conditioning, one, name, steps=4)
            assert torch.isfinite(latent).all(), name
            lost.append((latent - one.samples)[:, :, :3].abs().max().item())
        kept[name] = lost[1] < 1e-3
        assert lost[0] < 1e-3 or not kept[name], f"{name}: {lost}"
    # Some of the host's are not made for flow matching (dpm_fast, dpm_adaptive) and pin nothing whoever asks.
    assert len(kept) > 30
    assert sum(not value for value in kept.values()) <= 4, [name for name, value in kept.items() if not value]


def test_every_scheduler_of_the_host_does(tiny, clip, conditioning):
    import comfy.samplers

    found = guide(tiny, clip)
    for name in comfy.samplers.KSampler.SCHEDULERS:
        assert torch.isfinite(sample(tiny[0], conditioning, found, scheduler=name)).all(), name


def test_two_stock_samplers_hold_what_two_experts_do(tiny, clip, conditioning):
    from wan_motion_chunks.tests.host.samplers import ksampler
    from wan_motion_chunks.wan.host.by_step import guide_by_step
    from wan_motion_chunks.wan.host.conditioning import apply_guide, latent_dict

    import nodes

    found = guide(tiny, clip)
    graph = apply_guide(conditioning, found)
    model, stock_masks = watched(tiny[0])
    model, latent = guide_by_step(model, found), latent_dict(found)
    for start, stop, noise, leftover in ((0, 4, "enable", "enable"), (4, 10000, "disable", "disable")):
        settings = (model, noise, 4, 10, 1.0, "euler", "simple", graph, graph, latent, start, stop, leftover)
        latent = nodes.KSamplerAdvanced().sample(*settings)[0]
    model, our_masks = watched(tiny[0])
    ours = ksampler(model, conditioning, 3, steps=10, low_noise=model, switch_step=4)(found)
    for (_, theirs), (_, own) in zip(stock_masks, our_masks, strict=True):
        assert torch.equal(theirs, own)
    free = [mask[:, :, 3:].min().item() for _, mask in our_masks]
    assert free == [0.0] * 3 + [0.5] + [1.0] * 6  # 7 of 10 steps by weight, but half of the first expert's last is free
    assert torch.equal(latent["samples"], ours)
    torch.testing.assert_close(ours[:, :, :3], found.samples[:, :, :3], rtol=1e-3, atol=1e-3)


def test_the_steps_follow_the_shift_that_the_sampler_runs_with(tiny, clip, conditioning):
    from comfy_extras.nodes_model_advanced import ModelSamplingSD3
    from wan_motion_chunks.wan.host.by_step import guide_by_step
    from wan_motion_chunks.wan.host.conditioning import apply_guide, latent_dict

    import nodes

    found = guide(tiny, clip)
    graph = apply_guide(conditioning, found)

    def masks(*order):
        model, seen = watched(tiny[0])
        for patch in order:
            model = patch(model)
        nodes.KSamplerAdvanced().sample(
            model, "enable", 3, 10, 1.0, "euler", "simple", graph, graph, latent_dict(found), 0, 8, "enable"
        )
        return torch.stack([mask for _, mask in seen])

    shift, follow = lambda model: ModelSamplingSD3().patch(model, 2.0)[0], lambda model: guide_by_step(model, found)
    assert torch.equal(masks(shift, follow), masks(follow, shift))


def test_without_our_model_the_latent_is_that_of_a_pinned_chunk(tiny, clip):
    from wan_motion_chunks.wan.host.conditioning import latent_dict

    found, pinned = latent_dict(guide(tiny, clip)), latent_dict(guide(tiny, clip, "overlap_pinned"))
    assert torch.equal(found["noise_mask"], pinned["noise_mask"])


def test_the_split_nodes_follow_motion_with_a_model_and_say_so_without(tiny, clip, conditioning, finished):
    from wan_motion_chunks.nodes import FinishChunk, GuideNextChunk, LongVideo, PlanVideo
    from wan_motion_chunks.wan.settings import choose_settings

    import nodes

    model, _, vae = tiny
    image = clip.movedim(1, -1)
    sizes = {
        "start_image": image,
        "width": 64,
        "height": 64,
        "length": 25.0,
        "length_unit": "frames",
        "chunk_frames": 17,
    }
    sizes |= {"fps": 16.0, "settings": choose_settings(own={"overlap_frames": 8}, continuity="motion")}
    whole, _, _, _ = LongVideo.execute(
        model,
        vae,
        **sizes,
        seed=3,
        steps=4,
        cfg=1.0,
        sampler_name="euler",
        scheduler="simple",
        prompt="",
        negative_prompt="",
        options=options(positive=conditioning, negative=conditioning),
    ).args
    assert finished[-1][0].records[1].continuity.level == "motion"
    for connected, level, reason in ((model, "motion", Reason.CHOSEN), (None, "overlap_pinned", Reason.NO_MODEL)):
        state, chunks, _ = PlanVideo.execute(**sizes).args
        for index in range(chunks):
            state, positive, negative, latent, patched = GuideNextChunk.execute(
                state, vae, conditioning, conditioning, model=connected
            ).args
            sampled = nodes.common_ksampler(
                patched or model, 3 + index, 4, 1.0, "euler", "simple", positive, negative, latent
            )[0]
            state, _, _ = FinishChunk.execute(state, sampled, vae).args
        assert state.settings == GuideSettings("motion")
        record = state.records[-1].continuity
        assert (record.level, record.reason) == (level, reason)
        assert torch.equal(state.video.movedim(1, -1), whole) == (level == "motion")
    assert Reason.NO_MODEL.value in state.report()


@pytest.mark.parametrize("noise", ["fixed", "absolute"])
def test_noise_policies_make_other_videos(tiny, clip, conditioning, noise):
    from wan_motion_chunks.tests.host.samplers import ksampler
    from wan_motion_chunks.wan import ChunkState, Tools, generate, plan_chunks
    from wan_motion_chunks.wan.host.noise import ChunkNoise

    def video(policy):
        sampler = ksampler(tiny[0], conditioning, ChunkNoise(3, policy), steps=3)
        plan = plan_chunks(25, chunk_frames=17, overlap_frames=9)
        return generate(ChunkState(plan, clip), Tools(tiny[2], sampler)).video

    assert not torch.equal(video(noise)[17:], video("per_chunk")[17:])


def test_an_unknown_noise_is_refused(comfy):
    from wan_motion_chunks.wan.host.noise import POLICIES, ChunkNoise

    with pytest.raises(ValueError, match=f"^noise .*{', '.join(POLICIES)}, got 'none'"):
        ChunkNoise(3, "none")
    with pytest.raises(ValueError, match=r"^seed_list: noise .*list"):
        ChunkNoise(3, "list")


def test_predict_motion_and_warp_latent(tiny, clip):
    from wan_motion_chunks.nodes.motion import PredictMotion, WarpLatent

    image = clip.movedim(1, -1)
    frames, confidence, motion, preview = PredictMotion.execute(image, 8, 0.5).args
    assert frames.shape == (8, 64, 64, 3)
    assert confidence.shape == (8, 64, 64)
    assert preview.shape == (1, 96, 128, 3)
    assert preview.min() >= 0
    assert preview.max() <= 1
    latent = {"samples": tiny[2].encode(image)}
    moved, trusted = WarpLatent.execute(latent, motion, 2).args
    assert moved["samples"].shape == (1, 16, 2, 8, 8)
    assert trusted.shape == (2, 8, 8)
    with pytest.raises(ValueError, match=r"^latents .*1 to 2, .*got 3"):
        WarpLatent.execute(latent, motion, 3)
    with pytest.raises(ValueError, match=r"^frames .*got 13"):
        PredictMotion.execute(image, 13, 0.5)
