"""One chunk at a time, around any sampler node of the graph."""

from __future__ import annotations

from ..motion.estimation import AUTO
from ..wan.families import WAN_I2V
from ..wan.host.by_step import guide_by_step
from ..wan.host.checks import check_model, check_vae
from ..wan.host.conditioning import apply_guide, latent_dict
from ..wan.host.optical_flow import host_motion
from ..wan.loop import finish_chunk, guide_state
from ._compat import io, schema
from .inputs import optical_flow_input
from .layout import to_image
from .prompt_inputs import find_warnings, has_loras, read_inputs, read_loras
from .types import MAKE, ChunkStateType


class GuideNextChunk(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return schema(
            node_id="WanMotionGuideNextChunk",
            display_name="Guide Next Chunk (Wan Motion)",
            category=MAKE,
            description="Prepares the next chunk of a planned video for any sampler; Finish Chunk takes what it makes.",
            search_aliases=["continue video", "loop", "chunk", "overlap"],
            inputs=[
                ChunkStateType.Input("state", tooltip="From Plan Long Video, or from the Finish Chunk before."),
                io.Vae.Input("vae", tooltip="The Wan2.1 VAE."),
                io.Conditioning.Input(
                    "positive",
                    optional=True,
                    tooltip="Encoded prompt of this chunk; without, that of the prompt stack of Plan Long Video.",
                ),
                io.Conditioning.Input("negative", optional=True, tooltip="Encoded negative prompt of this chunk."),
                io.ClipVisionOutput.Input(
                    "clip_vision_output",
                    optional=True,
                    tooltip="Features of the start image, or of the picture of the cut that this chunk's scene began "
                    "with.",
                ),
                io.Model.Input(
                    "model",
                    optional=True,
                    tooltip="Needed for the level motion: give the sampler the model that comes out, which knows for "
                    "how many steps to follow. Without it chunks are overlap_pinned.",
                ),
                optical_flow_input(),
                io.Clip.Input("clip", optional=True, tooltip="Text encoder for a prompt stack of texts."),
            ],
            outputs=[
                ChunkStateType.Output(
                    display_name="state", tooltip="The video with this chunk begun; connect to Finish Chunk."
                ),
                io.Conditioning.Output(display_name="positive", tooltip="For the sampler."),
                io.Conditioning.Output(display_name="negative", tooltip="For the sampler."),
                io.Latent.Output(
                    display_name="latent",
                    tooltip="For the sampler, at denoise 1; pinned frames are in its noise mask. Steps that are split "
                    "over two samplers hold them only with the model that comes out here.",
                ),
                io.Model.Output(
                    display_name="model",
                    tooltip="For the sampler, if a model is connected. Two samplers that share the steps see a part "
                    "each: there the schedulers simple, normal, sgm_uniform and ddim_uniform follow motion for the "
                    "share of the steps that motion_weight says, others for another. Give each sampler another seed.",
                ),
            ],
        )

    @classmethod
    def execute(
        cls,
        state,
        vae,
        positive=None,
        negative=None,
        clip_vision_output=None,
        model=None,
        optical_flow=None,
        clip=None,
    ) -> io.NodeOutput:
        check_vae(vae)
        family = WAN_I2V if model is None else check_model(model)
        if model is None and (state.reference is not None or not len(state.start)):
            raise ValueError("model: connect it, since this video starts as only some models can.")
        state = guide_state(
            state,
            vae,
            host_motion(optical_flow, state.settings.estimator),
            follows_steps=model is not None,
            family=family,
        )
        guide = state.current_guide
        keyframes, inputs = state.plan.keyframes, None
        with_loras = has_loras(keyframes)
        if model is None and keyframes and (with_loras or positive is None or negative is None):
            raise ValueError("model: a prompt stack may name LoRAs. Connect the model, and give its sampler ours.")
        if positive is None or negative is None:
            if not keyframes:
                raise ValueError("Connect positive and negative, or a prompt_stack to Plan Long Video.")
            inputs = read_inputs(state, model, clip)
            mixed = inputs.mixed(guide)
            positive = mixed[0] if positive is None else positive
            negative = mixed[1] if negative is None else negative
        elif with_loras:
            inputs = read_loras(state, model, clip)
        if inputs is not None and model is not None:
            model = inputs.patched(model).under(guide.request.prompt.loras)
            state = state.noted(inputs.notes)
        if model is not None:
            options = [part[1] for part in positive]
            state = state.noted(warnings=find_warnings(state, model, clip_vision_output, None, options, by_chunk=True))
        return io.NodeOutput(
            state,
            apply_guide(positive, guide, clip_vision_output),
            apply_guide(negative, guide, clip_vision_output),
            latent_dict(guide),
            None if model is None else guide_by_step(model, guide),
        )


class FinishChunk(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return schema(
            node_id="WanMotionFinishChunk",
            display_name="Finish Chunk (Wan Motion)",
            category=MAKE,
            description="Decodes a sampled chunk, joins it to the video and measures the seam.",
            search_aliases=["continue video", "loop", "chunk", "append"],
            inputs=[
                ChunkStateType.Input("state", tooltip="From the Guide Next Chunk before the sampler."),
                io.Latent.Input("latent", tooltip="What the sampler made."),
                io.Vae.Input("vae", tooltip="The Wan2.1 VAE."),
                optical_flow_input(),
            ],
            outputs=[
                ChunkStateType.Output(
                    display_name="state",
                    tooltip="The video with this chunk; for Guide Next Chunk or Assemble Video.",
                ),
                io.Image.Output(display_name="frames", tooltip="The frames that this chunk added."),
                io.String.Output(display_name="report", tooltip="How it went, and a row for each chunk, in Markdown."),
            ],
        )

    @classmethod
    def execute(cls, state, latent, vae, optical_flow=None) -> io.NodeOutput:
        check_vae(vae)
        # Minutes were spent on the sample: a model that is connected here counts, whatever Settings asks for.
        estimator = state.settings.estimator if optical_flow is None else AUTO
        state = finish_chunk(state, latent["samples"], vae, host_motion(optical_flow, estimator))
        return io.NodeOutput(state, to_image(state.pieces[-1]), state.report())


class AssembleVideo(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return schema(
            node_id="WanMotionAssembleVideo",
            display_name="Assemble Video (Wan Motion)",
            category=MAKE,
            description="The frames of all finished chunks, once each and in order, behind those of a source.",
            search_aliases=["join chunks", "concatenate"],
            inputs=[ChunkStateType.Input("state", tooltip="From the last Finish Chunk.")],
            outputs=[
                io.Image.Output(display_name="frames", tooltip="All frames so far."),
                io.String.Output(display_name="report", tooltip="How it went, and a row for each chunk, in Markdown."),
            ],
        )

    @classmethod
    def execute(cls, state) -> io.NodeOutput:
        if not state.pieces:
            raise ValueError("state: no chunk of this video is made yet. Connect the state of Finish Chunk.")
        return io.NodeOutput(to_image(state.video), state.report())
