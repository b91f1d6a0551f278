"""Optical flow: estimating it, trusting it, warping along it, looking at it. Torch only."""

from .estimation import (
    estimate_both,
    estimate_flow,
    estimate_flow_between,
    estimator_names,
    register_estimator,
)
from .flow import Flow, FlowEstimator, compose_flow, resize_flow
from .occlusion import forward_backward_error, inconsistency_mask, occlusion_mask
from .picture import flow_to_rgb
from .warp import backward_warp

__all__ = [
    "Flow",
    "FlowEstimator",
    "backward_warp",
    "compose_flow",
    "estimate_both",
    "estimate_flow",
    "estimate_flow_between",
    "estimator_names",
    "flow_to_rgb",
    "forward_backward_error",
    "inconsistency_mask",
    "occlusion_mask",
    "register_estimator",
    "resize_flow",
]
