"""Optical flow: estimating it, trusting it, carrying it forward, warping along it, looking at it. Torch only."""

from .estimation import (
    FlowError,
    estimate_both,
    estimate_flow,
    estimate_flow_between,
    estimator_names,
    register_estimator,
)
from .flow import Flow, FlowEstimator, compose_flow, resize_flow
from .occlusion import forward_backward_error, inconsistency_mask, occlusion_mask
from .picture import flow_to_rgb
from .prediction import predict_frames
from .splat import forward_splat, invert_flow
from .trajectory import MotionPrediction, predict_motion
from .warp import backward_warp

__all__ = [
    "Flow",
    "FlowError",
    "FlowEstimator",
    "MotionPrediction",
    "backward_warp",
    "compose_flow",
    "estimate_both",
    "estimate_flow",
    "estimate_flow_between",
    "estimator_names",
    "flow_to_rgb",
    "forward_backward_error",
    "forward_splat",
    "inconsistency_mask",
    "invert_flow",
    "occlusion_mask",
    "predict_frames",
    "predict_motion",
    "register_estimator",
    "resize_flow",
]
