"""Inputs of the nodes that sample as KSampler does, and what is made of them."""

from __future__ import annotations

import comfy.samplers

from ..wan.host.checks import check_experts, check_model, check_vae
from ..wan.host.ksampler import Experts, Sampling
from ..wan.numbers import check_number, check_whole
from ..wan.options import VideoOptions
from ..wan.protocols import Family
from ._compat import io
from .inputs import number_input, seed_input

MOST_STEPS = 10_000
MOST_CFG = 100.0


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


def clip_socket(tooltip: str = "Text encoder for prompt, negative_prompt and Prompt Stack.") -> io.Input:
    """The socket of a text encoder."""
    return io.Clip.Input("clip", optional=True, tooltip=tooltip)


def text_inputs() -> list[io.Input]:
    """Prompts as texts. Like all that is to stand above other widgets, they are required: the front end puts optional
    ones last."""
    return [
        prompt_input(
            "What happens, for all chunks; or a line for each change, such as '1: walking' and "
            "'3: running' (chunks, from 1), or '9s over 8s: jumping' (seconds, taking over within 8). "
            "{a|b} is one of them in each run, // a comment. Needs clip; not used with prompt_stack, or positive of "
            "Options."
        ),
        negative_input("prompt_stack, or negative of Options"),
    ]


def prompt_input(tooltip: str) -> io.Input:
    """What happens, as a text."""
    return io.String.Input("prompt", multiline=True, dynamic_prompts=True, default="", tooltip=tooltip)


def negative_input(instead: str) -> io.Input:
    """What to avoid, as a text.

    Args:
        instead: what stands for it.
    """
    return io.String.Input(
        "negative_prompt",
        multiline=True,
        dynamic_prompts=True,
        default="",
        tooltip=f"What to avoid. Needs clip; not used with {instead}.",
    )


def expert_inputs() -> list[io.Input]:
    """The second expert; Options says where it takes over."""
    return [
        io.Model.Input(
            "model_low_noise",
            optional=True,
            tooltip="The low-noise expert of Wan2.2 I2V A14B, which takes over from model within each chunk.",
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


def read_experts(model, model_low_noise, cfg_low_noise, options: VideoOptions) -> Experts:
    """What :func:`expert_inputs` and Options ask for."""
    cfg_low_noise = check_number("cfg_low_noise", cfg_low_noise, 0, MOST_CFG)
    return Experts(model, model_low_noise, options.switch_step, options.boundary, cfg_low_noise)


def idle_warnings(model_low_noise, cfg_low_noise, options: VideoOptions) -> tuple[str, ...]:
    """What is set for a second expert that is not there."""
    idle = options.idle(model_low_noise is not None)
    if cfg_low_noise and model_low_noise is None:
        idle += ("cfg_low_noise does nothing without model_low_noise",)
    return idle
