"""What the chunk loop calls, and what it may expect of it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from torch import Tensor

from ..motion import FlowEstimator
from .records import ContinuityRecord, Reason

if TYPE_CHECKING:  # these modules need the protocols
    from .guide import ChunkGuide, ChunkRequest
    from .motion_tools import MotionTools
    from .settings import GuideSettings
    from .state import ChunkState

Estimator = str | FlowEstimator
"""Of optical flow: a registered name, or anything that can be called like a :class:`~motion.FlowEstimator`."""


class Vae(Protocol):
    """The host's VAE, or anything that behaves as it does."""

    @abstractmethod
    def encode(self, pixels: Tensor) -> Tensor:
        """``(T, H, W, 3)`` in [0, 1] to ``(1, 16, t, h, w)``."""

    @abstractmethod
    def decode(self, latent: Tensor) -> Tensor:
        """``(1, 16, t, h, w)`` to ``(1, T, H, W, 3)`` in [0, 1]."""


class Sampler(Protocol):
    """Samples one guided chunk after another."""

    @abstractmethod
    def __call__(self, guide: ChunkGuide) -> Tensor:
        """The sampled latent, ``(1, 16, T, h, w)``: the guide's samples, denoised under its conditioning.

        It holds what ``noise_mask`` holds, follows ``end_percent`` where the guide has one, and draws from another seed
        for each ``attempt``.
        """

    @abstractmethod
    def describe(self) -> str:
        """What the report says of it before the first chunk: noise, seeds, where experts change."""

    @abstractmethod
    def warnings(self, settings: GuideSettings) -> tuple[str, ...]:
        """What of the settings it cannot do as a user expects."""

    @abstractmethod
    def fingerprint(self, state: ChunkState) -> dict:
        """Everything of it that the next chunk of a state depends on, as JSON can hold it."""


class ChunkStore(Protocol):
    """Keeps finished chunks."""

    @abstractmethod
    def recall(self, state: ChunkState) -> ChunkState:
        """The state behind its next chunk, if an equal one is kept; else the state that this chunk is to be made from,
        told of the end that it is to keep, if a kept chunk goes on from there."""

    @abstractmethod
    def keep(self, before: ChunkState, made: ChunkState) -> ChunkState:
        """Keep the chunk by which two states differ; returns the later one as it is kept."""


@dataclass(frozen=True)
class Conditioned:
    """What a model family makes of a chunk's known frames."""

    values: Mapping[str, Any]
    """Conditioning by the host's keys, such as ``concat_latent_image``, as the host reads it."""
    latents: Tensor
    """``(1, 16, T, h, w)``: the chunk with its known frames encoded; what stands for unknown frames means nothing."""
    lead: int = 0
    """Latents that the model makes in front of these, for pictures that are no part of the chunk."""


class Family(Protocol):
    """A family of models that are conditioned in one way."""

    @property
    @abstractmethod
    def name(self) -> str:
        """As kept chunks know it."""

    @property
    @abstractmethod
    def expected(self) -> tuple[str, ...]:
        """What an error says of the models that it takes."""

    @property
    @abstractmethod
    def starts_from_prompt(self) -> bool:
        """Whether it makes a first chunk without any frame to start from."""

    @property
    @abstractmethod
    def takes_reference(self) -> bool:
        """Whether it takes a picture of what is to be seen, at no place of the video."""

    @property
    @abstractmethod
    def files(self) -> tuple[str, ...]:
        """What an error says to load: how such files are called."""

    @abstractmethod
    def takes(self, model: Any) -> bool:
        """Whether the host's MODEL is of this family."""

    @abstractmethod
    def condition(self, request: ChunkRequest, vae: Vae) -> Conditioned:
        """Condition a chunk on its known head frames, its known tail frame, the latents that it reuses, and the picture
        that its scene began with."""


@dataclass(frozen=True)
class Hold:
    """What of a chunk is held through sampling, for how long, and why; the latents in front of it aside."""

    record: ContinuityRecord
    samples: Tensor
    """``(1, 16, T, h, w)``: the start latent; real latents where held or predicted, zeros where free."""
    noise_mask: Tensor | None = None
    """``(1, 1, T, h, w)``: 0 where ``samples`` is held through sampling, 1 where it is free; None holds nothing."""
    end_percent: Tensor | None = None
    """``(1, 1, T, h, w)`` in [0, 1]: the share of the steps for which ``samples`` is held where the mask is 1."""
    shows_overlap: bool = True
    """Whether the chunk's first frames show what the video's last ones do, so that they can be joined."""
    rest: Tensor | None = None
    """``(1, 16, 1, h, w)``: the last known latent, were the first known frame to stand still, where that is to tell how
    far the model follows the known frames."""


class ByFamily:
    """What most levels have in common: the model is told what its family makes of the known frames."""

    overlap: int | None = None
    latents = 0
    starts_scenes = False
    ignored: tuple[str, ...] = ()

    def condition(self, request: ChunkRequest, vae: Vae, family: Family) -> Conditioned:
        return family.condition(request, vae)


class Level(Protocol):
    """A level of continuity: how a chunk is tied to the one before it."""

    @property
    @abstractmethod
    def name(self) -> str:
        """As users choose it."""

    @property
    @abstractmethod
    def summary(self) -> str:
        """For the tooltip: what it adds to the level below."""

    @property
    @abstractmethod
    def overlap(self) -> int | None:
        """How many frames it continues from, whatever is asked; None: as many as are asked for."""

    @property
    @abstractmethod
    def latents(self) -> int:
        """How many of the last latents of the chunk before it reads, whatever became of their frames."""

    @property
    @abstractmethod
    def starts_scenes(self) -> bool:
        """Whether it makes a chunk that continues nothing in its own way too."""

    @property
    @abstractmethod
    def ignored(self) -> tuple[str, ...]:
        """Knobs that it does not use, and that are refused with it."""

    @property
    @abstractmethod
    def holds(self) -> bool:
        """Whether it holds the known frames through sampling, so that they come out as they went in."""

    @property
    @abstractmethod
    def by_step(self) -> bool:
        """Whether it needs a sampler that follows ``end_percent``."""

    @property
    @abstractmethod
    def fallback(self) -> str | None:
        """The level for samplers that do not; a level by step names one."""

    @abstractmethod
    def condition(self, request: ChunkRequest, vae: Vae, family: Family) -> Conditioned:
        """What the model is told of the chunk; see :class:`ByFamily`."""

    @abstractmethod
    def hold(
        self, request: ChunkRequest, conditioned: Conditioned, reason: Reason, vae: Vae, motion: MotionTools
    ) -> Hold:
        """Choose what of the chunk is held; where the level has nothing to go by, that of a lower one."""
