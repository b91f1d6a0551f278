"""LoRA files on the host's models: read once, put on a clone per set, freed when no later prompt needs them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import chain

from ..prompts import ChunkPrompt, Keyframe, Lora
from .lora_file import read_lora
from .objects import Model


class LoraFiles:
    """The LoRAs of a run's keyframes, as patches of the host's."""

    def __init__(self, keyframes: Sequence[Keyframe], model, clip):
        """Read every file that a keyframe names, but for those whose strengths are 0. ``notes`` tells the report.

        Raises:
            ValueError: if a file is missing, broken or fits neither model, or a strength is not finite; names it.
        """
        named = [(*keyframe.loras, *(keyframe.low_noise_loras or ())) for keyframe in keyframes]
        for lora in (lora for loras in named for lora in loras):
            if not (math.isfinite(lora.model) and math.isfinite(lora.clip)):
                raise ValueError(
                    f"lora_stack: the strengths of the LoRA {lora.name!r} must be finite numbers, got {lora.model} "
                    f"and {lora.clip}."
                )
        self._needed = [[lora.name for lora in loras if lora.model or lora.clip] for loras in named]
        files = {name: read_lora(name, model, clip) for name in dict.fromkeys(chain(*self._needed))}
        self._patches = {name: file.patches for name, file in files.items()}
        self._digests = {name: file.digest for name, file in files.items()}
        self.notes = [file.note for file in files.values()]

    def identify(self, chunk_prompt: ChunkPrompt) -> dict[str, str]:
        """Digests of the files that a chunk's prompt names."""
        names = {lora.name for lora in (*chunk_prompt.loras, *chunk_prompt.low_noise_loras)}
        return {name: self._digests.get(name, "") for name in sorted(names)}

    def on_model(self, model, loras: tuple[Lora, ...]):
        """A clone of the diffusion model under a set of LoRAs; the model itself under none."""
        return self._apply(model, [(lora.name, lora.model) for lora in loras])

    def on_clip(self, clip, loras: tuple[Lora, ...]):
        """A clone of the text encoder under a set of LoRAs; the encoder itself under none."""
        return self._apply(clip, [(lora.name, lora.clip) for lora in loras])

    def _apply(self, target, strengths: list[tuple[str, float]]):
        wanted = [(self._patches[name], strength) for name, strength in strengths if name in self._patches and strength]
        if not wanted:
            return target
        clone = target.clone()
        for patches, strength in wanted:
            clone.add_patches(patches, strength)
        return clone

    def free(self, chunk_prompt: ChunkPrompt) -> None:
        """Free the files that no keyframe from the prompt's first on names."""
        if chunk_prompt.shares:
            needed = set().union(*self._needed[chunk_prompt.shares[0][0] :])
            self._patches = {name: patches for name, patches in self._patches.items() if name in needed}


class PatchedModel:
    """A diffusion model under the LoRAs of one chunk after another: one clone as long as the set stays the same."""

    def __init__(self, model: Model, files: LoraFiles | None):
        self._model, self._files = model, files
        self._loras: tuple[Lora, ...] = ()
        self._clone: Model | None = model

    def under(self, loras: tuple[Lora, ...]) -> Model:
        """The model under ``loras``."""
        if self._files is not None and loras != self._loras:
            self._clone = None  # before the next is made, so that two are never alive
            self._clone = self._files.on_model(self._model, loras)
            self._loras = loras
        assert self._clone is not None  # it would be of a set that failed to load
        return self._clone
