"""Motion carried forward: predicted frames, and latents moved along."""

from __future__ import annotations

import torch
from torch import Tensor

from ..motion import MotionPrediction
from ..motion.estimation import check_clip
from ..motion.prediction import predict_clip_motion, render
from ..motion.preview import show_prediction
from ..motion.trajectory import HISTORY, HORIZON
from ..motion.transfer import to_device
from ..wan.host.optical_flow import host_motion
from ..wan.latent_warp import warp_latent
from ..wan.protocols import Estimator
from ._compat import io, schema
from .inputs import optical_flow_input, step_gain_input
from .layout import to_frames, to_image
from .types import FLOW, MotionType
from .values import checked

HOME = torch.device("cpu")
SMALLEST = 2
"""Pixels of a side: less has no preview."""


class PredictMotion(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return schema(
            node_id="WanMotionPredictMotion",
            display_name="Predict Motion (Wan Motion)",
            category=FLOW,
            description="Carries the motion of a video's last frames forward, and says where that can be trusted.",
            search_aliases=["trajectory", "extrapolate", "predict frames"],
            inputs=[
                io.Image.Input("images", tooltip="Frames of a video, two or more, in order; the last five are used."),
                io.Int.Input(
                    "frames",
                    default=8,
                    min=1,
                    max=HORIZON,
                    tooltip="Frames to predict. Beyond eight, motion says little about real video.",
                ),
                step_gain_input(),
                optical_flow_input(),
            ],
            outputs=[
                io.Image.Output(display_name="frames", tooltip="The predicted frames."),
                io.Mask.Output(
                    display_name="confidence",
                    tooltip="0 to 1: how far each predicted pixel can be trusted; 0 where new content comes into view.",
                ),
                MotionType.Output(
                    display_name="motion", tooltip="Where each pixel is going; for Warp Latent by Motion."
                ),
                io.Image.Output(
                    display_name="preview",
                    tooltip="Arrows four frames ahead, what is trusted of that frame, and predicted frames.",
                ),
            ],
        )

    @classmethod
    @checked
    def execute(cls, images, frames, step_gain, optical_flow=None) -> io.NodeOutput:
        clip = to_frames("images", images).cpu()
        check_clip("images", clip)
        if min(clip.shape[-2:]) < SMALLEST:
            raise ValueError(f"images: expected {SMALLEST} pixels or more of a side, got {tuple(clip.shape[-2:])}.")
        if not 1 <= frames <= HORIZON:
            raise ValueError(f"frames must be from 1 to {HORIZON}, got {frames}.")

        def predict(estimator: Estimator, clip: Tensor) -> tuple[Tensor, ...]:
            motion = predict_clip_motion(clip, frames, step_gain=step_gain, estimator=estimator, checked=True)
            predicted, confidence = render(clip[-1:], motion)
            return to_device(HOME, predicted, confidence, motion.displacement, motion.confidence)

        (predicted, confidence, *found), _ = host_motion(optical_flow).run(predict, clip[-1 - HISTORY :])
        motion = MotionPrediction(*found)
        preview = show_prediction(clip[-1:], motion, predicted, confidence)
        return io.NodeOutput(to_image(predicted.clamp(0, 1)), confidence[:, 0], motion, to_image(preview))


class WarpLatent(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return schema(
            node_id="WanMotionWarpLatent",
            display_name="Warp Latent by Motion (Wan Motion)",
            category=FLOW,
            description="Continues a Wan2.1 latent along a motion, without decoding it.",
            search_aliases=["latent warp", "move latent", "extrapolate latent"],
            inputs=[
                io.Latent.Input("latent", tooltip="A Wan2.1 video, two latents or more."),
                MotionType.Input("motion", tooltip="From Predict Motion, of the video's decoded frames."),
                io.Int.Input(
                    "latents",
                    default=2,
                    min=1,
                    max=HORIZON // 4,
                    tooltip="Latents to make, four frames each; the motion must predict as many frames.",
                ),
            ],
            outputs=[
                io.Latent.Output(display_name="latent", tooltip="The moved latents alone."),
                io.Mask.Output(
                    display_name="confidence", tooltip="0 to 1 per latent cell; where it is 0 the last latent stays."
                ),
            ],
        )

    @classmethod
    @checked
    def execute(cls, latent, motion, latents) -> io.NodeOutput:
        moved, confidence = warp_latent(latent["samples"], motion, latents)
        return io.NodeOutput({"samples": moved}, confidence[0, 0])
