"""The host's sampler over a run of chunks: one progress bar, live previews, a noise seed per chunk."""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass, field

import comfy.sample
import comfy.samplers
import comfy.utils
import latent_preview
from torch import Tensor

from .conditioning import apply_guide, release_by_step
from .features import FeatureTrack
from .guide import ChunkGuide
from .latents import TEMPORAL_STRIDE
from .noise import MAX_SEED, POLICIES, STRIDE, NoisePolicy, absolute_noise, chunk_seed

logger = logging.getLogger(__name__)


@dataclass
class HostSampler:
    """A KSampler that samples one guided chunk after another; see ``Tools.sample``."""

    model: object
    positive: list
    negative: list
    seed: int
    """Of the first chunk; by default each later chunk takes the next."""
    steps: int
    cfg: float
    sampler_name: str
    scheduler: str
    chunks: int
    """Chunks of the whole run, for the progress bar."""
    clip_vision_output: object | None = None
    noise: NoisePolicy = "per_chunk"
    seeds: tuple[int, ...] = ()
    """Of each chunk, for the policy ``list``."""
    features: FeatureTrack | None = None
    """Of CLIP vision by chunk, in place of ``clip_vision_output``."""
    _bar: comfy.utils.ProgressBar = field(init=False)
    _previewer: object | None = field(init=False)

    def __post_init__(self) -> None:
        # The host takes its first sampler or scheduler, without a word, for a name that it does not know.
        for name, options in (
            ("sampler_name", comfy.samplers.KSampler.SAMPLERS),
            ("scheduler", comfy.samplers.KSampler.SCHEDULERS),
            ("noise", POLICIES),
        ):
            if getattr(self, name) not in options:
                raise ValueError(f"{name} must be one of {', '.join(options)}, got {getattr(self, name)!r}.")
        if self.steps < 1:
            raise ValueError(f"steps must be at least 1, got {self.steps}.")
        if not math.isfinite(self.cfg):
            raise ValueError(f"cfg must be a finite number, got {self.cfg}.")
        if not 0 <= self.seed <= MAX_SEED:
            raise ValueError(f"seed must be in [0, {MAX_SEED}], got {self.seed}.")
        if self.noise == "list" and not self.seeds:
            raise ValueError("seed_list: noise is list, but no seed is named. Name one for each chunk, such as 7, 42.")
        self._bar = comfy.utils.ProgressBar(self.steps * self.chunks)
        self._previewer = latent_preview.get_previewer(self.model.load_device, self.model.model.latent_format)

    def __call__(self, guide: ChunkGuide) -> Tensor:
        """Sample the guided chunk, ``(1, 16, T, h, w)``; bit for bit what KSampler makes of the same inputs.

        But for noise that is drawn frame by frame of the whole video, which no KSampler draws.
        """
        again = guide.attempt * STRIDE
        seed = (chunk_seed(self.seed, guide.chunk_index, self.noise, self.seeds) + again) & MAX_SEED
        if self.noise == "absolute":
            # Times STRIDE once more: seeds of absolute noise are a STRIDE apart from frame to frame themselves.
            noise = absolute_noise(
                guide.samples, (self.seed + again * STRIDE) & MAX_SEED, guide.start // TEMPORAL_STRIDE
            )
        else:
            noise = comfy.sample.prepare_noise(guide.samples, seed)
        seen = self.clip_vision_output if self.features is None else self.features(guide)
        positive, negative = (apply_guide(conditioning, guide, seen) for conditioning in (self.positive, self.negative))
        model = self.model
        if guide.level == "motion":
            model = release_by_step(model, guide)
        if guide.chunk_index:
            logger.info("Applied motion guidance to conditioning for chunk %d", guide.chunk_index + 1)
        return comfy.sample.sample(
            model,
            noise,
            self.steps,
            self.cfg,
            self.sampler_name,
            self.scheduler,
            positive,
            negative,
            guide.samples,
            noise_mask=guide.noise_mask,
            callback=self._callback(guide.chunk_index),
            disable_pbar=not comfy.utils.PROGRESS_BAR_ENABLED,
            seed=seed,
        )

    def _callback(self, chunk_index: int):
        def callback(step, x0, x, total_steps):
            preview = self._previewer.decode_latent_to_preview_image("JPEG", x0) if self._previewer else None
            # A sampler may take more or fewer model calls than its steps: its own count sets the share.
            done = chunk_index + (step + 1) / total_steps
            self._bar.update_absolute(round(done * self.steps), self.steps * self.chunks, preview)

        return callback
