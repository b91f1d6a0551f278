"""Optical flow of any video, and pictures of it."""

from __future__ import annotations

import folder_paths

from ..motion import estimator_names
from ..motion.estimation import check_clip
from ..motion.picture import STYLES, show_flow
from ..wan.host.optical_flow import estimate_clip, host_motion, load_optical_flow
from ..wan.host.progress import watch_work
from ..wan.numbers import check_number
from ._compat import io, schema
from .layout import to_frames, to_image, to_masks
from .types import FLOW, FlowType, OpticalFlowType
from .values import checked

LARGEST = 10000.0
"""Pixels per frame that full color can stand for."""


class EstimateFlow(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return schema(
            node_id="WanMotionEstimateFlow",
            display_name="Estimate Flow (Wan Motion)",
            category=FLOW,
            description="Finds how every pixel moves from each frame to the next, and how far that can be trusted.",
            search_aliases=["optical flow", "motion vectors", "raft", "lucas kanade"],
            inputs=[
                io.Image.Input("images", tooltip="Frames of a video, two or more, in order."),
                io.Combo.Input(
                    "estimator",
                    options=list(estimator_names()),
                    tooltip="auto: RAFT if one is connected, else lucas_kanade, which needs nothing. "
                    "dis and farneback need OpenCV.",
                ),
                OpticalFlowType.Input(
                    "optical_flow",
                    optional=True,
                    tooltip="RAFT, from Load Optical Flow Model. Slower, better on large motion.",
                ),
            ],
            outputs=[
                FlowType.Output(display_name="flow", tooltip="One flow less than there are frames, in pixels."),
                io.Mask.Output(display_name="occlusion", tooltip="1 where a pixel cannot be seen in the next frame."),
                io.Mask.Output(display_name="confidence", tooltip="0 to 1: how far the flow can be trusted."),
            ],
        )

    @classmethod
    def execute(cls, images, estimator, optical_flow=None) -> io.NodeOutput:
        frames = to_frames("images", images)
        check_clip("images", frames)
        if estimator not in ("auto", "raft"):
            optical_flow = None
        elif optical_flow is not None:
            estimator = "auto"
        elif estimator == "raft":
            raise ValueError("optical_flow: the estimator raft needs a model; connect Load Optical Flow Model.")
        flow, hidden = estimate_clip(frames, host_motion(optical_flow, estimator), watch_work())
        return io.NodeOutput(flow, hidden[:, 0].float(), flow.confidence[:, 0])


class FlowToImage(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return schema(
            node_id="WanMotionFlowToImage",
            display_name="Flow to Image (Wan Motion)",
            category=FLOW,
            description="Shows a flow: direction as hue and length as saturation, as arrows, or how far it is trusted.",
            search_aliases=["visualize optical flow", "flow preview", "motion vectors"],
            inputs=[
                FlowType.Input("flow", tooltip="From Estimate Flow."),
                io.Combo.Input(
                    "style",
                    options=list(STYLES),
                    tooltip="colors: the Middlebury color wheel, with its legend in the corner. "
                    "arrows: lines from a pixel to where it goes. confidence: black 0, white 1.",
                ),
                io.Float.Input(
                    "largest",
                    default=0.0,
                    min=0.0,
                    max=LARGEST,
                    step=0.5,
                    tooltip="Pixels per frame in full color, as the legend says; 0 takes the fastest of the clip. "
                    "For arrows: pixels from one arrow to the next; 0 ends them where their pixels go.",
                ),
                io.Image.Input("images", optional=True, tooltip="Frames to draw arrows on; gray without."),
                io.Mask.Input("occlusion", optional=True, tooltip="From Estimate Flow: tinted red in the picture."),
            ],
            advanced=("largest",),
            outputs=[io.Image.Output(display_name="images", tooltip="One picture per flow.")],
        )

    @classmethod
    @checked
    def execute(cls, flow, style, largest, images=None, occlusion=None) -> io.NodeOutput:
        largest = check_number("largest", largest, 0, LARGEST)
        count, _, *size = flow.displacement.shape
        ground = hidden = None
        if images is not None:
            ground = to_frames("images", images)[:count]
            if ground.shape != (count, 3, *size):
                raise ValueError(
                    f"images: expected the {count} or more frames of {size} of the flow, got {tuple(images.shape)}."
                )
        if occlusion is not None:
            hidden = to_masks("occlusion", occlusion)[:, None]
            if hidden.shape != (count, 1, *size):
                raise ValueError(f"occlusion: expected {(count, *size)} like the flow, got {tuple(occlusion.shape)}.")
        return io.NodeOutput(to_image(show_flow(flow, style, largest=largest or None, ground=ground, hidden=hidden)))


class LoadOpticalFlow(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return schema(
            node_id="WanMotionLoadOpticalFlow",
            display_name="Load Optical Flow Model (Wan Motion)",
            category=FLOW,
            description="Loads torchvision's RAFT, large or small, from models/optical_flow.",
            search_aliases=["raft", "optical flow loader"],
            inputs=[
                io.Combo.Input(
                    "model_name",
                    options=folder_paths.get_filename_list("optical_flow"),
                    tooltip="A state dict such as raft_large_C_T_SKHT_V2-ff5fadd5.pth, put into models/optical_flow.",
                )
            ],
            outputs=[
                OpticalFlowType.Output(display_name="optical_flow", tooltip="For the optical_flow input of any node.")
            ],
        )

    @classmethod
    def execute(cls, model_name) -> io.NodeOutput:
        return io.NodeOutput(load_optical_flow(folder_paths.get_full_path_or_raise("optical_flow", model_name)))
