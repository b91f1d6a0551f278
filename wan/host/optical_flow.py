"""Flow on the host's device, by the host's RAFT where a graph has one."""

from __future__ import annotations

import comfy.model_management
import comfy.model_patcher
import comfy.utils
import torch
from torch import Tensor

from ...motion import Flow, FlowEstimator, estimate_both, occlusion_mask
from ...motion.estimation import AUTO, find_estimator, group_length
from ...motion.raft import MEMORY, build_raft, correlation_memory, estimate_raft
from ...motion.watch import Watch, each, ignore
from ..motion_tools import MotionTools
from ..protocols import Estimator


def load_optical_flow(path: str) -> comfy.model_patcher.ModelPatcher:
    """torchvision's RAFT (large or small) from a state dict, wrapped as the host's OpticalFlowLoader does."""
    model = build_raft(comfy.utils.load_torch_file(path, safe_load=True)).float()
    return comfy.model_patcher.ModelPatcher(
        model,
        load_device=comfy.model_management.get_torch_device(),
        offload_device=comfy.model_management.unet_offload_device(),
    )


def raft_estimator(optical_flow: comfy.model_patcher.ModelPatcher) -> FlowEstimator:
    """An estimator of the model behind an OPTICAL_FLOW socket."""

    def estimate(first: Tensor, second: Tensor) -> Tensor:
        memory = max(MEMORY, correlation_memory(*first.shape[-2:]))
        comfy.model_management.load_models_gpu([optical_flow], memory_required=memory)
        return estimate_raft(optical_flow.model, first, second)

    return estimate


def host_motion(optical_flow: comfy.model_patcher.ModelPatcher | None = None, estimator: str = AUTO) -> MotionTools:
    """What a graph works motion out with: its RAFT or another estimator, on the host's device.

    Raises:
        ValueError: if both are asked for, or what an estimator needs is not installed.
    """
    if optical_flow is not None and estimator != AUTO:
        raise ValueError(
            f"estimator: Settings asks for {estimator}, but optical_flow brings a model. Set estimator to auto, or "
            "disconnect the model."
        )
    find_estimator(estimator)  # before anything is sampled
    return MotionTools(
        estimator if optical_flow is None else raft_estimator(optical_flow),
        comfy.model_management.get_torch_device(),
        comfy.model_management.free_memory,
        comfy.model_management.soft_empty_cache,
    )


def estimate_clip(frames: Tensor, motion: MotionTools, watch: Watch = ignore) -> tuple[Flow, Tensor]:
    """Forward flows of a clip, group by group on the device; all of them on the CPU where its memory runs out.

    Args:
        frames: ``(T, 3, H, W)`` RGB in [0, 1].
        watch: told how far it is, before each group.

    Returns:
        The flow of T - 1 pairs and the occlusion mask ``(T - 1, 1, H, W)``, bool, on the device of ``frames``.
    """
    pairs, group = len(frames) - 1, group_length(frames)

    def estimate(estimator: Estimator, one: Tensor) -> list[tuple[Tensor, ...]]:
        found = []
        for first in each(range(0, pairs, group), watch):
            part = frames[first : first + group + 1].to(one.device)
            flow, backward = estimate_both(part[:-1], part[1:], estimator=estimator)
            hidden = occlusion_mask(part[:-1], part[1:], flow.displacement, backward.displacement)
            found.append(tuple(tensor.to(frames.device) for tensor in (flow.displacement, flow.confidence, hidden)))
        return found

    found, _ = motion.run(estimate, frames[:1], count=group + 1)
    displacement, confidence, hidden = (torch.cat(tensors) for tensors in zip(*found, strict=True))
    return Flow(displacement, confidence), hidden
