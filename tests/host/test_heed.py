"""Guidance lets go, inside the host's samplers, where the model's first output shows the known frames.

The model makes the same clip of any input, so that its heed is known exactly.
"""

from dataclasses import replace

import pytest
import torch
from wan_motion_chunks.tiny.scenes import draw_scenes
from wan_motion_chunks.wan import ChunkState, GuideSettings, Tools, generate, guide_next_chunk, plan_chunks
from wan_motion_chunks.wan.heed import HIGH, LOW
from wan_motion_chunks.wan.records import Reason

STEPS = 10


@pytest.fixture(scope="module")
def clip():
    """Nine frames of a sprite that moves, ``(9, 3, 64, 64)``."""
    generator = torch.Generator().manual_seed(4)
    return draw_scenes(1, 9, generator, turn=0.0, two_sprites=0.0, pan=0.0, say_motion=0.0).frames[0]


@pytest.fixture(scope="module")
def guide(tiny, clip):
    def run(level):
        return guide_next_chunk(None, clip, 9, 0.8, 0.3, 0.35, 0.5, tiny[2], 1, 17, 64, 64, continuity=level)

    return run


def model_that_shows(tiny, found, heed):
    """A MODEL whose output has this heed in the first call of a run; and the noise masks of all its steps."""
    patched, masks = tiny[0].clone(), []
    known, rest = (tiny[0].model.process_latent_in(latent) for latent in (found.heed.known, found.heed.rest))
    shown = torch.zeros(1, 16, 5, 8, 8)
    shown[:, :, 2:3] = known + (1 - heed) ** 0.5 * (rest - known)

    def look(sigma, denoise_mask, extra_options):
        masks.append(denoise_mask.clone())
        return denoise_mask

    def denoise(apply_model, arguments):
        return shown.expand_as(arguments["input"])

    patched.set_model_unet_function_wrapper(denoise)
    patched.set_model_denoise_mask_function(look)
    return patched, masks


def guided_steps(masks):
    """In how many of the model's calls each cell behind the known ones is held."""
    return (1 - torch.stack(masks)[:, 0, 0, 3:]).sum(dim=0)


def sample(model, conditioning, found, **more):
    from wan_motion_chunks.tests.host.samplers import ksampler

    return ksampler(model, tuple(conditioning), 3, **{"steps": STEPS, **more})(found)


def test_guidance_lets_go_by_what_the_model_shows_and_motion_never_does(tiny, guide, conditioning):
    steps = {}
    for level in ("auto", "motion"):
        for heed in (0.2, (LOW + HIGH) / 2, 0.98):
            found = guide(level)
            model, masks = model_that_shows(tiny, found, heed)
            sample(model, conditioning, found)
            assert found.heed.read() == pytest.approx(heed, abs=1e-4)
            steps[level, heed > LOW, heed > HIGH] = guided_steps(masks)
    whole = steps["auto", False, False]
    for follows in ((False, False), (True, False), (True, True)):
        assert torch.equal(steps[("motion", *follows)], whole)
    assert whole.max() > 2
    assert torch.equal(steps["auto", True, True], (whole > 0).float())  # the first step is over when it is known
    half = (guide("auto").end_percent[0, 0, 3:] / 2 * STEPS - 1e-3).ceil()
    assert torch.equal(steps["auto", True, False], half)


@pytest.mark.parametrize("more", [{"cfg": 3.0}, {"sampler_name": "heun"}, {"sampler_name": "dpm_2"}, {"steps": 2}])
def test_the_first_call_tells_whatever_samples(tiny, guide, conditioning, more):
    found = guide("auto")
    model, _ = model_that_shows(tiny, found, 0.5)
    sample(model, conditioning, found, **more)
    assert found.heed.read() == pytest.approx(0.5, abs=1e-4)


def test_the_low_noise_expert_goes_by_what_the_other_showed(tiny, guide, conditioning):
    found = guide("auto")
    high, masks = model_that_shows(tiny, found, 0.98)
    low, others = model_that_shows(tiny, found, 0.1)
    sample(high, conditioning, found, low_noise=low, switch_step=4)
    assert found.heed.read() == pytest.approx(0.98, abs=1e-4)
    assert len(masks) == 4
    assert len(others) == 6
    assert (guided_steps([*masks, *others]) <= 1).all()


def test_custom_sampling_lets_go_too(tiny, guide, conditioning):
    from comfy_extras.nodes_custom_sampler import BasicScheduler, Guider_Basic, KSamplerSelect
    from wan_motion_chunks.wan.host.guider import GuiderSampler, Part
    from wan_motion_chunks.wan.host.inputs import ChunkInputs
    from wan_motion_chunks.wan.host.noise import ChunkNoise

    found = guide("auto")
    model, masks = model_that_shows(tiny, found, 0.98)
    guider = Guider_Basic(model)
    guider.set_conds(conditioning[0])
    sigmas = BasicScheduler.execute(model, "simple", STEPS, 1.0).args[0]
    part = Part(guider, KSamplerSelect.execute("euler").args[0], sigmas)
    GuiderSampler(part, ChunkNoise(3), ChunkInputs([]))(found)
    assert found.heed.read() == pytest.approx(0.98, abs=1e-4)
    assert guided_steps(masks).max() == 1


def test_the_split_nodes_let_go_too(tiny, guide, conditioning):
    from wan_motion_chunks.wan.host.by_step import guide_by_step
    from wan_motion_chunks.wan.host.conditioning import apply_guide, latent_dict

    import nodes

    found = guide("auto")
    model, masks = model_that_shows(tiny, found, 0.98)
    model, graph, latent = guide_by_step(model, found), apply_guide(conditioning[0], found), latent_dict(found)
    for start, stop, noise, leftover in ((0, 4, "enable", "enable"), (4, 10000, "disable", "disable")):
        settings = (model, noise, 4, STEPS, 1.0, "euler", "simple", graph, graph, latent, start, stop, leftover)
        latent = nodes.KSamplerAdvanced().sample(*settings)[0]
    assert found.heed.read() == pytest.approx(0.98, abs=1e-4)
    assert guided_steps(masks).max() == 1


def test_a_chunk_that_keeps_all_guidance_is_one_of_level_motion(tiny, guide, conditioning):
    found, told = guide("auto"), guide("motion")
    assert torch.equal(found.samples, told.samples)
    found = replace(found, heed=replace(found.heed, known=found.heed.rest))  # nothing moves, as far as it can tell
    made, expected = (sample(tiny[0], conditioning, each) for each in (found, told))
    assert torch.equal(made, expected)
    assert told.heed.read() > HIGH  # the tiny model follows
    assert not torch.equal(sample(tiny[0], conditioning, guide("auto")), expected)


def test_the_measure_is_that_of_the_model_alone_whatever_is_around_it(tiny, guide, conditioning):
    """EasyCache skips later calls, torch.compile wraps the network."""
    from comfy_api.torch_helpers import set_torch_compile_wrapper
    from comfy_extras.nodes_easycache import EasyCacheNode

    cached = EasyCacheNode.execute(tiny[0], 0.2, 0.15, 0.95, False).args[0]
    compiled = tiny[0].clone()
    set_torch_compile_wrapper(compiled, backend="eager")
    found = []
    for model in (tiny[0], cached, compiled):
        told = guide("auto")
        sample(model, conditioning, told)
        found.append(told.heed.read())
    assert found[1:] == pytest.approx(found[:1] * 2, abs=1e-4)


@pytest.mark.parametrize("level", ["auto", "motion", "overlap_pinned"])
def test_a_finished_chunk_says_what_was_measured(tiny, clip, conditioning, level):
    from wan_motion_chunks.tests.host.samplers import ksampler

    state = ChunkState(plan_chunks(25, chunk_frames=17, overlap_frames=9), clip, GuideSettings(level))
    made = generate(state, Tools(tiny[2], ksampler(tiny[0], tuple(conditioning), 3)))
    record = made.records[1].continuity
    assert (record.heed is not None) == (level != "overlap_pinned")
    assert record.heed is None or LOW < record.heed <= 1
    assert (record.reason is Reason.HIGHEST) == (level == "auto")


def test_a_still_clip_repeats_itself_after_a_few_latents(tiny, clip):
    from wan_motion_chunks.wan.levels.motion import clip_at_rest

    vae, frame = tiny[2], clip[:1]
    whole = vae.encode(frame.movedim(1, -1).expand(33, -1, -1, -1))
    moving = vae.encode(clip.movedim(1, -1))
    wrong = (clip_at_rest(frame, 9, vae) - whole).square().mean()
    assert wrong < 0.02 * (moving - whole[:, :, :3]).square().mean()
