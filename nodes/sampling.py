"""Inputs of the nodes that sample as KSampler does, and what is made of them."""

from __future__ import annotations

import comfy.samplers

from ..wan.host.checks import check_experts, check_model, check_vae
from ..wan.host.ksampler import Experts, Sampling
from ..wan.numbers import check_number, check_whole
from ..wan.protocols import Family
from ._compat import io
from .inputs import number_input, seed_input

MOST_STEPS = 10_000
MOST_CFG = 100.0
EXPERTS = ("switch_step", "boundary", "cfg_low_noise")
"""Of the inputs below, those for experts."""


def model_inputs() -> list[io.Input]:
    """What samples and decodes."""
    return [
        io.Model.Input(
            "model",
            tooltip="A Wan2.1 image-to-video or VACE model, or the high-noise expert of Wan2.2 I2V A14B. Set "
            "its shift with ModelSamplingSD3.",
        ),
        io.Vae.Input("vae", tooltip="The Wan2.1 VAE, which is Wan2.2 A14B's as well."),
    ]


def sampling_inputs(*seed: str) -> list[io.Input]:
    """What KSampler is set to.

    Args:
        seed: the tooltip of its seed, if not that of a long video's.
    """
    return [
        seed_input(*seed),
        io.Int.Input(
            "steps",
            default=20,
            min=1,
            max=MOST_STEPS,
            tooltip="Sampling steps per chunk. More is finer and slower.",
        ),
        number_input(
            "cfg",
            default=6.0,
            min=0.0,
            max=MOST_CFG,
            step=0.1,
            tooltip="How strictly the prompt is followed. 1 ignores the negative prompt and is twice as fast.",
        ),
        io.Combo.Input(
            "sampler_name",
            options=comfy.samplers.KSampler.SAMPLERS,
            default="uni_pc",
            tooltip="Sampler of the host.",
        ),
        io.Combo.Input(
            "scheduler",
            options=comfy.samplers.KSampler.SCHEDULERS,
            default="simple",
            tooltip="Noise schedule of the host.",
        ),
    ]


def text_inputs() -> list[io.Input]:
    """Prompts as texts."""
    return [
        io.String.Input(
            "prompt",
            multiline=True,
            dynamic_prompts=True,
            default="",
            tooltip="What happens, for all chunks; or a line for each change, such as '1: walking' and "
            "'3: running' (chunks, from 1), or '9s over 8s: jumping' (seconds, taking over within 8). "
            "{a|b} is one of them in each run, // a comment. Needs clip; not used when positive or "
            "prompt_stack is connected.",
        ),
        negative_input(),
        io.Clip.Input("clip", optional=True, tooltip="Text encoder for prompt, negative_prompt and Prompt Stack."),
    ]


def negative_input(instead: str = "negative or prompt_stack") -> io.Input:
    """What to avoid, as a text.

    Args:
        instead: the inputs that stand for it.
    """
    return io.String.Input(
        "negative_prompt",
        multiline=True,
        dynamic_prompts=True,
        default="",
        tooltip=f"What to avoid. Needs clip; not used when {instead} is connected.",
    )


def conditioning_inputs() -> list[io.Input]:
    """Prompts that are encoded already."""
    return [
        io.Conditioning.Input("positive", optional=True, tooltip="Encoded prompt, instead of clip and prompt."),
        io.Conditioning.Input(
            "negative", optional=True, tooltip="Encoded negative prompt, instead of clip and negative_prompt."
        ),
    ]


def expert_inputs() -> list[io.Input]:
    """The second expert, and where it takes over."""
    return [
        io.Model.Input(
            "model_low_noise",
            optional=True,
            tooltip="The low-noise expert of Wan2.2 I2V A14B, which takes over from model within each chunk.",
        ),
        io.Int.Input(
            "switch_step",
            default=0,
            min=0,
            max=MOST_STEPS,
            optional=True,
            tooltip="The step with which model_low_noise takes over; 0: by boundary.",
        ),
        io.Float.Input(
            "boundary",
            default=0.9,
            min=0.01,
            max=0.99,
            step=0.005,
            optional=True,
            tooltip="The noise level below which model_low_noise takes over; Wan2.2 I2V A14B was made for 0.9.",
        ),
        number_input(
            "cfg_low_noise",
            default=0.0,
            min=0.0,
            max=MOST_CFG,
            step=0.1,
            optional=True,
            tooltip="How strictly model_low_noise follows the prompt; 0: as cfg says.",
        ),
    ]


def read_models(model, vae, model_low_noise) -> Family:
    """The family of the models that sample.

    Raises:
        ValueError: if they are of none, the VAE is another, or the second is no expert of the first one's kind.
    """
    family = check_model(model)
    check_vae(vae)
    if model_low_noise is not None:
        check_experts(model, model_low_noise)
    return family


def read_sampling(steps, cfg, sampler_name, scheduler) -> Sampling:
    """What :func:`sampling_inputs` ask for."""
    return Sampling(
        check_whole("steps", steps, 1, MOST_STEPS), check_number("cfg", cfg, 0, MOST_CFG), sampler_name, scheduler
    )


def read_experts(model, model_low_noise, switch_step, boundary, cfg_low_noise) -> Experts:
    """What :func:`expert_inputs` ask for."""
    cfg_low_noise = check_number("cfg_low_noise", cfg_low_noise, 0, MOST_CFG)
    return Experts(model, model_low_noise, switch_step, boundary, cfg_low_noise)
