"""Files that the example workflows load: where they are, how large, and where they go."""

from __future__ import annotations

from .graph import Node

HUB = "https://huggingface.co"
WAN21 = f"{HUB}/Comfy-Org/Wan_2.1_ComfyUI_repackaged/resolve/main/split_files"
WAN22 = f"{HUB}/Comfy-Org/Wan_2.2_ComfyUI_Repackaged/resolve/main/split_files"
SVI = f"{HUB}/Kijai/WanVideo_comfy/resolve/main/LoRAs/Stable-Video-Infinity/v2.0"
FAST21 = f"{HUB}/Comfy-Org/Wan-Animate-2/resolve/main/loras"

SIZES = {
    "wan2.1_i2v_480p_14B_fp16.safetensors": "32.8 GB",
    "wan2.1_flf2v_720p_14B_fp16.safetensors": "32.8 GB",
    "wan2.2_i2v_high_noise_14B_fp8_scaled.safetensors": "14.3 GB",
    "wan2.2_i2v_low_noise_14B_fp8_scaled.safetensors": "14.3 GB",
    "wan2.2_i2v_lightx2v_4steps_lora_v1_high_noise.safetensors": "1.23 GB",
    "wan2.2_i2v_lightx2v_4steps_lora_v1_low_noise.safetensors": "1.23 GB",
    "SVI_v2_PRO_Wan2.2-I2V-A14B_HIGH_lora_rank_128_fp16.safetensors": "1.23 GB",
    "SVI_v2_PRO_Wan2.2-I2V-A14B_LOW_lora_rank_128_fp16.safetensors": "1.23 GB",
    "lightx2v_I2V_14B_480p_cfg_step_distill_rank64_bf16.safetensors": "738 MB",
    "umt5_xxl_fp8_e4m3fn_scaled.safetensors": "6.74 GB",
    "wan_2.1_vae.safetensors": "254 MB",
    "clip_vision_h.safetensors": "1.26 GB",
}
"""As their pages on Hugging Face have them, in powers of ten; without an entry, not known."""
KINDS = {
    "diffusion_models": "Diffusion model",
    "loras": "LoRA",
    "text_encoders": "Text encoder",
    "vae": "VAE",
    "clip_vision": "CLIP vision",
}


def file(name: str, folder: str, base: str) -> dict:
    """What the front end asks for where the file is missing."""
    return {"name": name, "url": f"{base}/{name}", "directory": folder}


def links(nodes: list[Node]) -> str:
    """Markdown: the files that some nodes load, with their sizes, and the folders they go to."""
    models = {each["name"]: each for node in nodes for each in node.models}.values()
    folders = {folder: [each for each in models if each["directory"] == folder] for folder in KINDS}
    lines, tree = ["## Model links"], ["ComfyUI/", "└── models/"]
    present = [folder for folder, found in folders.items() if found]
    for folder in present:
        lines += ["", f"**{KINDS[folder]}**", ""]
        tree.append(f"    {'└' if folder == present[-1] else '├'}── {folder}/")
        bar = " " if folder == present[-1] else "│"
        for each in folders[folder]:
            size = SIZES.get(each["name"])
            lines.append(f"- [{each['name']}]({each['url']})" + (f" ({size})" if size else ""))
            tree.append(f"    {bar}   {'└' if each is folders[folder][-1] else '├'}── {each['name']}")
    return "\n".join([*lines, "", "Where they go:", "", "```", *tree, "```"])
