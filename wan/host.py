"""Checks of what a ComfyUI graph hands in, before hours are spent on it."""

from __future__ import annotations

import comfy.model_base
import comfy.model_management
import comfy.utils
import torch
from torch import Tensor

from .latents import CHANNELS, SPATIAL_STRIDE, check_size

I2V_CHANNELS = 36
"""16 of noise, 4 of mask, 16 of picture."""


def check_model(model) -> None:
    """Raise ValueError unless ``model`` is a Wan2.1 image-to-video model."""
    base = model.model
    name = type(base).__name__
    # Its subclasses (VACE, camera, Animate, HuMo, S2V) are conditioned in other ways.
    if type(base) is not comfy.model_base.WAN21:
        raise ValueError(f"model: expected Wan2.1 image-to-video, got {name}. Load a wan2.1_i2v checkpoint.")
    channels = base.diffusion_model.patch_embedding.weight.shape[1]
    if channels != I2V_CHANNELS:
        raise ValueError(
            f"model: expected Wan2.1 image-to-video with {I2V_CHANNELS} input channels, got {name} with {channels}"
            f"{' (a text-to-video model)' if channels == CHANNELS else ''}. Load a wan2.1_i2v checkpoint."
        )


def check_vae(vae) -> None:
    """Raise ValueError unless ``vae`` is Wan2.1's: others have its shapes (HunyuanVideo) or its class (Wan2.2)."""
    vae.throw_exception_if_invalid()
    name, stride = type(vae.first_stage_model).__name__, vae.spacial_compression_encode()
    if name != "WanVAE" or vae.latent_channels != CHANNELS or stride != SPATIAL_STRIDE:
        raise ValueError(
            f"vae: expected the Wan2.1 VAE (WanVAE, {CHANNELS} channels, {SPATIAL_STRIDE}x), got {name} of "
            f"{vae.latent_channels} channels, {stride}x. Load wan_2.1_vae.safetensors."
        )


def prepare_start(image: Tensor, width: int, height: int) -> Tensor:
    """An IMAGE ``(N, H, W, C)`` as the start of a video, ``(N, 3, height, width)``, scaled as WanImageToVideo does.

    Raises:
        ValueError: if the batch is empty, a size is no multiple of 16, or pixels are not finite.
    """
    check_size("width", width)
    check_size("height", height)
    if image.ndim != 4 or len(image) == 0:
        raise ValueError(f"start_image: expected at least one picture (N, H, W, C), got {tuple(image.shape)}.")
    if image.shape[-1] < 3:
        raise ValueError(f"start_image: expected RGB, got {image.shape[-1]} channels.")
    if not torch.isfinite(image).all():
        raise ValueError("start_image: holds NaN or infinite pixels. Check the node that made it.")
    return comfy.utils.common_upscale(image.movedim(-1, 1), width, height, "bilinear", "center")[:, :3]


def check_interrupt() -> None:
    """Raise the host's own exception when the user has stopped the run."""
    comfy.model_management.throw_exception_if_processing_interrupted()
