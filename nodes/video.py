"""The whole long video in one node."""

from __future__ import annotations

import comfy.samplers

from ..wan.features import FeatureTrack
from ..wan.host import check_interrupt, check_model, check_vae
from ..wan.loop import Tools, generate
from ..wan.noise import MAX_SEED, POLICIES, parse_seeds
from ..wan.optical_flow import host_estimator
from ..wan.sampling import HostSampler
from ._compat import io, schema
from .layout import to_image
from .plan import guide_settings, start_video
from .types import (
    CATEGORY,
    continuity_input,
    guidance_inputs,
    join_inputs,
    optical_flow_input,
    plan_inputs,
    region_input,
    share_input,
)


class LongVideo(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return schema(
            node_id="WanMotionLongVideo",
            display_name="Long Video (Wan Motion)",
            category=CATEGORY,
            description="Makes a long Wan2.1 video from one picture: chunk after chunk, each continuing the last.",
            search_aliases=["long video", "chunk", "extend video", "infinite video", "wan i2v"],
            inputs=[
                io.Model.Input("model", tooltip="A Wan2.1 image-to-video model. Set its shift with ModelSamplingSD3."),
                io.Vae.Input("vae", tooltip="The Wan2.1 VAE."),
                *plan_inputs(),
                io.Int.Input(
                    "seed",
                    default=0,
                    min=0,
                    max=MAX_SEED,
                    control_after_generate=True,
                    tooltip="Noise seed of the first chunk; see noise.",
                ),
                io.Int.Input(
                    "steps", default=20, min=1, max=10000, tooltip="Sampling steps per chunk. More is finer and slower."
                ),
                io.Float.Input(
                    "cfg",
                    default=6.0,
                    min=0.0,
                    max=100.0,
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
                continuity_input(),
                *guidance_inputs(),
                *join_inputs(),
                io.Combo.Input(
                    "noise",
                    options=list(POLICIES),
                    tooltip="per_chunk: each later chunk takes the next seed. fixed: all take the same. "
                    "absolute: each moment of the video has its own noise, which two chunks share in their overlap. "
                    "list: the seeds of seed_list.",
                ),
                io.String.Input(
                    "prompt",
                    multiline=True,
                    default="",
                    tooltip="What happens, for all chunks. Needs clip; not used when positive is connected.",
                ),
                io.String.Input(
                    "negative_prompt",
                    multiline=True,
                    default="",
                    tooltip="What to avoid. Needs clip; not used when negative is connected.",
                ),
                io.Clip.Input("clip", optional=True, tooltip="Text encoder for the two prompts."),
                io.Conditioning.Input("positive", optional=True, tooltip="Encoded prompt, instead of clip and prompt."),
                io.Conditioning.Input(
                    "negative", optional=True, tooltip="Encoded negative prompt, instead of clip and negative_prompt."
                ),
                io.ClipVisionOutput.Input(
                    "clip_vision_output",
                    optional=True,
                    tooltip="Features of the start image, given to every chunk. They hold the subject.",
                ),
                region_input(),
                optical_flow_input(),
                io.ClipVision.Input(
                    "clip_vision",
                    optional=True,
                    tooltip="Encodes the start image, and for feature_continuity each chunk's last known frame.",
                ),
                share_input(
                    "feature_continuity",
                    0.0,
                    optional=True,
                    tooltip="Needs clip_vision: share of the last known frame's features at the video's end, less "
                    "before. 0 holds to the start image; more follows a scene that changes.",
                ),
                io.String.Input(
                    "seed_list",
                    default="",
                    optional=True,
                    tooltip="For noise list: the seed of each chunk, such as 7, 42, 7. Further chunks count on.",
                ),
            ],
            outputs=[
                io.Image.Output(display_name="frames", tooltip="The finished video."),
                io.Latent.Output(display_name="latent", tooltip="The last chunk as sampled, overlap included."),
                io.String.Output(
                    display_name="report",
                    tooltip="The plan, and per chunk the level used and how its seam measures.",
                ),
            ],
        )

    @classmethod
    def execute(
        cls,
        model,
        vae,
        start_image,
        width,
        height,
        length,
        length_unit,
        chunk_frames,
        overlap_frames,
        seed,
        steps,
        cfg,
        sampler_name,
        scheduler,
        continuity,
        motion_weight,
        mask_sigma,
        step_gain,
        blend_strength,
        color_match,
        color_anchor,
        seam_retries,
        noise,
        prompt="",
        negative_prompt="",
        clip=None,
        positive=None,
        negative=None,
        clip_vision_output=None,
        motion_region=None,
        optical_flow=None,
        clip_vision=None,
        feature_continuity=0.0,
        seed_list="",
    ) -> io.NodeOutput:
        check_model(model)
        check_vae(vae)
        settings = guide_settings(
            continuity, motion_weight, mask_sigma, step_gain, blend_strength, color_match, color_anchor, seam_retries
        )
        state = start_video(
            start_image, width, height, length, length_unit, chunk_frames, overlap_frames, settings, motion_region
        )
        sampler = HostSampler(
            model,
            _encode("positive", positive, clip, prompt),
            _encode("negative", negative, clip, negative_prompt),
            seed,
            steps,
            cfg,
            sampler_name,
            scheduler,
            len(state.plan.chunks),
            clip_vision_output,
            noise,
            parse_seeds("seed_list", seed_list),
            _features(clip_vision, clip_vision_output, feature_continuity, state.start[:1]),
        )
        state = generate(state, Tools(vae, sampler, check_interrupt, host_estimator(optical_flow)))
        return io.NodeOutput(to_image(state.video), {"samples": state.latent}, state.report())


def _features(encoder, output, strength: float, start) -> FeatureTrack | None:
    if encoder is None:
        if strength:
            raise ValueError(
                f"feature_continuity is {strength}, but no clip_vision is connected. Connect one, or set 0."
            )
        return None
    return FeatureTrack(encoder, output or encoder.encode_image(to_image(start)), strength)


def _encode(name: str, conditioning, clip, text: str):
    if conditioning is not None:
        return conditioning
    if clip is None:
        raise ValueError(f"Connect {name} (a conditioning), or clip so that the prompt widgets can be encoded.")
    return clip.encode_from_tokens_scheduled(clip.tokenize(text))
