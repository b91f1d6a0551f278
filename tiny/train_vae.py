"""Train the tiny Wan VAE: first on its teacher's latents, then encoder and decoder together."""

from __future__ import annotations

import logging
import math
from pathlib import Path
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .scenes import draw_scenes
from .teacher import Teacher, fit_teacher
from .training import Training, arguments, import_host

if TYPE_CHECKING:  # the host is imported once it is needed
    from comfy.ldm.wan.vae import WanVAE

logger = logging.getLogger(__name__)

DIM = 16
SHAPE = {
    "z_dim": 16,
    "dim_mult": [1, 2, 4, 4],
    "num_res_blocks": 2,
    "attn_scales": [],
    "temperal_downsample": [False, True, True],
    "dropout": 0.0,
}
CROP = 32


def main(argv: list[str]) -> None:
    options = arguments(__doc__).parse_args(argv)
    import_host()
    torch.set_num_threads(options.threads)
    torch.set_flush_denormal(True)
    torch.manual_seed(0)
    vae = load_exported(options.start) if options.start else new_vae()
    training = Training(vae, options.checkpoint, options.minutes, rate=1.5e-3)
    teacher = fit_teacher()
    generator = torch.Generator().manual_seed(1000 + training.step)
    pool = None
    for progress in training.steps():
        if options.start:
            progress = 1.0  # exported weights have been through the first stages, and need the last alone
        length, batch = _stage(progress, training.step)
        if pool is None or training.step % 8 == 0 or pool.shape[1] != length:
            pool = draw_scenes(48, length, generator).frames
        clips = _crops(pool, batch, generator)
        joint = max(0.0, (progress - 0.35) / 0.25)
        loss, figures = _loss(vae, teacher, clips, joint=min(1.0, joint))
        training.update(loss, figures)
    vae.load_state_dict(training.averaged)
    logger.info("held-out PSNR: %.2f dB", held_out_psnr(vae))
    if options.export:
        export(vae, options.export)


def new_vae() -> WanVAE:
    """The host's Wan VAE, initialised: its layers come with uninitialised weights."""
    from comfy.ldm.wan.vae import AttentionBlock, ResidualBlock, WanVAE

    vae = WanVAE(dim=DIM, **SHAPE)
    for module in vae.modules():
        if isinstance(module, nn.Conv2d | nn.Conv3d):
            nn.init.kaiming_uniform_(module.weight, a=1.0)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
            if isinstance(module, nn.Conv3d) and module.weight.shape[2:] == (3, 3, 3):
                with torch.no_grad():  # start nearly frame by frame: the last tap of three is the present
                    module.weight[:, :, :2] *= 0.1
                    module.weight[:, :, 2] *= 1.7
        elif isinstance(module, ResidualBlock):
            with torch.no_grad():
                module.residual[-1].weight *= 0.1
        elif isinstance(module, AttentionBlock):
            with torch.no_grad():
                module.proj.weight *= 0
    return vae


def held_out_psnr(vae: WanVAE, clips: int = 32) -> float:
    """Mean PSNR in dB of 17-frame clips that no training seed draws."""
    frames = draw_scenes(clips, 17, torch.Generator().manual_seed(7_000_000)).frames
    with torch.no_grad():
        video = (frames * 2 - 1).movedim(1, 2)
        decoded = torch.cat([vae.decode(vae.encode(clip)) for clip in video.split(4)])
    error = ((decoded.clamp(-1, 1) - video) / 2).square().mean(dim=(1, 2, 3, 4))
    return (-10 * error.log10()).mean().item()


def load_exported(path: Path) -> WanVAE:
    """The VAE of an exported file, in the model's space again."""
    from safetensors.torch import load_file

    vae = new_vae()
    mean, deviation = _latent_statistics()
    weights = {name: value.float() for name, value in load_file(path).items()}
    channels = len(mean)
    weights["conv1.bias"][:channels] = (weights["conv1.bias"][:channels] - mean) / deviation
    weights["conv1.weight"][:channels] /= deviation.view(-1, 1, 1, 1, 1)
    weights["conv2.bias"] += (weights["conv2.weight"].flatten(1) * mean).sum(1)
    weights["conv2.weight"] *= deviation.view(1, -1, 1, 1, 1)
    vae.load_state_dict(weights)
    return vae


def export(vae: WanVAE, path: Path) -> None:
    """Write float16 weights whose latents have the mean and deviation that the host's Wan format takes off.

    Both are folded into the 1 x 1 x 1 convolutions on either side of the bottleneck.
    """
    from safetensors.torch import save_file

    mean, deviation = _latent_statistics()
    weights = {name: value.detach().clone() for name, value in vae.state_dict().items()}
    channels = len(mean)
    weights["conv1.weight"][:channels] *= deviation.view(-1, 1, 1, 1, 1)
    weights["conv1.bias"][:channels] = weights["conv1.bias"][:channels] * deviation + mean
    weights["conv2.weight"] /= deviation.view(1, -1, 1, 1, 1)
    weights["conv2.bias"] -= (weights["conv2.weight"].flatten(1) * mean).sum(1)
    save_file({name: value.half().contiguous() for name, value in weights.items()}, path)


def _latent_statistics() -> tuple[Tensor, Tensor]:
    import comfy.latent_formats

    wan = comfy.latent_formats.Wan21()
    return wan.latents_mean.flatten(), wan.latents_std.flatten()


def _stage(progress: float, step: int) -> tuple[int, int]:
    """Frames and clips of a step: single frames, then a first group of four, then steady groups.

    Each stage needs the one before it. The last must be long: a causal VAE feeds on what it kept of
    earlier groups, and one that never saw more than two of them drifts from the third on.
    """
    if progress < 0.1:
        return 1, 64
    if progress < 0.4:
        return 5, 24
    if progress < 0.6:
        return 9, 12
    return (33, 3) if step // 8 % 4 == 0 else (17, 6)


def _crops(pool: Tensor, count: int, generator: torch.Generator) -> Tensor:
    """``count`` crops on the 8-pixel grid, ``(count, T, 3, CROP, CROP)``."""
    places = (pool.shape[-1] - CROP) // 8 + 1
    crops = []
    for index in torch.randperm(len(pool), generator=generator)[:count].tolist():
        y, x = (8 * torch.randint(0, places, (2,), generator=generator)).tolist()
        crops.append(pool[index, :, :, y : y + CROP, x : x + CROP])
    return torch.stack(crops)


def _loss(vae: WanVAE, teacher: Teacher, clips: Tensor, *, joint: float) -> tuple[Tensor, dict[str, float]]:
    """Latents like the teacher's, pictures like the clips; ``joint`` is the share that decodes its own latents."""
    lesson = teacher.encode(clips)
    video = (clips * 2 - 1).movedim(1, 2).contiguous(memory_format=torch.channels_last_3d)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        latent = vae.encode(video)
        taught = lesson + 0.05 * torch.randn_like(lesson)
        own = torch.rand(len(clips), 1, 1, 1, 1) < joint
        decoded = vae.decode(torch.where(own, latent.float() + 0.02 * torch.randn_like(lesson), taught)).float()
    encoding = F.mse_loss(latent.float(), lesson)
    error = F.mse_loss(decoded, video)
    loss = 0.3 * encoding + F.l1_loss(decoded, video) + 4 * error
    return loss, {"latent": encoding.item(), "psnr": -10 * math.log10(error.item() / 4)}
