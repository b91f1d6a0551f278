"""Checks of what a ComfyUI graph hands in, before hours are spent on it."""

from __future__ import annotations

import comfy.model_base
import comfy.model_management
import comfy.utils
from torch import Tensor

from .latents import CHANNELS, SPATIAL_STRIDE

I2V_CHANNELS = 36
"""16 of noise, 4 of mask, 16 of picture."""


def check_model(model, name: str = "model") -> None:
    """Raise ValueError unless the model of input ``name`` is a Wan2.1 image-to-video model."""
    base = model.model
    kind = type(base).__name__
    # Its subclasses (VACE, camera, Animate, HuMo, S2V) are conditioned in other ways.
    if type(base) is not comfy.model_base.WAN21:
        raise ValueError(f"{name}: expected Wan2.1 image-to-video, got {kind}. Load a wan2.1_i2v checkpoint.")
    channels = base.diffusion_model.patch_embedding.weight.shape[1]
    if channels != I2V_CHANNELS:
        raise ValueError(
            f"{name}: expected Wan2.1 image-to-video with {I2V_CHANNELS} input channels, got {kind} with {channels}"
            f"{' (a text-to-video model)' if channels == CHANNELS else ''}. Load a wan2.1_i2v checkpoint."
        )


def check_experts(model, low_noise) -> None:
    """Raise ValueError unless two models are experts of one kind."""
    check_model(model)
    check_model(low_noise, "model_low_noise")
    shapes = [
        {name: tuple(weight.shape) for name, weight in each.model.diffusion_model.state_dict().items()}
        for each in (model, low_noise)
    ]
    if shapes[0] != shapes[1]:
        raise ValueError(
            "model_low_noise: expected an expert of the same kind as model, got one of other sizes. "
            "Load the high-noise and the low-noise file of one Wan2.2 I2V A14B."
        )


def check_end(model, name: str = "end_image") -> None:
    """Raise ValueError unless ``model`` can be told the frame to end with.

    Wan2.1 FLF2V has a position for a second picture's features, and Wan2.2 I2V A14B reads no features at all; plain
    Wan2.1 I2V was trained on a first frame only.
    """
    image = model.model.diffusion_model.img_emb
    if image is not None and image.emb_pos is None:
        raise ValueError(
            f"{name}: this model was not trained to end with a given frame. Take the picture away, or load "
            "wan2.1_flf2v or Wan2.2 I2V A14B."
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


def fit_frames(name: str, frames: Tensor, width: int, height: int) -> Tensor:
    """Frames ``(N, C, H, W)`` of input ``name`` as ``(N, C, height, width)``, scaled and cropped at their centre as
    WanImageToVideo does; those of this size stay as they are.

    Raises:
        ValueError: if the crop leaves nothing.
    """
    h, w = frames.shape[-2:]
    aspect, wanted = w / h, width / height
    # As the host crops: the same whole number of pixels from either side.
    across = round((w - w * (wanted / aspect)) / 2) if aspect > wanted else 0
    along = round((h - h * (aspect / wanted)) / 2) if aspect < wanted else 0
    if w <= 2 * across or h <= 2 * along:
        raise ValueError(f"{name}: of {w} x {h} nothing is left when cropped to the proportions of {width} x {height}.")
    return comfy.utils.common_upscale(frames, width, height, "bilinear", "center")


def check_interrupt() -> None:
    """Raise the host's own exception when the user has stopped the run."""
    comfy.model_management.throw_exception_if_processing_interrupted()
