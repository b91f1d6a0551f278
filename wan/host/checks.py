"""Checks of what a ComfyUI graph hands in, before hours are spent on it."""

from __future__ import annotations

import comfy.model_management
import comfy.utils
from torch import Tensor

from ..families import find_family
from ..families.products import name_model, name_vae
from ..latents import CHANNELS, SPATIAL_STRIDE
from ..protocols import Family

SAMPLES = 64
"""Numbers of a layer by which it is known to be all zeros, as the bundled model's are that would read features."""


def check_model(model, name: str = "model") -> Family:
    """The family of the model of input ``name``; raises ValueError if it is of none."""
    return find_family(model, name)


def model_config(model) -> dict:
    """What the host found in a model's file of its form: sizes, and which kind it is; not how it is stored."""
    config = model.model.model_config.unet_config
    return {name: value for name, value in config.items() if isinstance(value, (bool, float, int, str, tuple))}


def describe_model(model, name: str = "model") -> str:
    """The model of input ``name`` in words."""
    config = model_config(model)
    sizes = [f"{key} {config[key]}" for key in ("dim", "num_layers", "in_dim") if key in config]
    return f"{name} ({', '.join((name_model(model), *sizes))})"


def check_experts(model, low_noise) -> None:
    """Raise ValueError unless two models are experts of one form, however each is stored: quantized or not."""
    check_model(model)
    check_model(low_noise, "model_low_noise")
    first, second = model_config(model), model_config(low_noise)
    differ = [name for name in sorted(first.keys() | second.keys()) if first.get(name) != second.get(name)]
    if differ:
        words = ", ".join(f"{name} {first.get(name)} and {second.get(name)}" for name in differ)
        raise ValueError(
            f"model_low_noise: expected an expert of the same kind as model, got one of another form ({words}). "
            "Load the high-noise and the low-noise file of one Wan2.2 I2V A14B."
        )


def reads_end(model) -> bool:
    """Whether a model reads the features of an end picture behind those of the first: Wan2.1 FLF2V alone."""
    image = model.model.diffusion_model.img_emb
    return image is not None and image.emb_pos is not None


def may_not_end(model) -> bool:
    """Whether a model may not be trained to end with a given frame.

    Wan2.1 FLF2V is, and Wan2.2 I2V A14B, which reads no features at all. Wan2.1 Fun InP is and plain Wan2.1 I2V is not,
    and the files of both hold the same layers of the same shapes.
    """
    return model.model.diffusion_model.img_emb is not None and not reads_end(model)


def reads_features(model) -> bool:
    """Whether CLIP vision features make a difference to a model; without them it reads the text in their place."""
    diffusion = model.model.diffusion_model
    if diffusion.img_emb is None:
        return False
    return any(_has_values(block.cross_attn.v_img.weight) for block in diffusion.blocks)


def _has_values(weight: Tensor) -> bool:
    return bool((weight.detach().reshape(-1)[:SAMPLES].float() != 0).any())


def check_vae(vae) -> None:
    """Raise ValueError unless ``vae`` is Wan2.1's: others have its shapes (HunyuanVideo) or its class (Wan2.2)."""
    vae.throw_exception_if_invalid()
    name, stride = type(vae.first_stage_model).__name__, vae.spacial_compression_encode()
    if name != "WanVAE" or vae.latent_channels != CHANNELS or stride != SPATIAL_STRIDE:
        raise ValueError(
            f"vae: expected the Wan2.1 VAE ({CHANNELS} channels, {SPATIAL_STRIDE}x), got {name_vae(vae)} "
            f"({vae.latent_channels} channels, {stride}x). Load wan_2.1_vae.safetensors."
        )


def fit_frames(name: str, frames: Tensor, width: int, height: int) -> Tensor:
    """Frames ``(N, C, H, W)`` of input ``name`` as ``(N, C, height, width)``, scaled and cropped at their center as
    WanImageToVideo does; those of this size stay as they are.

    Raises:
        ValueError: if the crop leaves nothing.
    """
    h, w = frames.shape[-2:]
    if (h, w) == (height, width):
        return frames
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
