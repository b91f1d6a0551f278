"""The shipped models as the host's MODEL, CLIP and VAE, through the host's own loaders."""

from __future__ import annotations

from pathlib import Path

import comfy.sd
import comfy.sd1_clip
import comfy.utils
import torch
from torch import Tensor, nn

from . import TRANSFORMER, VAE
from .text import WIDTH, embed_text


def load_tiny_models(transformer: Path = TRANSFORMER) -> tuple:
    """MODEL, CLIP and VAE of the tiny Wan2.1, or of another transformer beside the same VAE."""
    model = comfy.sd.load_diffusion_model(str(transformer))
    vae = comfy.sd.VAE(sd=comfy.utils.load_torch_file(str(VAE)))
    return model, load_tiny_clip(), vae


def load_tiny_clip() -> comfy.sd.CLIP:
    """A CLIP object over :func:`embed_text`, so that CLIPTextEncode and everything else of the host works."""
    return comfy.sd.CLIP(_ClipTarget())


class _Gain(nn.Module):
    def __init__(self, device):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(WIDTH, device=device), requires_grad=False)


class TinyTextModel(nn.Module):
    """The text encoder as the host's CLIP drives it: one gain per channel, for LoRAs to work on."""

    def __init__(self, device="cpu", dtype=None, model_options=None):
        super().__init__()
        self.dtypes = {torch.float32}
        self.gain = _Gain(device)

    def encode_token_weights(self, tokens: dict[str, list]) -> tuple[Tensor, None]:
        found = torch.cat(tokens["tiny"])
        return found * self.gain.weight.to(found), None

    def set_clip_options(self, options: dict) -> None:
        """No layer to choose and no pooled output to project."""

    def reset_clip_options(self) -> None:
        """See :meth:`set_clip_options`."""

    def load_sd(self, sd: dict) -> tuple[list, list]:
        return [], list(sd)


class TinyTokenizer:
    """Prompts to word vectors; the weight in ``(word:1.2)`` is read off and dropped."""

    def __init__(self, embedding_directory=None, tokenizer_data=None):
        pass

    def tokenize_with_weights(self, text: str, return_word_ids: bool = False, **options) -> dict[str, list]:
        plain = "".join(part for part, _ in comfy.sd1_clip.token_weights(text, 1.0))
        return {"tiny": [embed_text(plain)[None]]}


class _ClipTarget:
    params: dict = {}  # noqa: RUF012  the host copies it
    clip = TinyTextModel
    tokenizer = TinyTokenizer
