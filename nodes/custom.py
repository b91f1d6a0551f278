"""The whole long video around the host's custom sampling."""

from __future__ import annotations

from ..wan.host.checks import check_model, check_vae
from ..wan.host.guider import GuiderSampler
from ..wan.host.ksampler import ChunkNoise
from ..wan.numbers import parse_numbers
from ..wan.prompts import parse_stack
from ._compat import io, schema
from .making import ADVANCED, make_video, noise_input, seed_input, sight_inputs, video_outputs
from .plan import start_video
from .prompt_inputs import encode_prompts
from .types import CATEGORY, plan_inputs, stack_inputs
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
                *sight_inputs(),
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
        start_image,
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
        **more,
    ) -> io.NodeOutput:
        check_model(guider.model_patcher, "guider")
        check_vae(vae)
        plan = (start_image, width, height, length, length_unit, fps, chunk_frames)
        entries = parse_stack(prompt_stack or ())
        state = start_video(*plan, settings, entries, end_image, more.get("motion_region"))
        chunk_noise = ChunkNoise(seed, noise, parse_numbers("seed_list", more.get("seed_list", "")))

        def make_sampler(features):
            prompts, files = encode_prompts(state, guider.model_patcher, clip)
            return GuiderSampler(guider, sampler, sigmas, chunk_noise, prompts, features, files)

        conditions = None if entries else guider.original_conds.get("positive", ())
        return make_video(state, vae, make_sampler, model=guider.model_patcher, conditions=conditions, **more)
