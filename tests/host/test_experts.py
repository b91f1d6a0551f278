"""Two experts that are one model make what that model makes alone, and guided cells are freed, in every sampler.

The model is an exact denoiser of white noise of unit variance, whose pictures a statistic can tell apart.
"""

from dataclasses import replace

import pytest
import torch
from wan_motion_chunks.wan import ChunkGuide, ChunkRequest
from wan_motion_chunks.wan.records import ContinuityRecord, Reason

DRAWS = 16
RESTARTED = {("sa_solver", 6), ("sa_solver_pece", 6), ("ipndm_v", 6)}
"""Multistep solvers whose few steps per expert do not suffice to start anew: 0.09 and 0.29 off in deviation."""


@pytest.fixture(scope="module")
def model(tiny):
    """The exact denoiser as a MODEL of the host."""
    patched = tiny[0].clone()

    def denoise(apply_model, arguments):
        sigma, noisy = arguments["timestep"][:1].clamp(min=1e-4), arguments["input"]
        return (1 - sigma) * noisy / ((1 - sigma).square() + sigma.square())

    patched.set_model_unet_function_wrapper(denoise)
    return patched


@pytest.fixture(scope="module")
def conditioning(tiny):
    return tiny[1].encode_from_tokens_scheduled(tiny[1].tokenize(""))


def guide_of(level, samples, **held):
    conditioning = {"concat_latent_image": samples, "concat_mask": torch.ones(len(samples), 4, 5, 8, 8)}
    request = ChunkRequest(1, 17, torch.zeros(9, 3, 64, 64), (64, 64), continues=True)
    return ChunkGuide(request, ContinuityRecord(level, Reason.CHOSEN), conditioning, samples, **held)


def unguided(count=1):
    return guide_of("overlap", torch.zeros(count, 16, 5, 8, 8))


def guided(end_percent):
    """A chunk whose first three latents are pinned, and whose next two follow a guide for a share of the steps."""
    samples = torch.randn(1, 16, 5, 8, 8, generator=torch.Generator().manual_seed(5))
    mask = torch.ones(1, 1, 5, 8, 8)
    mask[:, :, :3] = 0
    whole = torch.zeros_like(mask)
    whole[:, :, 3:] = end_percent.repeat_interleave(2).view(1, 1, 1, 1, 8)
    return guide_of("motion", samples, noise_mask=mask, end_percent=whole)


def sampler(model, conditioning, name, scheduler, steps, switch=0, seed=0):
    from wan_motion_chunks.tests.host.samplers import ksampler

    low = {"low_noise": model, "switch_step": switch} if switch else {}
    return ksampler(model, conditioning, seed, steps=steps, sampler_name=name, scheduler=scheduler, **low)


def roughness(latent):
    """Deviation of the Laplacian."""
    kernel = torch.tensor([[0.0, 1, 0], [1, -4, 1], [0, 1, 0]]).view(1, 1, 3, 3)
    return torch.nn.functional.conv2d(latent.flatten(0, 2)[:, None], kernel).std().item()


@pytest.mark.parametrize("steps", [4, 6, 20])
def test_two_experts_that_are_one_model_make_what_it_makes_alone(model, conditioning, steps):
    import comfy.samplers

    off = {}
    for name in comfy.samplers.KSampler.SAMPLERS:
        alone, both = (
            sampler(model, conditioning, name, "simple", steps, switch)(unguided(DRAWS)) for switch in (0, steps // 2)
        )
        off[name] = max(both.std().item() / alone.std().item(), roughness(both) / roughness(alone)) - 1
        if name in ("euler", "ddim", "heun", "dpm_2"):  # one step knows nothing of another
            torch.testing.assert_close(both, alone, rtol=1e-4, atol=1e-4)
    wrong = {name: round(value, 3) for name, value in off.items() if abs(value) > 0.05}
    assert {(name, steps) for name in wrong} <= RESTARTED, wrong


def test_no_two_calls_of_a_run_draw_the_same_noise(model, conditioning, monkeypatch):
    """Neither the experts of a chunk, nor chunks but by the policy that says so, nor attempts."""
    import comfy.sample
    from wan_motion_chunks.tests.host.samplers import ksampler
    from wan_motion_chunks.wan.host.noise import ChunkNoise

    stock = comfy.sample.sample
    for policy, repeats in (("per_chunk", False), ("absolute", False), ("list", False), ("fixed", True)):
        seeds = []

        def record(*arguments, seed, seeds=seeds, **options):
            seeds.append(seed)
            return stock(*arguments, seed=seed, **options)

        monkeypatch.setattr(comfy.sample, "sample", record)
        noise = ChunkNoise(7, policy, (3, 9))
        made = ksampler(model, conditioning, noise, sampler_name="euler_ancestral", low_noise=model, switch_step=2)
        plain = unguided()
        for index in range(4):
            for attempt in range(2):
                made(replace(plain, request=replace(plain.request, index=index), attempt=attempt))
        assert len(seeds) == 16
        assert len(set(seeds)) == (4 if repeats else 16), policy


def held_by_hand(end_percent, steps, switch):
    """The rule in plain words: a share of the steps, two free ones (one of few), one of the high-noise expert's."""
    if end_percent == 1:
        return steps
    held = next(k for k in range(steps + 1) if k >= end_percent * steps - 1e-3)
    free = 1 if steps <= 3 else 2
    limit = steps - free if not 0 < switch < steps else min(steps - free, switch - 1)
    return max(0, min(held, limit))


def watched(model):
    """The model with a mask function of another pack, which only looks, and what it has seen."""
    seen, patched = [], model.clone()
    patched.set_model_denoise_mask_function(
        lambda sigma, denoise_mask, extra_options: seen.append((sigma.max().item(), denoise_mask)) or denoise_mask
    )
    return patched, seen


SHARES = torch.tensor([0.0, 0.35, 0.7, 0.99])


def held_in(seen, levels):
    """Steps in which each column is held in the model call at the step's own level."""
    counts = torch.zeros(4)
    for level in levels[:-1].tolist():
        at = [mask for sigma, mask in seen if abs(sigma - level) <= 1e-4 * level]
        if at:
            counts += (at[0][0, 0, 3, 0, ::2] == 0).float()
    return counts.tolist()


@pytest.mark.parametrize("split", [False, True])
def test_every_schedule_holds_its_share_of_the_steps(model, conditioning, split):
    import comfy.samplers

    for scheduler in comfy.samplers.KSampler.SCHEDULERS:
        for steps in (*range(2, 13), 20, 30):
            patched, seen = watched(model)
            switch = steps // 2 if split else 0
            one = sampler(patched, conditioning, "euler", scheduler, steps, switch)
            one(guided(SHARES))
            expected = [held_by_hand(value, one._schedule.steps, switch) for value in SHARES.tolist()]
            assert held_in(seen, one._schedule.levels) == expected, (scheduler, steps)


@pytest.mark.parametrize("split", [False, True])
def test_every_sampler_frees_what_it_guides(model, conditioning, split):
    """What is freed does not come out as its guide, verbatim, and what is held to the end does."""
    import comfy.samplers

    shares = torch.tensor([0.3, 0.7, 0.99, 1.0])
    for name in comfy.samplers.KSampler.SAMPLERS:
        for steps in (2, 4, 9):
            patched, seen = watched(model)
            switch = steps // 2 if split else 0
            guide = guided(shares)
            one = sampler(patched, conditioning, name, "simple", steps, switch)
            made = one(guide)
            if name in ("dpm_fast", "dpm_adaptive"):  # they choose their own levels, and hold nothing whoever asks
                continue
            expected = [held_by_hand(value, one._schedule.steps, switch) for value in shares.tolist()]
            assert held_in(seen, one._schedule.levels) == expected, (name, steps)
            wrong = (made - guide.samples)[:, :, 3:].abs().amax(dim=(0, 1, 2, 3))[::2]
            assert (wrong[:3] > 1e-2).all(), (name, steps, wrong)
