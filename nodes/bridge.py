"""Frames made between two clips."""

from __future__ import annotations

from ..wan.families import check_start
from ..wan.host.bridge import LONGEST, BridgeRequest, start_bridge
from ..wan.host.ksampler import HostSampler
from ..wan.host.noise import ChunkNoise
from ..wan.settings import RunSettings
from ._compat import io, schema
from .inputs import clip_input, fps_input, optical_flow_input, share_input, video_outputs
from .making import VideoJob, make_video
from .prompt_inputs import find_warnings, read_inputs, read_prompts
from .sampling import (
    EXPERTS,
    conditioning_inputs,
    expert_inputs,
    model_inputs,
    negative_input,
    read_experts,
    read_models,
    read_sampling,
    sampling_inputs,
)
from .source import check_rates, read_source
from .types import CATEGORY, SettingsType
from .values import checked


class BridgeClips(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return schema(
            node_id="WanMotionBridgeClips",
            display_name="Bridge Clips (Wan Motion)",
            category=CATEGORY,
            description="Makes the frames between two clips: they leave as the first one moves and arrive as the "
            "second one begins. For Wan VACE, Wan2.2 I2V A14B, Wan2.1 FLF2V and Wan2.1 Fun InP.",
            search_aliases=["vace joiner", "transition", "in between", "connect clips", "interpolate"],
            inputs=[
                *model_inputs(),
                clip_input("first", "The clip that is left; a VIDEO keeps its sound. Its size is the video's."),
                clip_input(
                    "second", "The clip that is arrived at, of the same size and frame rate. Without its sound."
                ),
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
                io.String.Input(
                    "prompt",
                    multiline=True,
                    dynamic_prompts=True,
                    default="",
                    tooltip="What happens in between. Needs clip; not used when positive is connected.",
                ),
                negative_input("negative"),
                io.Clip.Input("clip", optional=True, tooltip="Text encoder for prompt and negative_prompt."),
                SettingsType.Input(
                    "settings",
                    optional=True,
                    tooltip="From Settings: how many frames are known of either clip, how they are tied, and the join.",
                ),
                *conditioning_inputs(),
                io.ClipVisionOutput.Input(
                    "clip_vision_output",
                    optional=True,
                    tooltip="Features of a picture, for Wan2.1 image-to-video models.",
                ),
                optical_flow_input(),
                io.ClipVision.Input(
                    "clip_vision", optional=True, tooltip="Encodes the last frame of first, for Wan2.1."
                ),
                *expert_inputs(),
            ],
            advanced=EXPERTS,
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
        frames,
        fps,
        seed,
        steps,
        cfg,
        sampler_name,
        scheduler,
        color_match,
        prompt="",
        negative_prompt="",
        clip=None,
        settings=None,
        positive=None,
        negative=None,
        clip_vision_output=None,
        optical_flow=None,
        clip_vision=None,
        model_low_noise=None,
        switch_step=0,
        boundary=0.9,
        cfg_low_noise=0.0,
    ) -> io.NodeOutput:
        family, sampling = read_models(model, vae, model_low_noise), read_sampling(steps, cfg, sampler_name, scheduler)
        keyframes, notes = read_prompts(None, prompt, negative_prompt, positive, negative, clip)
        if len(keyframes) > 1:
            raise ValueError("prompt: a bridge has one prompt, got a schedule. Write what happens in between.")
        before, after = read_source("first", first), read_source("second", second)
        check_rates(before, after)
        request = BridgeRequest(
            before.frames, after.frames, frames, fps, settings or RunSettings(), keyframes, color_match
        )
        bridge = start_bridge(request, vae)
        noise = ChunkNoise(seed)
        state = bridge.state.noted(warnings=find_warnings(bridge.state, model, clip_vision_output, clip_vision))
        state = state.noted(notes, after.warnings(fps))
        if after.audio is not None:
            state = state.noted(("the sound of second is left out",))
        check_start(state, family)
        if bridge.color_levels:
            state = state.noted((f"colors of second changed by {bridge.color_levels:.1f}/255",))
        inputs = read_inputs(state, model, clip, clip_vision, clip_vision_output)
        experts = read_experts(model, model_low_noise, switch_step, boundary, cfg_low_noise)
        sampler = HostSampler(experts, sampling, noise, inputs)
        return make_video(
            VideoJob(state, family, sampler, inputs, vae, optical_flow, source=before, behind=bridge.behind)
        )
