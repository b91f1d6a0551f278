"""The whole long video in one node, around the host's custom sampling."""

from __future__ import annotations

from ..wan.families import check_start
from ..wan.host.checks import check_experts, check_model, check_vae
from ..wan.host.guider import GuiderSampler, Part
from ..wan.host.noise import ChunkNoise
from ..wan.options import VideoOptions
from ..wan.prompts import parse_stack
from ._compat import io, schema
from .inputs import (
    options_input,
    picture_inputs,
    plan_inputs,
    run_input,
    seed_input,
    set_elsewhere_inputs,
    start_input,
    video_outputs,
    vision_input,
)
from .making import VideoJob, make_video
from .options import NOT_BY_GUIDER
from .planning import Pictures, plan_video
from .prompt_inputs import find_warnings, idle_loras, read_inputs
from .sampling import clip_socket
from .types import MAKE
from .values import checked


class CustomLongVideo(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return schema(
            node_id="WanMotionLongVideoCustom",
            display_name="Long Video, Custom Sampling (Wan Motion)",
            category=MAKE,
            description="Long Video for a guider, sampler and sigmas of the host's custom sampling nodes.",
            search_aliases=["long video", "loop", "extend video", "custom sampler", "guider", "sigmas"],
            inputs=[
                io.Guider.Input(
                    "guider",
                    tooltip="CFGGuider, BasicGuider or another, around a Wan2.1 image-to-video model; its prompts hold "
                    "for all chunks unless a prompt_stack is connected.",
                ),
                io.Sampler.Input("sampler", tooltip="From KSamplerSelect or another."),
                io.Sigmas.Input("sigmas", tooltip="From BasicScheduler or another: the whole schedule of a chunk."),
                io.Vae.Input("vae", tooltip="The Wan2.1 VAE."),
                clip_socket("Text encoder for a prompt_stack of texts."),
                start_input(),
                *plan_inputs(),
                seed_input(),
                *picture_inputs(),
                vision_input(),
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
                *set_elsewhere_inputs(),
                options_input(),
                run_input(),
            ],
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
        clip=None,
        start_image=None,
        end_image=None,
        source=None,
        reference_image=None,
        clip_vision=None,
        guider_low_noise=None,
        sigmas_low_noise=None,
        sampler_low_noise=None,
        prompt_stack=None,
        settings=None,
        options=None,
        run=None,
    ) -> io.NodeOutput:
        options = options or VideoOptions()
        options.refuse(NOT_BY_GUIDER)
        model = guider.model_patcher
        family = check_model(model, "guider")
        check_vae(vae)
        keyframes = parse_stack(prompt_stack or ())
        plan = (width, height, length, length_unit, fps, chunk_frames)
        pictures = Pictures(start_image, end_image, options.motion_region, source, reference_image)
        state, sound = plan_video(*plan, settings, keyframes, pictures)
        check_start(state, family)
        noise = ChunkNoise(seed, options.noise, options.seeds)
        conditions = None if keyframes else guider.original_conds.get("positive", ())
        features = options.clip_vision_output
        state = state.noted(warnings=find_warnings(state, model, features, clip_vision, conditions, run))
        state = state.noted(warnings=(*noise.warnings, *idle_loras(keyframes, guider_low_noise is not None)))
        inputs = read_inputs(state, model, clip, clip_vision, features, options.feature_continuity)
        low = _second_part(guider_low_noise, sampler_low_noise, sigmas_low_noise, guider, sampler)
        around = GuiderSampler(Part(guider, sampler, sigmas), noise, inputs, low)
        return make_video(VideoJob(state, family, around, inputs, vae, options.optical_flow, run, sound, seed=seed))


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
