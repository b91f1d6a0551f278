"""The whole long video in one node, around the host's KSampler."""

from __future__ import annotations

import comfy.samplers

from ..wan.host.checks import check_experts, check_model, check_vae
from ..wan.host.ksampler import Experts, HostSampler, Sampling
from ..wan.host.noise import ChunkNoise
from ..wan.host.start import start_video
from ..wan.numbers import check_number, check_whole, parse_numbers
from ._compat import io, schema
from .inputs import (
    ADVANCED,
    Pictures,
    noise_input,
    number_input,
    plan_inputs,
    read_video,
    seed_input,
    sight_inputs,
    source_inputs,
    stack_inputs,
    video_outputs,
)
from .making import VideoJob, make_video
from .prompt_inputs import find_warnings, read_inputs, read_prompts
from .source import read_source
from .types import CATEGORY
from .values import checked

MOST_STEPS = 10_000
MOST_CFG = 100.0


class LongVideo(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return schema(
            node_id="WanMotionLongVideo",
            display_name="Long Video (Wan Motion)",
            category=CATEGORY,
            description="Makes a long Wan video from one picture: chunk after chunk, each continuing the last.",
            search_aliases=["long video", "chunk", "extend video", "infinite video", "wan i2v"],
            inputs=[
                io.Model.Input(
                    "model",
                    tooltip="A Wan2.1 image-to-video or VACE model, or the high-noise expert of Wan2.2 I2V A14B. Set "
                    "its shift with ModelSamplingSD3.",
                ),
                io.Vae.Input("vae", tooltip="The Wan2.1 VAE, which is Wan2.2 A14B's as well."),
                *plan_inputs(),
                seed_input(),
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
                noise_input(),
                io.String.Input(
                    "prompt",
                    multiline=True,
                    dynamic_prompts=True,
                    default="",
                    tooltip="What happens, for all chunks; or a line for each change, such as '0: walking' and "
                    "'2: running' (chunks, from 0), or '9s over 8s: jumping' (seconds, taking over within 8). "
                    "{a|b} is one of them in each run, // a comment. Needs clip; not used when positive or "
                    "prompt_stack is connected.",
                ),
                io.String.Input(
                    "negative_prompt",
                    multiline=True,
                    dynamic_prompts=True,
                    default="",
                    tooltip="What to avoid. Needs clip; not used when negative or prompt_stack is connected.",
                ),
                io.Clip.Input(
                    "clip", optional=True, tooltip="Text encoder for prompt, negative_prompt and Prompt Stack."
                ),
                *stack_inputs(),
                *source_inputs(),
                io.Conditioning.Input("positive", optional=True, tooltip="Encoded prompt, instead of clip and prompt."),
                io.Conditioning.Input(
                    "negative", optional=True, tooltip="Encoded negative prompt, instead of clip and negative_prompt."
                ),
                *sight_inputs(),
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
            ],
            advanced=(*ADVANCED, "switch_step", "boundary", "cfg_low_noise"),
            outputs=video_outputs(),
        )

    @classmethod
    @checked
    def execute(
        cls,
        model,
        vae,
        width,
        height,
        length,
        length_unit,
        fps,
        chunk_frames,
        seed,
        steps,
        cfg,
        sampler_name,
        scheduler,
        noise,
        prompt="",
        negative_prompt="",
        clip=None,
        settings=None,
        prompt_stack=None,
        end_image=None,
        positive=None,
        negative=None,
        clip_vision_output=None,
        motion_region=None,
        optical_flow=None,
        clip_vision=None,
        feature_continuity=0.0,
        seed_list="",
        run=None,
        start_image=None,
        source=None,
        reference_image=None,
        model_low_noise=None,
        switch_step=0,
        boundary=0.9,
        cfg_low_noise=0.0,
    ) -> io.NodeOutput:
        family = check_model(model)
        check_vae(vae)
        sampling = Sampling(
            check_whole("steps", steps, 1, MOST_STEPS), check_number("cfg", cfg, 0, MOST_CFG), sampler_name, scheduler
        )
        if model_low_noise is not None:
            check_experts(model, model_low_noise)
        keyframes = read_prompts(prompt_stack, prompt, negative_prompt, positive, negative, clip)
        given = read_source("source", source)
        pictures = Pictures(start_image, end_image, motion_region, given, reference_image)
        plan = (width, height, length, length_unit, fps, chunk_frames)
        state = start_video(read_video(*plan, settings, keyframes, pictures))
        chunk_noise = ChunkNoise(seed, noise, parse_numbers("seed_list", seed_list))
        state = state.noted(warnings=find_warnings(state, model, clip_vision_output, clip_vision, run=run))
        state = state.noted(warnings=chunk_noise.warnings)
        inputs = read_inputs(state, model, clip, clip_vision, clip_vision_output, feature_continuity)
        cfg_low_noise = check_number("cfg_low_noise", cfg_low_noise, 0, MOST_CFG)
        experts = Experts(model, model_low_noise, switch_step, boundary, cfg_low_noise)
        sampler = HostSampler(experts, sampling, chunk_noise, inputs)
        return make_video(VideoJob(state, family, sampler, inputs, vae, optical_flow, run, given))
