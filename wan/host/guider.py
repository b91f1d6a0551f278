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
from ..settings import GuideSettings
from ..state import ChunkState
from .conditioning import add_values, guide_by_step
from .inputs import ChunkInputs
from .lora import PatchedModel
from .noise import ChunkNoise
from .objects import Guider, SamplerObject
from .progress import Progress

START, END = 0.95, 0.01
"""Shares of the model's highest noise level: a chunk is made from pure noise to none, not a part of the way."""


def check_sigmas(sigmas: Tensor, model_sampling) -> None:
    """Refuse noise levels that are not a whole schedule.

    Raises:
        ValueError: if they do not fall from near the model's highest level to 0.
    """
    if sigmas.ndim != 1 or len(sigmas) < 2:
        raise ValueError(f"sigmas: expected two or more noise levels, got {tuple(sigmas.shape)}.")
    levels, highest = sigmas.float().cpu(), float(model_sampling.sigma_max)
    if not torch.isfinite(levels).all() or (levels.diff() > 0).any():
        raise ValueError(f"sigmas: expected noise levels that fall, got {_listed(levels)}. Connect BasicScheduler.")
    if levels[0] < START * highest:
        raise ValueError(
            f"sigmas: they start at {levels[0]:.3g}, but a chunk is made from pure noise, at {highest:.3g}. Connect "
            "the sigmas of BasicScheduler at denoise 1, not a later part of them (low_sigmas of SplitSigmas)."
        )
    if levels[-1] > END * highest:
        raise ValueError(
            f"sigmas: they end at {levels[-1]:.3g}, which leaves noise in the picture; a whole schedule ends at 0. "
            "Connect the sigmas of BasicScheduler, not a first part of them (high_sigmas of SplitSigmas)."
        )


def _listed(levels: Tensor) -> str:
    words = [f"{level:.3g}" for level in levels.tolist()]
    return ", ".join(words if len(words) <= 8 else (*words[:4], "...", *words[-3:]))


@dataclass
class GuiderSampler:
    """A SamplerCustomAdvanced that samples one guided chunk after another; see :class:`~wan.protocols.Sampler`."""

    guider: Guider
    sampler: SamplerObject
    sigmas: Tensor
    noise: ChunkNoise
    inputs: ChunkInputs
    """Without prompts the guider's own hold."""
    _schedule: Schedule = field(init=False)
    _model: PatchedModel = field(init=False)
    _progress: Progress = field(init=False)
    _identity: dict = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        check_sigmas(self.sigmas, self.guider.model_patcher.get_model_object("model_sampling"))
        self._schedule = Schedule(self.sigmas.float().cpu())
        self._model = self.inputs.patched(self.guider.model_patcher)
        self._progress = Progress(self.guider.model_patcher)

    def __call__(self, guide: ChunkGuide) -> Tensor:
        """Sample the guided chunk, ``(1, 16, T, h, w)``; bit for bit what SamplerCustomAdvanced makes of the same."""
        guider = copy.copy(self.guider)  # the host caches it
        model = self._model.under(guide.request.prompt.loras)
        self.inputs.free(guide)
        if guide.end_percent is not None:
            model = guide_by_step(model, guide, self._schedule)
        guider.model_patcher, guider.model_options = model, model.model_options
        values = self.inputs.values(guide)
        guider.original_conds = {
            name: [add_values(condition, values) for condition in conditions]
            for name, conditions in self._conditions(guide).items()
        }
        samples = guider.sample(
            self.noise.draw(guide),
            guide.samples,
            self.sampler,
            self.sigmas,
            denoise_mask=guide.noise_mask,
            callback=self._progress.callback(guide),
            disable_pbar=not comfy.utils.PROGRESS_BAR_ENABLED,
            seed=self.noise.seed_of(guide),
        )
        return samples.to(comfy.model_management.intermediate_device())

    def describe(self) -> str:
        """What the report says of sampling."""
        return self.noise.describe()

    def warnings(self, settings: GuideSettings) -> tuple[str, ...]:
        """What of the schedule will not do what a user expects."""
        return schedule_warnings(self._schedule, settings)

    def fingerprint(self, state: ChunkState) -> dict:
        """What the next chunk is made from here, for a run that is kept."""
        if not self._identity:
            self._identity["model"] = identify_model(self.guider.model_patcher)
            settings = guider_settings(self.guider)
            self._identity["conditions"] = identify(settings.pop("original_conds"))
            self._identity["guider"] = identify(type(self.guider), settings)
            self._identity["sampling"] = identify(self.sampler, self.sigmas)
        return {**self._identity, **self.inputs.fingerprint(state), **self.noise.fingerprint(state.made)}

    def _conditions(self, guide: ChunkGuide) -> dict[str, list[dict]]:
        """The guider's conditions by name, with the prompts of the chunk in place of its own."""
        conditions = dict(self.guider.original_conds)
        if self.inputs.prompts:
            for name, prompt in zip(("positive", "negative"), self.inputs.mixed(guide), strict=True):
                if name in conditions:
                    conditions[name] = comfy.sampler_helpers.convert_cond(prompt)
        return conditions
