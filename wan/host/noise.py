"""The noise of each chunk of a run, as the host draws it."""

from __future__ import annotations

from dataclasses import dataclass

import comfy.sample
from torch import Tensor

from ..guide import ChunkGuide
from ..latents import TEMPORAL_STRIDE
from ..noise import MAX_SEED, POLICIES, STRIDE, NoisePolicy, absolute_noise, chunk_seed

SECOND_EXPERT = 0xD1342543DE82EF95
"""Added to the seed for the second expert's call: with one seed a stochastic sampler would draw the same noise twice,
which adds up instead of averaging out and stays in the picture."""
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
        return (chunk_seed(self.seed, guide.request.index, self.policy, self.seeds) + again) & MAX_SEED

    def draw(self, guide: ChunkGuide) -> Tensor:
        """``(1, 16, T, h, w)``: what the host draws for the chunk's seed, or, if absolute, by place in the video."""
        if self.policy != "absolute":
            return comfy.sample.prepare_noise(guide.samples, self.seed_of(guide))
        # Times STRIDE once more: seeds of absolute noise are a STRIDE apart from frame to frame themselves.
        seed = (self.seed + guide.attempt * STRIDE * STRIDE) & MAX_SEED
        return absolute_noise(guide.samples, seed, guide.request.start // TEMPORAL_STRIDE)

    def fingerprint(self, index: int) -> dict:
        """What a chunk's noise is drawn from."""
        if self.policy == "absolute":
            return {"noise": "absolute", "seed": self.seed}
        return {"seed": chunk_seed(self.seed, index, self.policy, self.seeds)}

    @property
    def warnings(self) -> tuple[str, ...]:
        """What of it is not used."""
        named = self.seeds and self.policy != "list"
        return (f"seed_list is not used, since noise is {self.policy}; set noise to list",) if named else ()

    def describe(self) -> str:
        if self.policy != "list":
            return f"noise {self.policy}, seed {self.seed}"
        more = len(self.seeds) - SHOWN
        return f"noise list, seed {', '.join(map(str, self.seeds[:SHOWN]))}" + (f" and {more} more" if more > 0 else "")
