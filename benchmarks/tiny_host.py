"""The tiny Wan2.1 in the host's sampler, many scenes at once."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from ..tiny import TRANSFORMER
from ..tiny.scenes import Scenes
from ..tiny.text import TOKENS, embed_text
from ..tiny.training import import_host

STEPS, CFG, SHIFT = 20, 1.0, 3.0
BATCH = 16
FIRST_FRAME = Path(__file__).parent / "models" / "wan2.1_i2v_tiny_first_frame.safetensors"
KINDS = {"follows": TRANSFORMER, "first_frame": FIRST_FRAME}
"""Transformers by what they were trained to know: 1, 5, 9 or 17 frames, or the first one alone."""


class TinyHost:
    """MODEL and VAE of the pack, for batches of scenes: the stock nodes take one video at a time."""

    def __init__(self, shift: float = SHIFT, transformer: Path = TRANSFORMER):
        import_host()
        import comfy.utils
        from comfy_extras.nodes_model_advanced import ModelSamplingSD3

        from ..tiny.models import load_tiny_models

        comfy.utils.PROGRESS_BAR_ENABLED = False
        model, _, self.vae = load_tiny_models(transformer)
        self.model = ModelSamplingSD3().patch(model, shift)[0]

    def encode(self, frames: Tensor) -> Tensor:
        """``(B, T, 3, H, W)`` to ``(B, 16, t, h, w)``."""
        return torch.cat([self.vae.encode(clip.movedim(1, -1)) for clip in frames])

    def decode(self, latent: Tensor) -> Tensor:
        """``(B, 16, t, h, w)`` to ``(B, T, 3, H, W)``."""
        return self.vae.decode(latent).movedim(-1, 2)

    def continue_clips(
        self, known: Tensor, length: int, captions: list[str], seed: int, *, cfg: float = CFG, pinned: bool = False
    ) -> Tensor:
        """Continue each clip by the model alone.

        Args:
            known: ``(B, N, 3, H, W)``: the frames that each clip starts from, 4k + 1.
            length: frames of the whole chunk.
            pinned: hold the known latents during sampling.

        Returns:
            ``(B, length, 3, H, W)``, the known frames' own reconstruction included.
        """
        import comfy.sample

        count = known.shape[1]
        canvas = known.new_full((len(known), length, *known.shape[2:]), 0.5)
        canvas[:, :count] = known
        image = self.encode(canvas)
        cells = (count - 1) // 4 + 1
        mask = torch.ones(len(known), 4, *image.shape[2:])
        mask[:, :, :cells] = 0.0
        start, noise_mask = torch.zeros_like(image), None
        if pinned:
            start[:, :, :cells] = image[:, :, :cells]
            noise_mask = mask[:, :1]
        values = {"concat_latent_image": image, "concat_mask": mask}
        text = torch.stack([embed_text(caption)[:TOKENS] for caption in captions])
        positive, negative = [[text, values]], [[embed_text("")[None].expand_as(text), values]]
        latent = comfy.sample.sample(
            self.model,
            comfy.sample.prepare_noise(start, seed),
            STEPS,
            cfg,
            "euler",
            "simple",
            positive,
            negative,
            start,
            noise_mask=noise_mask,
            disable_pbar=True,
            seed=seed,
        )
        return self.decode(latent)


def make_sampler(
    model,
    prompts,
    noise,
    *,
    steps: int = STEPS,
    cfg: float = CFG,
    sampler_name: str = "euler",
    scheduler: str = "simple",
    switch: int = 0,
):
    """The pack's KSampler over guided chunks.

    Args:
        model: the host's MODEL.
        prompts: positive and negative text of each keyframe.
        noise: a :class:`~wan.host.noise.ChunkNoise`, or the seed of the first chunk.
        switch: steps after which the same model goes on as a second expert, with noise of its own; 0 for one alone.
    """
    from ..wan.host.inputs import ChunkInputs
    from ..wan.host.ksampler import Experts, HostSampler, Sampling
    from ..wan.host.noise import ChunkNoise

    encoded = [([[embed_text(text)[None], {}]], [[embed_text(other)[None], {}]]) for text, other in prompts]
    noise = noise if isinstance(noise, ChunkNoise) else ChunkNoise(noise)
    experts = Experts(model, model if switch else None, switch)
    return HostSampler(experts, Sampling(steps, cfg, sampler_name, scheduler), noise, ChunkInputs(encoded))


def context_windows(model, length: int, overlap: int):
    """A clone of ``model`` that denoises a long clip in the host's own context windows (WanContextWindowsManual).

    ComfyUI 0.3.75 does not cut the picture conditioning of image-to-video to a window, and fails; newer ones do, and
    so does this.

    Args:
        length: frames of a window, 4n + 1.
        overlap: frames that two windows share, 4k + 1.
    """
    from comfy_extras.nodes_context_windows import WanContextWindowsManualNode

    patched = WanContextWindowsManualNode.execute(model, length, overlap, "standard_static", 1, False, "pyramid")[0]
    handler = patched.model_options["context_handler"]
    cut = handler.get_resized_cond

    def cut_picture_too(conditions, x, window, device=None):
        resized = cut(conditions, x, window, device)
        for condition in resized or ():
            own = dict(condition["model_conds"])
            if own["c_concat"].cond.shape[2] == x.shape[2]:
                own["c_concat"] = own["c_concat"]._copy_with(window.get_tensor(own["c_concat"].cond, device))
            condition["model_conds"] = own
        return resized

    handler.get_resized_cond = cut_picture_too
    return patched


def batches(scenes: Scenes):
    """Slices of a batch of scenes, as index ranges."""
    for first in range(0, len(scenes.captions), BATCH):
        yield slice(first, first + BATCH)
