"""The pack's KSampler in one call; the host must be importable, so import it where a fixture has seen to that."""

from wan_motion_chunks.wan.host.inputs import ChunkInputs
from wan_motion_chunks.wan.host.ksampler import Experts, HostSampler, Sampling
from wan_motion_chunks.wan.host.noise import ChunkNoise


def ksampler(
    model,
    prompt,
    noise=0,
    *,
    steps=4,
    cfg=1.0,
    sampler_name="euler",
    scheduler="simple",
    low_noise=None,
    switch_step=0,
):
    """A sampler of guided chunks.

    Args:
        prompt: positive and negative conditioning of all chunks, or one that is both.
        noise: a ``ChunkNoise``, or the seed of the first chunk.
        low_noise: the second expert.
    """
    pair = prompt if isinstance(prompt, tuple) else (prompt, prompt)
    noise = noise if isinstance(noise, ChunkNoise) else ChunkNoise(noise)
    experts, sampling = Experts(model, low_noise, switch_step), Sampling(steps, cfg, sampler_name, scheduler)
    return HostSampler(experts, sampling, noise, ChunkInputs([pair]))
