"""The whole long video in one node, around the host's KSampler."""

from __future__ import annotations

from ..wan.families import check_start
from ..wan.host.ksampler import HostSampler
from ..wan.host.noise import ChunkNoise
from ..wan.options import VideoOptions
from ._compat import io, schema
from .inputs import (
    options_input,
    picture_inputs,
    plan_inputs,
    run_input,
    set_elsewhere_inputs,
    start_input,
    video_outputs,
    vision_input,
)
from .making import VideoJob, make_video
from .planning import Pictures, plan_video
from .prompt_inputs import find_warnings, idle_loras, read_inputs, read_prompts
from .sampling import (
    clip_socket,
    expert_inputs,
    idle_warnings,
    model_inputs,
    read_experts,
    read_models,
    read_sampling,
    sampling_inputs,
    text_inputs,
)
from .types import MAKE
from .values import checked


class LongVideo(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return schema(
            node_id="WanMotionLongVideo",
            display_name="Long Video (Wan Motion)",
            category=MAKE,
            description="Makes a long Wan video from one picture: chunk after chunk, each continuing the last.",
            search_aliases=["long video", "loop", "chunk", "extend video", "infinite video", "wan i2v"],
            inputs=[
                *model_inputs(),
                clip_socket(),
                start_input(),
                *text_inputs(),
                *plan_inputs(),
                *sampling_inputs(),
                *picture_inputs(),
                vision_input(),
                *expert_inputs(),
                *set_elsewhere_inputs(),
                options_input(),
                run_input(),
            ],
            advanced=("cfg_low_noise",),
            outputs=video_outputs(),
        )

    @classmethod
    @checked
    def execute(
        cls,
        model,
        vae,
        prompt,
        negative_prompt,
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
        clip=None,
        start_image=None,
        end_image=None,
        source=None,
        reference_image=None,
        clip_vision=None,
        model_low_noise=None,
        cfg_low_noise=0.0,
        prompt_stack=None,
        settings=None,
        options=None,
        run=None,
    ) -> io.NodeOutput:
        options = options or VideoOptions()
        family, sampling = read_models(model, vae, model_low_noise), read_sampling(steps, cfg, sampler_name, scheduler)
        keyframes, notes = read_prompts(prompt_stack, prompt, negative_prompt, options, clip)
        plan = (width, height, length, length_unit, fps, chunk_frames)
        pictures = Pictures(start_image, end_image, options.motion_region, source, reference_image)
        state, sound = plan_video(*plan, settings, keyframes, pictures)
        state = state.noted(notes)
        check_start(state, family)
        noise = ChunkNoise(seed, options.noise, options.seeds)
        features = options.clip_vision_output
        state = state.noted(warnings=find_warnings(state, model, features, clip_vision, run=run))
        state = state.noted(warnings=(*noise.warnings, *idle_warnings(model_low_noise, cfg_low_noise, options)))
        state = state.noted(warnings=idle_loras(keyframes, model_low_noise is not None))
        inputs = read_inputs(state, model, clip, clip_vision, features, options.feature_continuity)
        sampler = HostSampler(read_experts(model, model_low_noise, cfg_low_noise, options), sampling, noise, inputs)
        return make_video(VideoJob(state, family, sampler, inputs, vae, options.optical_flow, run, sound, seed=seed))
