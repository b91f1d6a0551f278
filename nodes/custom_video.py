"""The whole long video in one node, around the host's custom sampling."""

from __future__ import annotations

from ..wan.families import check_start
from ..wan.host.checks import check_experts, check_model, check_vae
from ..wan.host.guider import GuiderSampler, Part
from ..wan.host.noise import ChunkNoise
from ..wan.numbers import parse_numbers
from ..wan.prompts import parse_stack
from ._compat import io, schema
from .inputs import (
    ADVANCED,
    noise_input,
    plan_inputs,
    seed_input,
    sight_inputs,
    source_inputs,
    stack_inputs,
    video_outputs,
)
from .making import VideoJob, make_video
from .planning import Pictures, plan_video
from .prompt_inputs import find_warnings, read_inputs
from .types import CATEGORY
from .values import checked


class CustomLongVideo(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return schema(
            node_id="WanMotionLongVideoCustom",
            display_name="Long Video, Custom Sampling (Wan Motion)",
            category=CATEGORY,
            description="Long Video for a guider, sampler and sigmas of the host's custom sampling nodes.",
            search_aliases=["long video", "custom sampler", "guider", "sigmas"],
            inputs=[
                io.Guider.Input(
                    "guider",
                    tooltip="CFGGuider, BasicGuider or another, around a Wan2.1 image-to-video model; its prompts hold "
                    "for all chunks unless a prompt_stack is connected.",
                ),
                io.Sampler.Input("sampler", tooltip="From KSamplerSelect or another."),
                io.Sigmas.Input("sigmas", tooltip="From BasicScheduler or another: the whole schedule of a chunk."),
                io.Vae.Input("vae", tooltip="The Wan2.1 VAE."),
                *plan_inputs(),
                seed_input(),
                noise_input(),
                io.Clip.Input("clip", optional=True, tooltip="Text encoder for a prompt_stack of texts."),
                *stack_inputs(),
                *source_inputs(),
                *sight_inputs(),
                io.Guider.Input(
                    "guider_low_noise",
                    optional=True,
                    tooltip="Of the low-noise expert of Wan2.2 I2V A14B, which makes the steps of sigmas_low_noise; "
                    "guider and sigmas make those before.",
                ),
                io.Sigmas.Input(
                    "sigmas_low_noise",
                    optional=True,
                    tooltip="low_sigmas of SplitSigmas, whose high_sigmas are connected to sigmas. Needs "
                    "guider_low_noise.",
                ),
                io.Sampler.Input(
                    "sampler_low_noise", optional=True, tooltip="Of guider_low_noise; without it that of sampler."
                ),
            ],
            advanced=ADVANCED,
            outputs=video_outputs(),
        )

    @classmethod
    @checked
    def execute(
        cls,
        guider,
        sampler,
        sigmas,
        vae,
        width,
        height,
        length,
        length_unit,
        fps,
        chunk_frames,
        seed,
        noise,
        clip=None,
        settings=None,
        prompt_stack=None,
        end_image=None,
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
        guider_low_noise=None,
        sigmas_low_noise=None,
        sampler_low_noise=None,
    ) -> io.NodeOutput:
        model = guider.model_patcher
        family = check_model(model, "guider")
        check_vae(vae)
        keyframes = parse_stack(prompt_stack or ())
        plan = (width, height, length, length_unit, fps, chunk_frames)
        pictures = Pictures(start_image, end_image, motion_region, source, reference_image)
        state, sound = plan_video(*plan, settings, keyframes, pictures)
        check_start(state, family)
        chunk_noise = ChunkNoise(seed, noise, parse_numbers("seed_list", seed_list))
        conditions = None if keyframes else guider.original_conds.get("positive", ())
        state = state.noted(warnings=find_warnings(state, model, clip_vision_output, clip_vision, conditions, run))
        state = state.noted(warnings=chunk_noise.warnings)
        inputs = read_inputs(state, model, clip, clip_vision, clip_vision_output, feature_continuity)
        low = _second_part(guider_low_noise, sampler_low_noise, sigmas_low_noise, guider, sampler)
        around = GuiderSampler(Part(guider, sampler, sigmas), chunk_noise, inputs, low)
        return make_video(VideoJob(state, family, around, inputs, vae, optical_flow, run, sound, seed=seed))


def _second_part(guider, sampler, sigmas, first, first_sampler) -> Part | None:
    """What the second guider makes; None without one.

    Raises:
        ValueError: if a guider has no sigmas, or sigmas or a sampler have no guider, or the guiders are of two kinds.
    """
    if guider is None:
        for name, value in (("sigmas_low_noise", sigmas), ("sampler_low_noise", sampler)):
            if value is not None:
                raise ValueError(f"{name}: it belongs to guider_low_noise, which is not connected.")
        return None
    if sigmas is None:
        raise ValueError("guider_low_noise: connect sigmas_low_noise too, such as low_sigmas of SplitSigmas.")
    check_experts(first.model_patcher, guider.model_patcher)
    return Part(guider, first_sampler if sampler is None else sampler, sigmas)
