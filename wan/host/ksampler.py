"""The host's sampler over a run of chunks: prompts and LoRAs of each, noise, progress, one expert or two."""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import comfy.sample
import comfy.samplers
import comfy.utils
import latent_preview
import torch
from torch import Tensor

from ..guidance_schedule import Schedule, guidance_warnings
from ..guide import ChunkGuide, GuideSettings
from ..latents import TEMPORAL_STRIDE
from ..prompts import Cue
from ..runs.fingerprint import digest, identify_model
from ..state import ChunkState
from .conditioning import apply_guide, release_by_step
from .encoding import mix_prompts
from .features import FeatureTrack
from .lora import LoraFiles, PatchedModel
from .noise import MAX_SEED, POLICIES, STRIDE, NoisePolicy, absolute_noise, chunk_seed

logger = logging.getLogger(__name__)

SECOND_EXPERT = 0xD1342543DE82EF95
"""Added to the seed for the second expert's call: with one seed a stochastic sampler would draw the same noise twice,
which adds up instead of averaging out and stays in the picture."""
RESOLUTION = 10_000
"""Of the progress bar, whose length in steps is not known before all chunks are planned."""
SHOWN = 8
"""Seeds of a list that the report repeats."""


@dataclass(frozen=True)
class ChunkNoise:
    """The noise of each chunk of a run."""

    seed: int
    """Of the first chunk; by default each later chunk takes the next."""
    policy: NoisePolicy = "per_chunk"
    seeds: tuple[int, ...] = ()
    """Of each chunk, for the policy ``list``."""

    def __post_init__(self) -> None:
        if self.policy not in POLICIES:
            raise ValueError(f"noise must be one of {', '.join(POLICIES)}, got {self.policy!r}.")
        if not 0 <= self.seed <= MAX_SEED:
            raise ValueError(f"seed must be in [0, {MAX_SEED}], got {self.seed}.")
        if self.policy == "list" and not self.seeds:
            raise ValueError("seed_list: noise is list, but no seed is named. Name one for each chunk, such as 7, 42.")

    def seed_of(self, guide: ChunkGuide) -> int:
        again = guide.attempt * STRIDE
        return (chunk_seed(self.seed, guide.chunk_index, self.policy, self.seeds) + again) & MAX_SEED

    def draw(self, guide: ChunkGuide) -> Tensor:
        """``(1, 16, T, h, w)``: what the host draws for the chunk's seed, or, if absolute, by place in the video."""
        if self.policy != "absolute":
            return comfy.sample.prepare_noise(guide.samples, self.seed_of(guide))
        # Times STRIDE once more: seeds of absolute noise are a STRIDE apart from frame to frame themselves.
        seed = (self.seed + guide.attempt * STRIDE * STRIDE) & MAX_SEED
        return absolute_noise(guide.samples, seed, guide.start // TEMPORAL_STRIDE)

    def told(self, index: int) -> dict:
        """What a chunk's noise is drawn from."""
        if self.policy == "absolute":
            return {"noise": "absolute", "seed": self.seed}
        return {"seed": chunk_seed(self.seed, index, self.policy, self.seeds)}

    def describe(self) -> str:
        if self.policy != "list":
            return f"noise {self.policy}, seed {self.seed}"
        more = len(self.seeds) - SHOWN
        return f"noise list, seed {', '.join(map(str, self.seeds[:SHOWN]))}" + (f" and {more} more" if more > 0 else "")


class Progress:
    """One bar over the whole video, with previews of the chunk that is being made."""

    def __init__(self, model):
        self._bar = comfy.utils.ProgressBar(RESOLUTION)
        self._previewer = latent_preview.get_previewer(model.load_device, model.model.latent_format)

    def callback(self, guide: ChunkGuide, first: float = 0.0, last: float = 1.0):
        """The host's callback of a sampler call that makes the part ``first`` to ``last`` of a chunk."""
        before, behind = guide.done

        def callback(step, x0, x, total_steps):
            preview = self._previewer.decode_latent_to_preview_image("JPEG", x0) if self._previewer else None
            # A sampler may take more or fewer model calls than its steps: its own count sets the share.
            share = first + (last - first) * (step + 1) / total_steps
            self._bar.update_absolute(round(RESOLUTION * (before + share * (behind - before))), RESOLUTION, preview)

        return callback


def schedule_warnings(schedule: Schedule, settings: GuideSettings) -> tuple[str, ...]:
    """What of a schedule keeps the guidance that settings ask for from doing what it is for."""
    return guidance_warnings(schedule, settings.motion_weight) if settings.level in ("auto", "motion") else ()


def tell_prompts(prompts: Sequence[tuple[list, list]], loras: LoraFiles | None, cue: Cue) -> dict:
    """What a chunk is told of prompts and LoRAs, for a run that is kept."""
    files = {} if loras is None else loras.identify(cue)
    return {"prompts": [digest(prompts[index]) for index, _ in cue.shares], "loras": files}


@dataclass
class HostSampler:
    """A KSampler that samples one guided chunk after another; see ``Tools.sample``."""

    model: object
    prompts: Sequence[tuple[list, list]]
    """Positive and negative conditioning of each entry."""
    noise: ChunkNoise
    steps: int
    cfg: float
    sampler_name: str
    scheduler: str
    features: FeatureTrack | None = None
    """Of CLIP vision, by chunk."""
    loras: LoraFiles | None = None
    low_noise: object | None = None
    """The second expert of Wan2.2, which takes over where little noise is left."""
    switch_step: int = 0
    """The first step of the second expert; 0 finds it by ``boundary``."""
    boundary: float = 0.9
    """The noise level, of 1, below which the second expert takes over."""
    _schedule: Schedule = field(init=False)
    _high: PatchedModel = field(init=False)
    _low: PatchedModel = field(init=False)
    _progress: Progress = field(init=False)
    _identity: dict = field(init=False, default_factory=dict)

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
        if not 0 <= self.switch_step < max(self.steps, 1):
            raise ValueError(f"switch_step must be less than the {self.steps} steps, got {self.switch_step}.")
        if not 0 < self.boundary < 1:
            raise ValueError(f"boundary must be between 0 and 1, got {self.boundary}.")
        self._schedule = self._read_schedule()
        if self.low_noise is not None and self.switch_step and self.switch_step >= self._schedule.steps:
            raise ValueError(
                f"switch_step must be less than the {self._schedule.steps} steps that scheduler {self.scheduler} makes "
                f"of {self.steps}, got {self.switch_step}."
            )
        self._high, self._low = PatchedModel(self.model, self.loras), PatchedModel(self.low_noise, self.loras)
        self._progress = Progress(self.model)

    def __call__(self, guide: ChunkGuide) -> Tensor:
        """Sample the guided chunk, ``(1, 16, T, h, w)``; bit for bit what KSampler makes of the same inputs.

        But for noise that is drawn frame by frame of the whole video, which no KSampler draws. With a second expert:
        what two KSamplerAdvanced make, the first of which passes its leftover noise on, each with a seed of its own.
        """
        model, noise = self._prepared(self._high, guide, guide.cue.loras), self.noise.draw(guide)
        seen = None if self.features is None else self.features(guide)
        told = [apply_guide(conditioning, guide, seen) for conditioning in mix_prompts(self.prompts, guide.cue)]
        if guide.chunk_index:
            logger.info("Applied motion guidance to conditioning for chunk %d", guide.chunk_index + 1)
        latent, seed, steps = guide.samples, self.noise.seed_of(guide), self._schedule.steps
        if self.low_noise is None:
            return self._sample(model, guide, told, noise, latent, seed, 0, steps)
        switch = self.switch()
        if switch > 0:
            latent = self._sample(model, guide, told, noise, latent, seed, 0, switch, leftover=switch < steps)
            noise, seed = torch.zeros_like(noise), (seed + SECOND_EXPERT) & MAX_SEED
        del model
        if switch < steps:
            model = self._prepared(self._low, guide, guide.cue.low_noise_loras)
            latent = self._sample(model, guide, told, noise, latent, seed, switch, steps, continues=switch > 0)
        return latent

    def switch(self) -> int:
        """The first step of the second expert."""
        return self._schedule.switch

    def describe(self) -> str:
        """What the report says of sampling."""
        words, schedule = self.noise.describe(), self._schedule
        if self.low_noise is not None:
            words += f"; model_low_noise takes over at step {schedule.switch} of {schedule.steps}"
        return words

    def warnings(self, settings: GuideSettings) -> tuple[str, ...]:
        """What of experts and schedule will not do what a user expects."""
        words = list(schedule_warnings(self._schedule, settings))
        if self.low_noise is not None:
            high, low = (self._levels(model).tolist() for model in (self.model, self.low_noise))
            switch = self._schedule.switch
            if len(high) != len(low) or abs(high[switch] - low[switch]) > 1e-3:
                words.append(
                    "model and model_low_noise have different shifts: the noise level jumps where the second takes "
                    f"over, from {high[switch]:.3f} to {low[min(switch, len(low) - 1)]:.3f}. Set the same shift on "
                    "both with ModelSamplingSD3"
                )
        return tuple(words)

    def told(self, state: ChunkState) -> dict:
        """What the next chunk is made from here, for a run that is kept."""
        cue = state.plan.cue(state.chunk)
        if not self._identity:
            self._identity["model"] = identify_model(self.model)
            if self.low_noise is not None:
                self._identity["model_low_noise"] = identify_model(self.low_noise)
                self._identity["switch"] = self.switch()
        return {
            **self._identity,
            **tell_prompts(self.prompts, self.loras, cue),
            **self.noise.told(state.made),
            "sampling": [self.steps, self.cfg, self.sampler_name, self.scheduler],
        }

    def _levels(self, model) -> Tensor:
        """The noise levels that the host runs a model through."""
        host = comfy.samplers.KSampler(model, self.steps, model.load_device, self.sampler_name, self.scheduler)
        return host.sigmas.cpu()

    def _read_schedule(self) -> Schedule:
        levels = self._levels(self.model)  # some schedulers make a step more or fewer than they are asked for
        if self.low_noise is None:
            return Schedule(levels)
        switch = self.switch_step or int((levels[:-1] >= self.boundary).sum())
        return Schedule(torch.cat((levels[:switch], self._levels(self.low_noise)[switch:])), switch)

    def _prepared(self, patched: PatchedModel, guide: ChunkGuide, loras):
        model = patched.under(loras)
        if self.loras is not None:
            self.loras.release(guide.cue)
        # One expert needs no help to hold what is pinned; the second of two would hold half-noised latents.
        if guide.level == "motion" or (self.low_noise is not None and guide.noise_mask is not None):
            model = release_by_step(model, guide, self._schedule)
        return model

    def _sample(
        self, model, guide, told, noise, latent, seed, first, last, *, leftover=False, continues=False
    ) -> Tensor:
        steps = self._schedule.steps
        part = {} if self.low_noise is None else {"start_step": first, "last_step": last}
        return comfy.sample.sample(
            model,
            noise,
            self.steps,
            self.cfg,
            self.sampler_name,
            self.scheduler,
            *told,
            latent,
            disable_noise=continues,
            force_full_denoise=bool(part) and not leftover,
            noise_mask=guide.noise_mask,
            callback=self._progress.callback(guide, first / steps, last / steps),
            disable_pbar=not comfy.utils.PROGRESS_BAR_ENABLED,
            seed=seed,
            **part,
        )
