"""Train the tiny Wan2.1 I2V transformer by flow matching on latents of drawn scenes."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import torch
from torch import Tensor, nn

from .scenes import draw_scenes
from .teacher import fit_teacher
from .text import TOKENS, WIDTH, embed_text
from .training import Training, arguments, import_host

logger = logging.getLogger(__name__)

DIM, LAYERS, FFN = 128, 8, 384
LENGTH = 17
KNOWN = {1: 0.4, 5: 0.1, 9: 0.4, 13: 0.1}
"""Known frames at the head of a clip, and how often."""
KNOWN_WEIGHT = 0.5
"""Of a known latent's error in the loss; a free one's is 1."""
TURN = 0.1
"""Share of sprites that change their course in a clip, which nobody can foresee."""
SHIFT = 3.0
SILENT = 0.1
"""Share of clips whose caption is dropped, for classifier-free guidance."""

Encoder = Callable[[Tensor], Tensor]
"""Frames ``(B, T, 3, H, W)`` in [0, 1] to latents ``(B, 16, t, h, w)`` in the model's space."""


def main(argv: list[str]) -> None:
    parser = arguments(__doc__)
    parser.add_argument("--vae", type=Path, help="exported VAE; without it the teacher's latents serve")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--compile", action="store_true", help="half as fast again; needs a C++ compiler")
    options = parser.parse_args(argv)
    import_host()
    torch.set_num_threads(options.threads)
    torch.set_flush_denormal(True)
    torch.manual_seed(0)
    model = new_transformer()
    if options.start:
        from safetensors.torch import load_file

        model.load_state_dict(load_file(options.start), strict=False)  # but for the image branch
    if options.compile:
        for block in model.blocks:
            block.compile(dynamic=False)
    training = Training(
        model, options.checkpoint, options.minutes, rate=3e-3, average=0.998, matrices="blocks", decay=0.7
    )
    generator = torch.Generator().manual_seed(2000 + training.step)
    torch.manual_seed(3000 + training.step)
    simple = _simple if options.start is None else lambda progress: 0.0
    pool = ClipPool(_encoder(options.vae), generator, simple=simple(training.progress))
    for progress in training.steps(report=100):
        pool.simple = simple(progress)
        loss = flow_matching_loss(model, *pool.sample(options.batch))
        training.update(loss, {"loss": loss.item()})
        if training.step % 2 == 0:
            pool.refresh()
    model.load_state_dict(training.averaged)
    if options.export:
        export(model, options.export)


def new_transformer(model_type: str = "t2v") -> nn.Module:
    """The host's Wan2.1 transformer, initialised: its layers come with uninitialised weights.

    It is trained as ``t2v``, which lacks the image branch of the cross-attention and is otherwise the same.
    """
    import comfy.ops
    from comfy.ldm.wan.model import WanModel

    model = WanModel(
        model_type=model_type,
        in_dim=36,
        dim=DIM,
        ffn_dim=FFN,
        num_heads=DIM // 128,
        num_layers=LAYERS,
        text_dim=WIDTH,
        out_dim=16,
        operations=comfy.ops.disable_weight_init,
        dtype=torch.float32,
    )
    for module in model.modules():
        if isinstance(module, nn.Linear | nn.Conv3d):
            nn.init.xavier_uniform_(module.weight.view(module.weight.shape[0], -1))
            nn.init.zeros_(module.bias)
        elif getattr(module, "weight", None) is not None:  # LayerNorm and RMSNorm
            nn.init.ones_(module.weight)
            if getattr(module, "bias", None) is not None:
                nn.init.zeros_(module.bias)
    for block in model.blocks:
        nn.init.normal_(block.modulation, std=DIM**-0.5)
    nn.init.normal_(model.head.modulation, std=DIM**-0.5)
    nn.init.zeros_(model.head.head.weight)
    nn.init.normal_(model.time_projection[1].weight, std=0.02)
    return model


def export(model: nn.Module, path: Path) -> None:
    """Write float16 weights with the image branch that makes the host see an I2V model.

    Its values are zero: there is no CLIP vision model this small, and without one the host feeds
    that branch the text.
    """
    from safetensors.torch import save_file

    weights = new_transformer("i2v").state_dict()
    for name in weights:
        if "v_img" in name:
            weights[name] = torch.zeros_like(weights[name])
    weights.update(model.state_dict())
    save_file({name: value.half().contiguous() for name, value in weights.items()}, path)


def flow_matching_loss(model: nn.Module, latent: Tensor, condition: Tensor, text: Tensor) -> Tensor:
    """Squared error of the velocity (noise minus latent) at a random sigma (Lipman et al. 2023).

    A clip's free latents weigh more than its known ones, and as much as another's, however few they are.
    """
    time = torch.rand(len(latent))
    sigma = (SHIFT * time / (1 + (SHIFT - 1) * time)).view(-1, 1, 1, 1, 1)
    noise = torch.randn_like(latent)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        noisy = sigma * noise + (1 - sigma) * latent
        velocity = model(
            torch.cat((noisy, condition), dim=1),
            sigma.flatten() * 1000,
            text,
            transformer_options={"optimized_attention_override": _attention},
        )
    error = (velocity.float() - (noise - latent)).square().mean(dim=(1, 3, 4))  # (B, t)
    weight = 1 - (1 - KNOWN_WEIGHT) * condition[:, 0, :, 0, 0]  # channel 0 of the mask is 1 where a latent is known
    return (error * weight / weight.sum(dim=1, keepdim=True)).sum(dim=1).mean()


class ClipPool:
    """Encoded clips, drawn and encoded by a thread of their own while the training goes on.

    The pool starts with ``first`` clips, grows to ``size``, and from then on replaces its oldest.
    ``simple`` is the share of new clips with one sprite on a still background.
    """

    def __init__(
        self,
        encode: Encoder,
        generator: torch.Generator,
        *,
        simple: float = 0.0,
        first: int = 384,
        size: int = 8192,
        fresh: int = 8,
    ):
        self.encode, self.simple, self.size, self.fresh = encode, simple, size, fresh
        self.generator = generator  # of the thread that draws, as long as it runs
        self.chooser = torch.Generator().manual_seed(generator.initial_seed() + 1)
        self.clips = [clip for _ in range(first // fresh) for clip in self._draw(fresh)]
        self.oldest = 0
        self.worker = ThreadPoolExecutor(max_workers=1)
        self.coming = self.worker.submit(self._draw, fresh)

    def sample(self, count: int) -> tuple[Tensor, Tensor, Tensor]:
        chosen = torch.randint(0, len(self.clips), (count,), generator=self.chooser).tolist()
        latent, condition, text = zip(*(self.clips[index] for index in chosen), strict=True)
        return torch.stack(latent), torch.stack(condition), torch.stack(text).float()

    def refresh(self) -> None:
        """Take in the clips that are ready, if any are."""
        if not self.coming.done():
            return
        for clip in self.coming.result():
            if len(self.clips) < self.size:
                self.clips.append(clip)
            else:
                self.clips[self.oldest] = clip
                self.oldest = (self.oldest + 1) % self.size
        self.coming = self.worker.submit(self._draw, self.fresh)

    def _draw(self, count: int) -> list[tuple[Tensor, Tensor, Tensor]]:
        simple = torch.rand((), generator=self.generator) < self.simple
        busy = {"two_sprites": 0.0, "pan": 0.0} if simple else {}
        weights = torch.tensor(list(KNOWN.values()))
        known = torch.multinomial(weights, count, replacement=True, generator=self.generator)
        known = torch.tensor(list(KNOWN))[known]
        scenes = draw_scenes(count, LENGTH, self.generator, turn=TURN, say_motion=0.8, told=known - 1, **busy)
        known = known.view(-1, 1, 1, 1, 1)
        unknown = torch.arange(LENGTH).view(1, -1, 1, 1, 1) >= known
        canvas = torch.where(unknown, torch.tensor(0.5), scenes.frames)
        with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
            latent, image = self.encode(torch.cat((scenes.frames, canvas))).float().chunk(2)
        # The model's mask is 1 where a frame is known; of 4k + 1 known frames the first k + 1 latents.
        latents = torch.arange(latent.shape[2]).view(1, 1, -1, 1, 1)
        mask = (latents <= (known - 1) // 4).float().expand(count, 4, -1, *latent.shape[3:])
        condition = torch.cat((mask, image), dim=1)
        silent = torch.rand(count, generator=self.generator) < SILENT
        texts = ["" if quiet else caption for caption, quiet in zip(scenes.captions, silent, strict=True)]
        return [
            (latent[i].clone(), condition[i].clone(), embed_text(text)[:TOKENS].half()) for i, text in enumerate(texts)
        ]


def _simple(progress: float) -> float:
    """Share of simple scenes: only they at first, none from 40 % on.

    In the full mix from the start, thousands of steps teach a model this small to copy the last frame; in
    simple scenes, hundreds teach it to move.
    """
    return 1 - min(1.0, max(0.0, (progress - 0.1) / 0.3))


def _encoder(exported: Path | None) -> Encoder:
    if exported is None:
        return fit_teacher().encode
    from .train_vae import load_exported

    vae = load_exported(exported)
    return lambda frames: vae.encode((frames * 2 - 1).movedim(1, 2).contiguous(memory_format=torch.channels_last_3d))


def _attention(_, q: Tensor, k: Tensor, v: Tensor, heads: int, **options) -> Tensor:
    """One head, written out: over so few tokens the fused kernel's backward pass is five times slower on a CPU."""
    assert heads == 1
    return torch.softmax(q @ k.transpose(1, 2) * q.shape[-1] ** -0.5, dim=-1) @ v
