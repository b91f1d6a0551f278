"""The inputs that few videos need, in one place."""

from __future__ import annotations

from ..wan.noise import POLICIES
from ..wan.numbers import check_whole, parse_numbers
from ..wan.options import BOUNDARY, VideoOptions
from ._compat import io, schema
from .inputs import optical_flow_input, region_input, share_input
from .layout import to_masks
from .sampling import MOST_STEPS
from .types import MAKE, OptionsType
from .values import checked

NOT_BY_GUIDER = {
    "positive": "guider has its prompts. Encode them there, or connect a Conditioning Stack to prompt_stack.",
    "negative": "guider has its prompts. Encode them there, or connect a Conditioning Stack to prompt_stack.",
    "switch_step": "sigmas and sigmas_low_noise say where guider_low_noise takes over. Set it to 0.",
    "boundary": f"sigmas and sigmas_low_noise say where guider_low_noise takes over. Set it to {BOUNDARY}.",
}
"""Why Long Video, Custom Sampling refuses some."""
NOT_BETWEEN = {
    "motion_region": "a bridge has none. Disconnect it.",
    "feature_continuity": "a bridge is one chunk, which nothing comes behind. Set it to 0.",
    "noise": f"a bridge is one chunk, of one seed. Set it to {POLICIES[0]}.",
    "seed_list": "a bridge is one chunk, of one seed. Leave it empty.",
}
"""Why Bridge Clips refuses some."""


class Options(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return schema(
            node_id="WanMotionOptions",
            display_name="Options (Wan Motion)",
            category=MAKE,
            description="What few videos need: encoded prompts, features of the start image, a region for motion, "
            "another optical flow, other noise, and where the second expert takes over.",
            search_aliases=["optical flow", "seed list", "noise", "boundary", "conditioning", "options"],
            inputs=[
                io.Conditioning.Input(
                    "positive", optional=True, tooltip="Encoded prompt, instead of clip and the prompt of the node."
                ),
                io.Conditioning.Input(
                    "negative",
                    optional=True,
                    tooltip="Encoded negative prompt, instead of clip and the negative_prompt of the node.",
                ),
                io.ClipVisionOutput.Input(
                    "clip_vision_output",
                    optional=True,
                    tooltip="Features of the start image, given to every chunk. They hold the subject.",
                ),
                region_input(),
                optical_flow_input(),
                share_input(
                    "feature_continuity",
                    0.0,
                    tooltip="Needs clip_vision: share of the last known frame's features at the video's end, less "
                    "before. 0 holds to the start image; more follows a scene that changes.",
                ),
                io.Combo.Input(
                    "noise",
                    options=list(POLICIES),
                    tooltip="per_chunk: each later chunk takes the next seed. fixed: all take the same. absolute: each "
                    "moment of the video has its own noise, which two chunks share in their overlap. list: the seeds "
                    "of seed_list.",
                ),
                io.String.Input(
                    "seed_list",
                    default="",
                    tooltip="For noise list: the seed of each chunk, such as 7, 42, 7. Further chunks count on.",
                ),
                io.Int.Input(
                    "switch_step",
                    default=0,
                    min=0,
                    max=MOST_STEPS,
                    tooltip="The step with which model_low_noise takes over; 0: by boundary.",
                ),
                io.Float.Input(
                    "boundary",
                    default=BOUNDARY,
                    min=0.01,
                    max=0.99,
                    step=0.005,
                    tooltip="The noise level below which model_low_noise takes over; Wan2.2 I2V A14B was made for "
                    f"{BOUNDARY}, with 20 steps at shift 8 the step 10.",
                ),
            ],
            outputs=[OptionsType.Output(display_name="options", tooltip="For Long Video or Bridge Clips.")],
        )

    @classmethod
    @checked
    def execute(
        cls,
        feature_continuity,
        noise,
        seed_list,
        switch_step,
        boundary,
        positive=None,
        negative=None,
        clip_vision_output=None,
        motion_region=None,
        optical_flow=None,
    ) -> io.NodeOutput:
        if motion_region is not None:
            to_masks("motion_region", motion_region)
        return io.NodeOutput(
            VideoOptions(
                positive,
                negative,
                clip_vision_output,
                motion_region,
                optical_flow,
                feature_continuity,
                noise,
                parse_numbers("seed_list", seed_list),
                check_whole("switch_step", switch_step, 0, MOST_STEPS),
                boundary,
            )
        )
