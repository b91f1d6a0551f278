"""What a MODEL or a VAE is called by those who load it, known by the host's class of it and by its channels."""

from __future__ import annotations

from typing import Any

MODELS: dict[tuple[str, int | None], str] = {
    ("WAN21", 16): "Wan2.1 or Wan2.2 text-to-video",
    ("WAN21", 36): "Wan image-to-video",
    ("WAN21", 48): "Wan2.1 Fun Control",
    ("WAN21", 52): "Wan2.2 Fun Control",
    ("WAN21_Vace", 16): "Wan VACE",
    ("WAN21_Vace", 36): "ID-V2V, VACE on an image-to-video model",
    ("WAN21_Camera", None): "Wan Fun Camera Control",
    ("WAN21_CausalAR", None): "causal Wan2.1 (Self Forcing)",
    ("WAN21_FlowRVS", None): "FlowRVS",
    ("WAN21_HuMo", None): "HuMo",
    ("WAN21_SCAIL", None): "SCAIL",
    ("WAN21_SCAIL2", None): "SCAIL 2",
    ("WAN22", 48): "Wan2.2 TI2V 5B",
    ("WAN22", None): "Wan2.2 Fun 5B",
    ("WAN22_Animate", None): "Wan2.2 Animate",
    ("WAN22_S2V", None): "Wan2.2 S2V",
    ("WAN22_WanDancer", None): "WanDancer",
    ("WAN_Animate2", None): "Wan Animate 2",
    ("CogVideoX", None): "CogVideoX",
    ("CosmosPredict2", None): "Cosmos Predict2",
    ("CosmosVideo", None): "Cosmos",
    ("GenmoMochi", None): "Mochi",
    ("HunyuanVideo", None): "HunyuanVideo",
    ("HunyuanVideo15", None): "HunyuanVideo 1.5",
    ("HunyuanVideo15_SR_Distilled", None): "HunyuanVideo 1.5",
    ("HunyuanVideoI2V", None): "HunyuanVideo",
    ("HunyuanVideoSkyreelsI2V", None): "SkyReels V1",
    ("Kandinsky5", None): "Kandinsky 5",
    ("LTXAV", None): "LTX-2",
    ("LTXV", None): "LTX-Video",
    ("MiniMaxH3", None): "MiniMax H3",
    ("SVD_img2vid", None): "Stable Video Diffusion",
    ("SeedVR2", None): "SeedVR2",
    ("ACEStep", None): "ACE-Step",
    ("AuraFlow", None): "AuraFlow",
    ("BaseModel", None): "Stable Diffusion 1.5 or 2",
    ("Chroma", None): "Chroma",
    ("ChromaRadiance", None): "Chroma Radiance",
    ("Flux", None): "Flux",
    ("Flux2", None): "Flux.2",
    ("HiDream", None): "HiDream",
    ("Hunyuan3Dv2", None): "Hunyuan3D 2",
    ("Hunyuan3Dv2_1", None): "Hunyuan3D 2.1",
    ("HunyuanDiT", None): "HunyuanDiT",
    ("HunyuanImage21", None): "HunyuanImage 2.1",
    ("HunyuanImage21Refiner", None): "HunyuanImage 2.1",
    ("Lotus", None): "Lotus",
    ("Lumina2", None): "Lumina 2 or Z-Image",
    ("Omnigen2", None): "OmniGen2",
    ("PixArt", None): "PixArt",
    ("QwenImage", None): "Qwen-Image",
    ("SD15_instructpix2pix", None): "InstructPix2Pix",
    ("SD21UNCLIP", None): "Stable Diffusion 2.1 unCLIP",
    ("SD3", None): "Stable Diffusion 3",
    ("SDXL", None): "Stable Diffusion XL",
    ("SDXLRefiner", None): "Stable Diffusion XL",
    ("SDXL_instructpix2pix", None): "InstructPix2Pix",
    ("SD_X4Upscaler", None): "Stable Diffusion x4 upscaler",
    ("SV3D_p", None): "Stable Video 3D",
    ("SV3D_u", None): "Stable Video 3D",
    ("StableAudio1", None): "Stable Audio",
    ("StableCascade_B", None): "Stable Cascade",
    ("StableCascade_C", None): "Stable Cascade",
    ("Stable_Zero123", None): "Stable Zero123",
}
"""By class and input channels; None: of any number, if there is no entry for the one that came."""
VAES: dict[tuple[str, int], str] = {
    ("WanVAE", 16): "the Wan2.1 VAE",
    ("WanVAE", 48): "the Wan2.2 VAE, which is for TI2V 5B alone",
    ("AutoencoderKL", 4): "a Stable Diffusion VAE",
    ("AutoencoderKL", 16): "the HunyuanVideo VAE",
    ("AutoencodingEngine", 16): "a Flux or Stable Diffusion 3 VAE",
    ("CausalContinuousVideoTokenizer", 16): "the Cosmos VAE",
    ("TAEHV", 16): "a tiny VAE for previews",
    ("VideoVAE", 12): "the Mochi VAE",
    ("VideoVAE", 128): "an LTX-Video VAE",
}
"""By class and latent channels."""


def host_class(model: Any) -> str:
    """The host's class of a MODEL."""
    return type(model.model).__name__


def input_channels(model: Any) -> int | None:
    """Of a MODEL's first layer; None where it is not as in Wan's models."""
    layer = getattr(getattr(model.model, "diffusion_model", None), "patch_embedding", None)
    weight = getattr(layer, "weight", None)
    return None if weight is None else weight.shape[1]


def name_model(model: Any) -> str:
    """What a MODEL is; one that is not known goes by the host's name of it."""
    kind, channels = host_class(model), input_channels(model)
    known = MODELS.get((kind, channels)) or MODELS.get((kind, None))
    if known is not None:
        return known
    of = "" if channels is None else f" with {channels} input channels"
    return f"a model that the host calls {kind}{of}"


def name_vae(vae: Any) -> str:
    """What a VAE is; one that is not known goes by the host's name of it."""
    kind = type(vae.first_stage_model).__name__
    return VAES.get((kind, vae.latent_channels), f"a VAE that the host calls {kind}")
