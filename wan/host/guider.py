"""The host's custom sampling over a run of chunks: any GUIDER, SAMPLER and SIGMAS of the graph."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field

import comfy.model_management
import comfy.sampler_helpers
import comfy.utils
import torch
from torch import Tensor

from ..guidance_schedule import Schedule, schedule_warnings
from ..guide import ChunkGuide
from ..identity import identify, identify_model
from ..identity.models import guider_settings
from ..noise import MAX_SEED
from ..settings import GuideSettings
from ..state import ChunkState
from .by_step import guide_by_step
from .conditioning import add_values
from .inputs import ChunkInputs
from .lora import PatchedModel
from .noise import SECOND_EXPERT, ChunkNoise
from .objects import Guider, SamplerObject
from .progress import Progress

SAME = 1e-3
"""How far the noise levels may be apart at which one expert ends and the other begins."""
START, END = 0.95, 0.01
"""Shares of the model's highest noise level: a chunk is made from pure noise to none, not a part of the way."""


@dataclass(frozen=True)
class Part:
    """What makes a chunk, or one expert's part of it."""

    guider: Guider
    sampler: SamplerObject
    sigmas: Tensor

    def check(self, name: str, *, first: bool = True, last: bool = True) -> None:
        """Refuse noise levels that are not a whole schedule, or the first or the last part of one.

        Raises:
            ValueError: if they do not fall, or not from near the model's highest level, or not to 0.
        """
        sigmas, highest = self.sigmas, float(self.guider.model_patcher.get_model_object("model_sampling").sigma_max)
        if sigmas.ndim != 1 or len(sigmas) < 2:
            raise ValueError(f"{name}: expected two or more noise levels, got {tuple(sigmas.shape)}.")
        levels = sigmas.float().cpu()
        if not torch.isfinite(levels).all() or (levels.diff() > 0).any():
            raise ValueError(f"{name}: expected noise levels that fall, got {_listed(levels)}. Connect BasicScheduler.")
        if first and levels[0] < START * highest:
            raise ValueError(
                f"{name}: they start at {levels[0]:.3g}, but a chunk is made from pure noise, at {highest:.3g}. "
                "Connect the sigmas of BasicScheduler at denoise 1, not a later part of them (low_sigmas of "
                "SplitSigmas), which belongs to sigmas_low_noise."
            )
        if last and levels[-1] > END * highest:
            raise ValueError(
                f"{name}: they end at {levels[-1]:.3g}, which leaves noise in the picture; a whole schedule ends at 0. "
                "Connect the sigmas of BasicScheduler, not a first part of them (high_sigmas of SplitSigmas), unless "
                "guider_low_noise makes the rest."
            )


def join_parts(high: Part, low: Part | None) -> Schedule:
    """The noise levels of a whole chunk.

    Raises:
        ValueError: if they are not whole, or the second part does not begin where the first one ends.
    """
    high.check("sigmas", last=low is None)
    if low is None:
        return Schedule(high.sigmas.float().cpu())
    low.check("sigmas_low_noise", first=False)
    ends, starts = (float(level) for level in (high.sigmas[-1], low.sigmas[0]))
    if abs(ends - starts) > SAME * max(ends, starts):
        raise ValueError(
            f"sigmas_low_noise: they start at {starts:.3g}, but sigmas end at {ends:.3g}. Connect both outputs of one "
            "SplitSigmas."
        )
    levels = torch.cat((high.sigmas.float().cpu()[:-1], low.sigmas.float().cpu()))
    return Schedule(levels, len(high.sigmas) - 1)


def _listed(levels: Tensor) -> str:
    words = [f"{level:.3g}" for level in levels.tolist()]
    return ", ".join(words if len(words) <= 8 else (*words[:4], "...", *words[-3:]))


@dataclass
class GuiderSampler:
    """A SamplerCustomAdvanced that samples one guided chunk after another; see :class:`~wan.protocols.Sampler`."""

    high: Part
    """All of a chunk, or what the high-noise expert makes of it."""
    noise: ChunkNoise
    inputs: ChunkInputs
    """Without prompts the guiders' own hold."""
    low: Part | None = None
    """What the low-noise expert makes."""
    _schedule: Schedule = field(init=False)
    _models: list[PatchedModel] = field(init=False)
    _progress: Progress = field(init=False)
    _identity: dict = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._schedule = join_parts(self.high, self.low)
        self._models = [self.inputs.patched(part.guider.model_patcher) for part in self._parts]
        self._progress = Progress(self.high.guider.model_patcher)

    @property
    def _parts(self) -> list[Part]:
        return [part for part in (self.high, self.low) if part is not None]

    def __call__(self, guide: ChunkGuide) -> Tensor:
        """Sample the guided chunk, ``(1, 16, T, h, w)``; bit for bit what SamplerCustomAdvanced makes of the same, or
        two of them, the second without noise of its own and with another seed."""
        latent, noise, seed = guide.samples, self.noise.draw(guide), self.noise.seed_of(guide)
        for index in range(len(self._parts)):
            latent = self._sample(index, guide, noise, latent, seed)
            noise, seed = torch.zeros_like(noise), (seed + SECOND_EXPERT) & MAX_SEED
        return latent

    def _sample(self, index: int, guide: ChunkGuide, noise: Tensor, latent: Tensor, seed: int) -> Tensor:
        part, prompt, whole = self._parts[index], guide.request.prompt, self._schedule
        guider = copy.copy(part.guider)  # the host caches it
        model = self._models[index].under(prompt.low_noise_loras if index else prompt.loras)
        self.inputs.free(guide)
        if guide.end_percent is not None or (self.low is not None and guide.noise_mask is not None):
            model = guide_by_step(model, guide, whole)
        guider.model_patcher, guider.model_options = model, model.model_options
        values = self.inputs.values(guide)
        guider.original_conds = {
            name: [add_values(condition, values) for condition in conditions]
            for name, conditions in self._conditions(part.guider, guide).items()
        }
        first, last = (0, whole.switch) if self.low is not None and not index else (whole.switch, whole.steps)
        samples = guider.sample(
            noise,
            latent,
            part.sampler,
            part.sigmas,
            denoise_mask=guide.noise_mask,
            callback=self._progress.callback(guide, first / whole.steps, last / whole.steps),
            disable_pbar=not comfy.utils.PROGRESS_BAR_ENABLED,
            seed=seed,
        )
        return samples.to(comfy.model_management.intermediate_device())

    def describe(self) -> str:
        """What the report says of sampling."""
        words, schedule = self.noise.describe(), self._schedule
        if self.low is not None:
            level = schedule.levels[schedule.switch].item()
            words += (
                f"; guider makes {schedule.switch} of {schedule.steps} steps; guider_low_noise the rest, from noise "
                f"level {level:.3f}"
            )
        return words

    def warnings(self, settings: GuideSettings) -> tuple[str, ...]:
        """What of the schedule will not do what a user expects."""
        return schedule_warnings(self._schedule, settings)

    def fingerprint(self, state: ChunkState) -> dict:
        """What the next chunk is made from here, for a run that is kept."""
        for name, part in zip(("", "_low_noise"), () if self._identity else self._parts, strict=False):
            self._identity[f"model{name}"] = identify_model(part.guider.model_patcher)
            settings = guider_settings(part.guider)
            self._identity[f"conditions{name}"] = identify(settings.pop("original_conds"))
            self._identity[f"guider{name}"] = identify(type(part.guider), settings)
            self._identity[f"sampling{name}"] = identify(part.sampler, part.sigmas)
        return {**self._identity, **self.inputs.fingerprint(state), **self.noise.fingerprint(state.made)}

    def _conditions(self, guider: Guider, guide: ChunkGuide) -> dict[str, list[dict]]:
        """A guider's conditions by name, with the prompts of the chunk in place of its own."""
        conditions = dict(guider.original_conds)
        if self.inputs.prompts:
            for name, prompt in zip(("positive", "negative"), self.inputs.mixed(guide), strict=True):
                if name in conditions:
                    conditions[name] = comfy.sampler_helpers.convert_cond(prompt)
        return conditions
