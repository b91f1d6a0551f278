"""The whole long video in one node, around the host's KSampler."""

from __future__ import annotations

from ..wan.families import check_start
from ..wan.host.ksampler import HostSampler
from ..wan.host.noise import ChunkNoise
from ..wan.numbers import parse_numbers
from ._compat import io, schema
from .inputs import (
    ADVANCED,
    noise_input,
    plan_inputs,
    sight_inputs,
    source_inputs,
    stack_inputs,
    video_outputs,
)
from .making import VideoJob, make_video
from .planning import Pictures, plan_video
from .prompt_inputs import find_warnings, read_inputs, read_prompts
from .sampling import (
    EXPERTS,
    conditioning_inputs,
    expert_inputs,
    model_inputs,
    read_experts,
    read_models,
    read_sampling,
    sampling_inputs,
    text_inputs,
)
from .types import CATEGORY
from .values import checked


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
                *model_inputs(),
                *plan_inputs(),
                *sampling_inputs(),
                noise_input(),
                *text_inputs(),
                *stack_inputs(),
                *source_inputs(),
                *conditioning_inputs(),
                *sight_inputs(),
                *expert_inputs(),
            ],
            advanced=(*ADVANCED, *EXPERTS),
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
        family, sampling = read_models(model, vae, model_low_noise), read_sampling(steps, cfg, sampler_name, scheduler)
        keyframes, notes = read_prompts(prompt_stack, prompt, negative_prompt, positive, negative, clip)
        plan = (width, height, length, length_unit, fps, chunk_frames)
        pictures = Pictures(start_image, end_image, motion_region, source, reference_image)
        state, sound = plan_video(*plan, settings, keyframes, pictures)
        state = state.noted(notes)
        check_start(state, family)
        chunk_noise = ChunkNoise(seed, noise, parse_numbers("seed_list", seed_list))
        state = state.noted(warnings=find_warnings(state, model, clip_vision_output, clip_vision, run=run))
        state = state.noted(warnings=chunk_noise.warnings)
        inputs = read_inputs(state, model, clip, clip_vision, clip_vision_output, feature_continuity)
        experts = read_experts(model, model_low_noise, switch_step, boundary, cfg_low_noise)
        sampler = HostSampler(experts, sampling, chunk_noise, inputs)
        return make_video(VideoJob(state, family, sampler, inputs, vae, optical_flow, run, sound, seed=seed))
