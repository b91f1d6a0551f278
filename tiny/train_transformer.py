"""Train the tiny Wan2.1 I2V transformer by flow matching on latents of drawn scenes, on a CPU or on a card."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .clips import ClipPool, Encoder, Recipe, share_of_simple
from .teacher import fit_teacher
from .text import WIDTH
from .training import Training, arguments, import_host

if TYPE_CHECKING:  # the host is imported once it is needed
    from comfy.ldm.wan.model import WanModel

logger = logging.getLogger(__name__)

DIM, LAYERS, FFN = 256, 5, 416
HEAD = 128
"""Channels of a head; the host takes a Wan model's heads for so wide."""
LENGTHS = {17: 0.2, 25: 0.2, 33: 0.2, 41: 0.4}
KINDS = {"follows": {1: 0.3, 5: 0.15, 9: 0.4, 17: 0.15}, "first_frame": {1: 1.0}}
"""Known frames at the head of a clip and how often, by kind of model."""
KNOWN_WEIGHT = 0.5
"""Of a known latent's error in the loss; a free one's is 1."""
ROUGH, ROUGHEST = 0.5, 0.3
"""Share of clips whose known picture comes with noise, and its largest deviation: a later chunk knows frames that
went through the model and the VAE, whose own round trip leaves 0.16, and has to mend them."""
SHIFT = 3.0
HELD_OUT, JUDGED, JUDGED_CLIPS = 8_000_000, 41, 32
"""Seed, length and number of the clips that a run never trains on: a loss that is far lower on its own clips than on
these asks for more of them, by a lower ``--reuse``."""
CARD = {"first": 512, "size": 2048, "fresh": 128}
"""Of a clip pool on a card."""


def main(argv: list[str]) -> None:
    options = _arguments().parse_args(argv)
    import_host()
    torch.set_num_threads(options.threads)
    torch.set_flush_denormal(True)
    torch.manual_seed(0)
    device = torch.device(options.device)
    on_card = device.type == "cuda"
    if options.start:
        from safetensors.torch import load_file

        weights = load_file(options.start)
        model = new_transformer(*measure(weights))
        model.load_state_dict(weights, strict=False)  # but for the image branch
    else:
        model = new_transformer(DIM, LAYERS, FFN)
    embed_patches_by_product(model)
    model.to(device)
    if options.compile:
        torch._dynamo.config.cache_size_limit = 8 * len(LENGTHS) * len(model.blocks)
        for block in model.blocks:
            block.compile(dynamic=False)
    training = Training(
        model, options.checkpoint, options.minutes, rate=options.rate, average=1.0, matrices="blocks", decay=0.7
    )
    generator = torch.Generator().manual_seed(2000 + training.step)
    torch.manual_seed(3000 + training.step)
    simple = share_of_simple if options.start is None else lambda progress: 0.0
    pool = ClipPool(
        _encoder(options.vae, device),
        Recipe(LENGTHS, KINDS[options.kind]),
        generator,
        device=device,
        simple=simple(training.progress),
        reuse=options.reuse,
        **(CARD if on_card else {}),
    )

    def descend(length: int) -> Tensor:
        loss = flow_matching_loss(model, *pool.sample(length, options.batch))
        training.descend(loss)
        return loss.detach()

    step = {length: partial(descend, length) for length in LENGTHS}
    if options.graphs:
        _keep_times_on_card()
        training.rest()
        step = {length: _capture(one) for length, one in step.items()}
    logger.info("%.1f M weights, ready", sum(p.numel() for p in model.parameters()) / 1e6)
    lengths, shares = list(LENGTHS), torch.tensor(list(LENGTHS.values()))
    chooser = torch.Generator().manual_seed(4000 + training.step)

    held_out = ClipPool(
        pool.encode,
        Recipe({JUDGED: 1.0}, pool.recipe.known),
        torch.Generator().manual_seed(HELD_OUT),
        device=device,
        first=JUDGED_CLIPS,
        size=JUDGED_CLIPS,
    )

    def saved() -> None:
        with torch.no_grad():
            loss = flow_matching_loss(model, *held_out.sample(JUDGED, 4 * JUDGED_CLIPS))
        logger.info("held-out loss of %d: %.4f", JUDGED, loss)
        if options.export:
            export(training.averaged, options.export)

    for progress in training.steps(report=200 if on_card else 100, saved=saved):
        pool.simple = simple(progress)
        length = lengths[int(torch.multinomial(shares, 1, generator=chooser))]
        training.set_rate()
        loss = step[length]()
        training.advance({"loss": loss, f"loss of {length}": loss})
        pool.refresh(options.batch)


def _arguments() -> argparse.ArgumentParser:
    parser = arguments(__doc__)
    parser.add_argument("--kind", choices=KINDS, default="follows", help="which known frames it learns to heed")
    parser.add_argument("--vae", type=Path, help="exported VAE; without it the teacher's latents serve")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--rate", type=float, default=3e-3)
    parser.add_argument("--reuse", type=float, default=16.0, help="how often a clip is used, at least, on average")
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--compile", action="store_true", help="half as fast again; needs a C++ compiler")
    parser.add_argument("--graphs", action="store_true", help="each step one CUDA graph; for a card")
    return parser


def new_transformer(dim: int, layers: int, ffn: int, model_type: str = "t2v") -> WanModel:
    """The host's Wan2.1 transformer, initialised: its layers come with uninitialised weights.

    It is trained as ``t2v``, which lacks the image branch of the cross-attention and is otherwise the same.
    """
    import comfy.ops
    from comfy.ldm.wan.model import WanModel

    model = WanModel(
        model_type=model_type,
        in_dim=36,
        dim=dim,
        ffn_dim=ffn,
        num_heads=dim // HEAD,
        num_layers=layers,
        text_dim=WIDTH,
        out_dim=16,
        operations=comfy.ops.disable_weight_init,
        dtype=torch.float32,
    )
    for module in model.modules():
        if isinstance(module, nn.Linear | nn.Conv3d):
            nn.init.xavier_uniform_(module.weight.view(module.weight.shape[0], -1))
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif getattr(module, "weight", None) is not None:  # LayerNorm and RMSNorm
            nn.init.ones_(module.weight)
            if getattr(module, "bias", None) is not None:
                nn.init.zeros_(module.bias)
    for block in model.blocks:
        nn.init.normal_(block.modulation, std=dim**-0.5)
    nn.init.normal_(model.head.modulation, std=dim**-0.5)
    nn.init.zeros_(model.head.head.weight)
    nn.init.normal_(model.time_projection[1].weight, std=0.02)
    return model


def measure(weights: dict[str, Tensor]) -> tuple[int, int, int]:
    """Channels, layers and channels between an FFN's layers of a Wan transformer's weights."""
    layers = 1 + max(int(name.split(".")[1]) for name in weights if name.startswith("blocks."))
    ffn, dim = weights["blocks.0.ffn.0.weight"].shape
    return dim, layers, ffn


def export(weights: dict[str, Tensor], path: Path) -> None:
    """Write float16 weights with the image branch that makes the host see an I2V model.

    It is zero: there is no CLIP vision model this small, and without one the host feeds that branch the text.
    """
    from safetensors.torch import save_file

    whole = new_transformer(*measure(weights), "i2v").state_dict()
    for name in whole:
        if any(part in name for part in ("k_img", "v_img", "img_emb.proj.1", "img_emb.proj.3")) and "norm" not in name:
            whole[name] = torch.zeros_like(whole[name])
    whole.update(weights)
    save_file({name: value.half().cpu().contiguous() for name, value in whole.items()}, path)


def flow_matching_loss(model: WanModel, latent: Tensor, condition: Tensor, text: Tensor) -> Tensor:
    """Squared error of the velocity (noise minus latent) at a random sigma (Lipman et al. 2023).

    A clip's free latents weigh more than its known ones, and as much as another's, however few they are.
    """
    device = latent.device
    time = torch.rand(len(latent), device=device)
    sigma = (SHIFT * time / (1 + (SHIFT - 1) * time)).view(-1, 1, 1, 1, 1)
    noise = torch.randn_like(latent)
    condition = roughen(condition)
    with torch.autocast(device.type, dtype=torch.bfloat16):
        noisy = sigma * noise + (1 - sigma) * latent
        velocity = model(
            torch.cat((noisy, condition), dim=1),
            sigma.flatten() * 1000,
            text,
            transformer_options={"optimized_attention_override": _fused if device.type == "cuda" else _attention},
        )
    error = (velocity.float() - (noise - latent)).square().mean(dim=(1, 3, 4))  # (B, t)
    weight = 1 - (1 - KNOWN_WEIGHT) * condition[:, 0, :, 0, 0]  # channel 0 of the mask is 1 where a latent is known
    return (error * weight / weight.sum(dim=1, keepdim=True)).sum(dim=1).mean()


def roughen(condition: Tensor) -> Tensor:
    """``(B, 20, t, h, w)`` mask and picture; some of the known pictures get noise, each of a strength of its own."""
    mask, image = condition[:, :4], condition[:, 4:]
    strength, rough = torch.rand(2, len(image), 1, 1, 1, 1, device=image.device)
    strength = strength * ROUGHEST * (rough < ROUGH)
    return torch.cat((mask, image + strength * mask[:, :1] * torch.randn_like(image)), dim=1)


def embed_patches_by_product(model: WanModel) -> None:
    """Let ``model`` embed its patches by one matrix product, as good as its convolution whose step is its kernel.

    In bfloat16 the libraries' own three-dimensional convolutions can be many times slower.
    """
    convolution = model.patch_embedding
    steps, rows, columns = convolution.kernel_size

    def forward(video: Tensor) -> Tensor:
        b, c, t, h, w = video.shape
        cells = video.view(b, c, t // steps, steps, h // rows, rows, w // columns, columns)
        cells = cells.permute(0, 2, 4, 6, 1, 3, 5, 7).flatten(4)  # (B, t, h, w, c * patch)
        return F.linear(cells, convolution.weight.flatten(1), convolution.bias).movedim(-1, 1)

    convolution.forward = forward


def _encoder(exported: Path | None, device: torch.device) -> Encoder:
    if exported is None:
        teacher = fit_teacher()
        return lambda frames: teacher.encode(frames.cpu()).to(device)
    from .train_vae import load_exported

    vae = load_exported(exported).requires_grad_(False).to(device)
    if device.type == "cuda":
        torch.backends.cudnn.benchmark = True

    def encode(frames: Tensor) -> Tensor:
        video = (frames * 2 - 1).movedim(1, 2).contiguous(memory_format=torch.channels_last_3d)
        # TF32 on a card: cuDNN may have no three-dimensional convolution in bfloat16.
        with torch.autocast(device.type, dtype=torch.bfloat16, enabled=device.type == "cpu"):
            return vae.encode(video).float()

    return encode


def _keep_times_on_card() -> None:
    """The host makes its frequencies on the CPU at each step and copies them, which no CUDA graph can hold."""
    import comfy.ldm.wan.model as host

    def sinusoidal_embedding_1d(dim: int, position: Tensor) -> Tensor:
        place = torch.arange(dim // 2, device=position.device, dtype=torch.float32) / (dim // 2)
        angle = torch.outer(position.float(), torch.pow(10000, -place))
        return torch.cat((angle.cos(), angle.sin()), dim=1)

    host.sinusoidal_embedding_1d = sinusoidal_embedding_1d


def _capture(step: Callable[[], Tensor]) -> Callable[[], Tensor]:
    """A CUDA graph of ``step``, which is run a few times first: so it compiles, and optimizers make their state."""
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(3):
            step()
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        result = step()

    def replay() -> Tensor:
        graph.replay()
        return result

    return replay


def _attention(_, q: Tensor, k: Tensor, v: Tensor, heads: int, **options) -> Tensor:
    """Written out: over so few tokens the fused kernel's backward pass is five times slower on a CPU."""
    q, k, v = (x.unflatten(-1, (heads, -1)).transpose(1, 2) for x in (q, k, v))
    return (torch.softmax(q @ k.transpose(-1, -2) * q.shape[-1] ** -0.5, dim=-1) @ v).transpose(1, 2).flatten(2)


def _fused(_, q: Tensor, k: Tensor, v: Tensor, heads: int, **options) -> Tensor:
    q, k, v = (x.unflatten(-1, (heads, -1)).transpose(1, 2) for x in (q, k, v))
    return F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)
