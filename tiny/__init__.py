"""Tiny Wan2.1 models that ship with the pack, their text encoder, and the scenes that trained them."""

from pathlib import Path

FOLDER = Path(__file__).resolve().parent
TRANSFORMER = FOLDER / "diffusion_models" / "wan2.1_i2v_tiny.safetensors"
VAE = FOLDER / "vae" / "wan_2.1_vae_tiny.safetensors"
