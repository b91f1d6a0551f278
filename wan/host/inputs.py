"""What conditions the chunks of a run besides their guides: prompts, LoRAs, CLIP vision features."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field

from ..guide import ChunkGuide
from ..identity import Identity, identify
from ..state import ChunkState
from .conditioning import apply_guide, guide_values
from .encoding import Conditioning, mix_prompts
from .features import FeatureTrack
from .lora import LoraFiles, PatchedModel
from .objects import Model, VisionOutput

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class ChunkInputs:
    """Prompts, LoRAs and features of each chunk of a run."""

    prompts: Sequence[tuple[Conditioning, Conditioning]] = ()
    """Positive and negative conditioning of each keyframe; none where a guider has its own."""
    loras: LoraFiles | None = None
    features: FeatureTrack | None = None
    _identities: list[Identity] = field(init=False, repr=False, compare=False, default_factory=list)
    """Of each prompt, taken before any chunk is sampled: hooks and ControlNets change while they run."""

    @property
    def notes(self) -> tuple[str, ...]:
        """For the report: how much of each LoRA file is taken."""
        return () if self.loras is None else tuple(self.loras.notes)

    def values(self, guide: ChunkGuide) -> dict:
        """What a model reads of the guide and the features, by the host's keys."""
        return guide_values(guide, self._features_of(guide))

    def mixed(self, guide: ChunkGuide) -> tuple[Conditioning, Conditioning]:
        """Positive and negative prompt of the guided chunk."""
        return mix_prompts(self.prompts, guide.request.prompt)

    def conditioning(self, guide: ChunkGuide) -> list[Conditioning]:
        """Positive and negative conditioning of the guided chunk, guide and features included."""
        features = self._features_of(guide)
        if guide.request.index:
            logger.info("Applied motion guidance to conditioning for chunk %d", guide.request.index + 1)
        return [apply_guide(conditioning, guide, features) for conditioning in self.mixed(guide)]

    def _features_of(self, guide: ChunkGuide) -> VisionOutput | None:
        return None if self.features is None else self.features(guide.request)

    def patched(self, model: Model) -> PatchedModel:
        return PatchedModel(model, self.loras)

    def free(self, guide: ChunkGuide) -> None:
        """Let go of LoRA files that no later chunk needs."""
        if self.loras is not None:
            self.loras.free(guide.request.prompt)

    def fingerprint(self, state: ChunkState) -> dict:
        """Identities of what conditions the next chunk of a state."""
        prompt = state.plan.chunk_prompt(state.next_chunk)
        if not self._identities:
            self._identities.extend(identify(pair) for pair in self.prompts)
        return {
            "prompts": [self._identities[index] for index, _ in prompt.shares] if self.prompts else [],
            "loras": {} if self.loras is None else self.loras.identify(prompt),
            **({} if self.features is None else self.features.fingerprint(state)),
        }
