"""The host's KSampler over a run of chunks, with one expert or two."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import comfy.sample
import comfy.samplers
import comfy.utils
import torch
from torch import Tensor

from ..guidance_schedule import Schedule, schedule_warnings
from ..guide import ChunkGuide
from ..identity import identify_model
from ..noise import MAX_SEED
from ..settings import GuideSettings
from ..state import ChunkState
from .by_step import guide_by_step
from .inputs import ChunkInputs
from .lora import PatchedModel
from .noise import SECOND_EXPERT, ChunkNoise
from .objects import Model
from .progress import Progress


@dataclass(frozen=True)
class Sampling:
    """What KSampler is set to.

    Raises:
        ValueError: if the host knows no such sampler or scheduler, or a number is out of range.
    """

    steps: int
    cfg: float
    sampler_name: str
    scheduler: str

    def __post_init__(self) -> None:
        # The host takes its first sampler or scheduler, without a word, for a name that it does not know.
        for name, options in (
            ("sampler_name", comfy.samplers.KSampler.SAMPLERS),
            ("scheduler", comfy.samplers.KSampler.SCHEDULERS),
        ):
            if getattr(self, name) not in options:
                raise ValueError(f"{name} must be one of {', '.join(options)}, got {getattr(self, name)!r}.")
        if self.steps < 1:
            raise ValueError(f"steps must be at least 1, got {self.steps}.")
        if not math.isfinite(self.cfg):
            raise ValueError(f"cfg must be a finite number, got {self.cfg}.")


@dataclass(frozen=True)
class Experts:
    """The model that samples, or the two of Wan2.2 and where the second takes over."""

    model: Model
    low_noise: Model | None = None
    """The second expert, which takes over where little noise is left."""
    switch_step: int = 0
    """Its first step; 0 finds it by ``boundary``."""
    boundary: float = 0.9
    """The noise level, of 1, below which it takes over."""
    cfg_low_noise: float = 0.0
    """Its guidance scale; 0 takes that of the first."""

    def __post_init__(self) -> None:
        if self.switch_step < 0:
            raise ValueError(f"switch_step must be 0 or more, got {self.switch_step}.")
        if not 0 < self.boundary < 1:
            raise ValueError(f"boundary must be between 0 and 1, got {self.boundary}.")
        if not (math.isfinite(self.cfg_low_noise) and self.cfg_low_noise >= 0):
            raise ValueError(f"cfg_low_noise must be 0, for that of cfg, or more, got {self.cfg_low_noise}.")

    def levels(self, sampling: Sampling, low_noise: bool = False) -> Tensor:
        """The noise levels that the host runs one of the models through."""
        model = self.low_noise if low_noise else self.model
        assert model is not None  # only two experts are asked for the levels of the second
        host = comfy.samplers.KSampler(
            model, sampling.steps, model.load_device, sampling.sampler_name, sampling.scheduler
        )
        return host.sigmas.cpu()

    def schedule(self, sampling: Sampling) -> Schedule:
        """The noise levels of a whole run.

        Raises:
            ValueError: if there is no such step to switch at.
        """
        if self.switch_step >= max(sampling.steps, 1):
            raise ValueError(f"switch_step must be less than the {sampling.steps} steps, got {self.switch_step}.")
        levels = self.levels(sampling)  # some schedulers make a step more or fewer than they are asked for
        if self.low_noise is None:
            return Schedule(levels)
        switch = self.switch_step or int((levels[:-1] >= self.boundary).sum())
        schedule = Schedule(torch.cat((levels[:switch], self.levels(sampling, low_noise=True)[switch:])), switch)
        if self.switch_step and self.switch_step >= schedule.steps:
            raise ValueError(
                f"switch_step must be less than the {schedule.steps} steps that scheduler {sampling.scheduler} makes "
                f"of {sampling.steps}, got {self.switch_step}."
            )
        return schedule


@dataclass
class HostSampler:
    """A KSampler that samples one guided chunk after another; see :class:`~wan.protocols.Sampler`."""

    experts: Experts
    sampling: Sampling
    noise: ChunkNoise
    inputs: ChunkInputs
    _schedule: Schedule = field(init=False)
    _high: PatchedModel = field(init=False)
    _low: PatchedModel | None = field(init=False)
    _progress: Progress = field(init=False)
    _identity: dict = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._schedule = self.experts.schedule(self.sampling)
        high, low = self.experts.model, self.experts.low_noise
        self._high, self._low = self.inputs.patched(high), None if low is None else self.inputs.patched(low)
        self._progress = Progress(self.experts.model)

    def __call__(self, guide: ChunkGuide) -> Tensor:
        """Sample the guided chunk, ``(1, 16, T, h, w)``; bit for bit what KSampler makes of the same inputs.

        But for noise that is drawn frame by frame of the whole video, which no KSampler draws. With a second expert:
        what two KSamplerAdvanced make, the first of which passes its leftover noise on, each with a seed of its own.
        """
        prompt = guide.request.prompt
        model, noise = self._prepared(self._high, guide, prompt.loras), self.noise.draw(guide)
        conditioning = self.inputs.conditioning(guide)
        latent, seed, steps = guide.samples, self.noise.seed_of(guide), self._schedule.steps
        if self._low is None:
            return self._sample(model, guide, conditioning, noise, latent, seed, 0, steps)
        switch = self.switch()
        if switch > 0:
            latent = self._sample(model, guide, conditioning, noise, latent, seed, 0, switch, leftover=switch < steps)
            noise, seed = torch.zeros_like(noise), (seed + SECOND_EXPERT) & MAX_SEED
        del model
        if switch < steps:
            model = self._prepared(self._low, guide, prompt.low_noise_loras)
            latent = self._sample(
                model, guide, conditioning, noise, latent, seed, switch, steps, continues=switch > 0, cfg=self.cfgs[1]
            )
        return latent

    @property
    def cfgs(self) -> tuple[float, float]:
        """The guidance scale of each expert."""
        return self.sampling.cfg, self.experts.cfg_low_noise or self.sampling.cfg

    def switch(self) -> int:
        """The first step of the second expert."""
        return self._schedule.switch

    def describe(self) -> str:
        """What the report says of sampling."""
        words, schedule = self.noise.describe(), self._schedule
        if self.experts.low_noise is not None:
            (high, low), levels = self.cfgs, schedule.levels.tolist()
            words += (
                f"; model makes {schedule.switch} of {schedule.steps} steps, from noise level {levels[0]:.3f} at cfg "
                f"{high:g}; model_low_noise the rest, from {levels[schedule.switch]:.3f} at cfg {low:g}"
            )
        return words

    def warnings(self, settings: GuideSettings) -> tuple[str, ...]:
        """What of experts and schedule will not do what a user expects."""
        words = list(schedule_warnings(self._schedule, settings))
        if self.experts.low_noise is not None:
            high, low = (self.experts.levels(self.sampling, low).tolist() for low in (False, True))
            switch = self._schedule.switch
            if len(high) != len(low) or abs(high[switch] - low[switch]) > 1e-3:
                words.append(
                    "model and model_low_noise have different shifts: the noise level jumps where the second takes "
                    f"over, from {high[switch]:.3f} to {low[min(switch, len(low) - 1)]:.3f}. Set the same shift on "
                    "both with ModelSamplingSD3"
                )
        return tuple(words)

    def fingerprint(self, state: ChunkState) -> dict:
        """What the next chunk is made from here, for a run that is kept."""
        if not self._identity:
            self._identity["model"] = identify_model(self.experts.model)
            if self.experts.low_noise is not None:
                self._identity["model_low_noise"] = identify_model(self.experts.low_noise)
                self._identity |= {"switch": self.switch(), "cfg_low_noise": self.cfgs[1]}
        sampling = self.sampling
        return {
            **self._identity,
            **self.inputs.fingerprint(state),
            **self.noise.fingerprint(state.made),
            "sampling": [sampling.steps, sampling.cfg, sampling.sampler_name, sampling.scheduler],
        }

    def _prepared(self, patched: PatchedModel, guide: ChunkGuide, loras):
        model = patched.under(loras)
        self.inputs.free(guide)
        # One expert needs no help to hold what is pinned; the second of two would hold half-noised latents.
        if guide.end_percent is not None or (self.experts.low_noise is not None and guide.noise_mask is not None):
            model = guide_by_step(model, guide, self._schedule)
        return model

    def _sample(
        self, model, guide, conditioning, noise, latent, seed, first, last, *, leftover=False, continues=False, cfg=None
    ) -> Tensor:
        steps, sampling = self._schedule.steps, self.sampling
        part = {} if self.experts.low_noise is None else {"start_step": first, "last_step": last}
        return comfy.sample.sample(
            model,
            noise,
            sampling.steps,
            sampling.cfg if cfg is None else cfg,
            sampling.sampler_name,
            sampling.scheduler,
            *conditioning,
            latent,
            disable_noise=continues,
            force_full_denoise=bool(part) and not leftover,
            noise_mask=guide.noise_mask,
            callback=self._progress.callback(guide, first / steps, last / steps),
            disable_pbar=not comfy.utils.PROGRESS_BAR_ENABLED,
            seed=seed,
            **part,
        )
