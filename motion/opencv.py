"""OpenCV's flow estimators, where OpenCV is installed. The pack does not ask for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from einops import rearrange
from torch import Tensor

from .flow import FlowEstimator
from .pyramid import to_gray

FARNEBACK = {"pyr_scale": 0.5, "levels": 5, "winsize": 13, "iterations": 10, "poly_n": 5, "poly_sigma": 1.1, "flags": 0}


def dis(search=None) -> FlowEstimator:
    """Dense inverse search (Kroeger et al. 2016): the medium preset, or a ``cv2.DISOpticalFlow`` of one's own."""
    cv2 = _opencv("dis")
    search = search or cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    return _pairwise(cv2, lambda a, b: search.calc(a, b, None))


def farneback() -> FlowEstimator:
    """Polynomial expansion (Farneback 2003)."""
    cv2 = _opencv("farneback")
    return _pairwise(cv2, lambda a, b: cv2.calcOpticalFlowFarneback(a, b, None, **FARNEBACK))


def _opencv(name: str) -> Any:
    """OpenCV, of whatever version is installed: its own stubs know neither what older ones have nor optional flows."""
    try:
        import cv2
    except ImportError as error:
        raise ValueError(
            f"The flow estimator {name!r} needs OpenCV, which is not installed or cannot be loaded ({error}); "
            "'lucas_kanade' needs nothing."
        ) from error
    return cv2


def _pairwise(cv2: Any, calculate: Callable) -> FlowEstimator:
    def estimate(first: Tensor, second: Tensor) -> Tensor:
        pictures = [
            (to_gray(frames.float()).clamp(0, 1) * 255).round().byte()[:, 0].cpu() for frames in (first, second)
        ]
        try:
            flows = [torch.from_numpy(calculate(a.numpy(), b.numpy())) for a, b in zip(*pictures, strict=True)]
        except cv2.error as error:  # which is no error of any kind that Python has
            raise RuntimeError(str(error)) from error
        return rearrange(flows, "n h w c -> n c h w").to(first.device)

    return estimate
