"""One guided chunk through the host's sampler by a model of full size, as far as that can be done without weights."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor

from ..wan import ChunkGuide, ChunkRequest, GuideSettings
from ..wan.continuity import guide_chunk
from ..wan.families import WAN_I2V, WAN_VACE
from ..wan.motion_tools import MotionTools
from .architectures import ARCHITECTURES, detect
from .card_loop import OVERLAP, SPEED, CellVae, Places, pattern

SMALL = {"dim": 128, "ffn_dim": 128, "num_heads": 1, "num_layers": 1}
"""The form of a stand-in that takes a second on a CPU."""
TOKENS, TEXT, FEATURES = 512, 4096, (1, 257, 1280)
"""Of a prompt, and of CLIP vision's picture."""


@dataclass(frozen=True)
class Sampling:
    """A chunk and what samples it: enough to do it again on other devices, in another size."""

    product: str
    """Of :data:`~benchmarks.architectures.ARCHITECTURES`."""
    steps: int = 2
    cfg: float = 1.0
    switch: int = 0
    """The first step of a second expert; 0 for one model."""
    sampler: str = "euler"
    continuity: str = "motion"
    dtype: torch.dtype = torch.float16
    size: tuple[int, int] = (64, 96)
    """Height and width."""
    length: int = 33
    """Frames."""
    stock: bool = False
    """Whether the host's KSampler node samples, which knows nothing of the whole run, rather than ours."""
    small: bool = True
    """Whether the model is a stand-in of one block."""

    def at(self, size: tuple[int, int]) -> Sampling:
        """The same by the model of full size, 81 frames."""
        return replace(self, size=size, length=81, small=False)

    def prepare(self, places: Places) -> tuple[Callable[[ChunkGuide], Tensor], ChunkGuide]:
        """The sampler, and the guide of a chunk that continues from 17 frames."""
        return self._sampler(places), self._guide(places)

    def _guide(self, places: Places) -> ChunkGuide:
        family = WAN_VACE if "VACE" in self.product else WAN_I2V
        known = pattern(self.size, 0, OVERLAP, device=places.frames)
        settings = GuideSettings(continuity=self.continuity)
        request = ChunkRequest(1, self.length, known, self.size, continues=True, settings=settings)
        return guide_chunk(request, CellVae(places), MotionTools(even_flow), family=family)

    def _sampler(self, places: Places) -> Callable[[ChunkGuide], Tensor]:
        from ..wan.host.inputs import ChunkInputs
        from ..wan.host.ksampler import Experts, HostSampler
        from ..wan.host.ksampler import Sampling as Options
        from ..wan.host.noise import ChunkNoise

        models = [self._model(places.host) for _ in range(2 if self.switch else 1)]
        if self.stock:
            return self._stock_sampler(models[0], places)
        prompt = _prompt(places)
        shown = SimpleNamespace(penultimate_hidden_states=torch.zeros(FEATURES, device=places.given))
        features: Any = (lambda request: shown) if "Wan2.1 I2V" in self.product else None
        experts = Experts(models[0], models[1] if self.switch else None, self.switch)
        options = Options(self.steps, self.cfg, self.sampler, "simple")
        return HostSampler(experts, options, ChunkNoise(1), ChunkInputs([(prompt, prompt)], features=features))

    def _stock_sampler(self, model: Any, places: Places) -> Callable[[ChunkGuide], Tensor]:
        import comfy.sample

        from ..wan.host.by_step import guide_by_step
        from ..wan.host.conditioning import apply_guide

        def run(guide: ChunkGuide) -> Tensor:
            told = apply_guide(_prompt(places), guide)
            return comfy.sample.sample(
                guide_by_step(model, guide),
                comfy.sample.prepare_noise(guide.samples, 1),
                self.steps,
                self.cfg,
                self.sampler,
                "simple",
                told,
                told,
                guide.samples,
                noise_mask=guide.noise_mask,
                disable_pbar=True,
                seed=1,
            )

        return run

    def _model(self, device: str) -> Any:
        import comfy.model_patcher

        architecture = ARCHITECTURES[self.product]
        if self.small:
            vace = {"vace_layers": 1} if "VACE" in self.product else {}
            architecture = replace(architecture, size=architecture.size | SMALL, form=architecture.form | vace)
        made = detect(architecture.state_dict(), device, torch.float32 if self.small else self.dtype)
        if self.small:
            for weight in made.parameters():
                weight.normal_(std=0.02)
        for module in made.modules():  # the host makes buffers on the CPU, and moves them when it loads a model
            for name, buffer in module.named_buffers(recurse=False):
                setattr(module, name, buffer.to(device))
        return comfy.model_patcher.ModelPatcher(
            made, load_device=torch.device(device), offload_device=torch.device("cpu")
        )


def _prompt(places: Places) -> list:
    return [[torch.zeros(1, TOKENS, TEXT, device=places.given), {"pooled_output": None}]]


def sample(prepared: tuple[Callable[[ChunkGuide], Tensor], ChunkGuide]) -> Tensor:
    """The sampled latent, ``(1, 16, T, h, w)``."""
    sampler, guide = prepared
    return sampler(guide)


def even_flow(first: Tensor, second: Tensor) -> Tensor:
    """The flow of :func:`~benchmarks.card_loop.pattern`, forward in the first half of the pairs and backward in the
    other, as an estimator is asked for it."""
    flow = torch.tensor([-SPEED[0], SPEED[1]]).to(first).view(1, 2, 1, 1)
    half = flow.expand(len(first) // 2, -1, *first.shape[-2:])
    return torch.cat((half, -half))
