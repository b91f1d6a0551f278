"""Frames made between two clips."""

from __future__ import annotations

from ..wan.families import check_start
from ..wan.host.bridge import LONGEST, BridgeRequest, start_bridge
from ..wan.host.ksampler import HostSampler
from ..wan.host.noise import ChunkNoise
from ..wan.options import VideoOptions
from ..wan.settings import RunSettings
from ._compat import io, schema
from .inputs import clip_input, fps_input, options_input, share_input, video_outputs
from .making import VideoJob, make_video
from .options import NOT_BETWEEN
from .prompt_inputs import find_warnings, read_inputs, read_prompts
from .sampling import (
    clip_socket,
    expert_inputs,
    idle_warnings,
    model_inputs,
    negative_input,
    prompt_input,
    read_experts,
    read_models,
    read_sampling,
    sampling_inputs,
)
from .source import check_rates, read_source
from .types import JOIN, SettingsType
from .values import checked


class BridgeClips(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return schema(
            node_id="WanMotionBridgeClips",
            display_name="Bridge Clips (Wan Motion)",
            category=JOIN,
            description="Makes the frames between two clips: they leave as the first one moves and arrive as the "
            "second one begins. For Wan VACE, Wan2.2 I2V A14B, Wan2.1 FLF2V and Wan2.1 Fun InP.",
            search_aliases=["join videos", "vace joiner", "transition", "in between", "connect clips", "interpolate"],
            inputs=[
                *model_inputs(),
                clip_input("first", "The clip that is left; a VIDEO keeps its sound. Its size is the video's."),
                clip_input(
                    "second", "The clip that is arrived at, of the same size and frame rate. Without its sound."
                ),
                clip_socket("Text encoder for prompt and negative_prompt."),
                prompt_input("What happens in between. Needs clip; not used with positive of Options."),
                negative_input("negative of Options"),
                io.Int.Input(
                    "frames",
                    default=48,
                    min=4,
                    max=LONGEST,
                    step=4,
                    tooltip="New frames between the two. With the frames that are known of both, 33 by default, "
                    "Wan is trained on 81.",
                ),
                fps_input("Frames per second of both clips, and of the video output."),
                *sampling_inputs("Noise seed."),
                share_input(
                    "color_match",
                    0.0,
                    tooltip="How far the second clip's colors are led to the first's, by mean and covariance: all of "
                    "it, for two clips of one scene whose colors differ. 0 leaves them.",
                ),
                io.ClipVision.Input(
                    "clip_vision", optional=True, tooltip="Encodes the last frame of first, for Wan2.1."
                ),
                *expert_inputs(),
                SettingsType.Input(
                    "settings",
                    optional=True,
                    tooltip="From Settings: how many frames are known of either clip, how they are tied, and the join.",
                ),
                options_input(),
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
        first,
        second,
        prompt,
        negative_prompt,
        frames,
        fps,
        seed,
        steps,
        cfg,
        sampler_name,
        scheduler,
        color_match,
        clip=None,
        clip_vision=None,
        model_low_noise=None,
        cfg_low_noise=0.0,
        settings=None,
        options=None,
    ) -> io.NodeOutput:
        options = options or VideoOptions()
        options.refuse(NOT_BETWEEN)
        family, sampling = read_models(model, vae, model_low_noise), read_sampling(steps, cfg, sampler_name, scheduler)
        keyframes, notes = read_prompts(None, prompt, negative_prompt, options, clip)
        if len(keyframes) > 1:
            raise ValueError("prompt: a bridge has one prompt, got a schedule. Write what happens in between.")
        before, after = read_source("first", first), read_source("second", second)
        check_rates(before, after)
        request = BridgeRequest(
            before.frames, after.frames, frames, fps, settings or RunSettings(), keyframes, color_match
        )
        bridge = start_bridge(request, vae)
        noise = ChunkNoise(seed)
        features = options.clip_vision_output
        state = bridge.state.noted(warnings=find_warnings(bridge.state, model, features, clip_vision))
        state = state.noted(warnings=idle_warnings(model_low_noise, cfg_low_noise, options))
        state = state.noted(notes, after.warnings(fps))
        if after.audio is not None:
            state = state.noted(("the sound of second is left out",))
        check_start(state, family)
        if bridge.color_levels:
            state = state.noted((f"colors of second changed by {bridge.color_levels:.1f}/255",))
        inputs = read_inputs(state, model, clip, clip_vision, features)
        experts = read_experts(model, model_low_noise, cfg_low_noise, options)
        sampler = HostSampler(experts, sampling, noise, inputs)
        return make_video(
            VideoJob(state, family, sampler, inputs, vae, options.optical_flow, source=before, behind=bridge.behind)
        )
