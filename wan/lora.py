"""LoRA files on the host's models: read once, put on a clone per set, let go when no later prompt needs them."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import comfy.lora
import comfy.lora_convert
import comfy.utils
import folder_paths

from .contract import identify_weights
from .prompts import Cue, Entry, Lora

logger = logging.getLogger(__name__)


class LoraFiles:
    """The LoRAs of a run's entries, as patches of the host's."""

    def __init__(self, entries: Sequence[Entry], model, clip):
        """Read every file that an entry names.

        A file that is missing or fits neither model is left out with a warning, for it may be one of many: ``notes``
        tells the report.
        """
        self._needed = [[lora.name for lora in (*entry.loras, *(entry.low_noise_loras or ()))] for entry in entries]
        self._patches: dict[str, dict] = {}
        self._digests: dict[str, str] = {}
        self.notes: list[str] = []
        names = dict.fromkeys(name for needed in self._needed for name in needed)
        if not names:
            return
        keys = comfy.lora.model_lora_keys_unet(model.model, {})
        if clip is not None:
            keys = comfy.lora.model_lora_keys_clip(clip.cond_stage_model, keys)
        for name in names:
            path = folder_paths.get_full_path("loras", name)
            if path is None:
                self._leave_out(name, "there is no such file in models/loras")
                continue
            weights = comfy.utils.load_torch_file(path, safe_load=True)
            self._digests[name] = identify_weights(sorted(weights.items()))
            found = comfy.lora.load_lora(comfy.lora_convert.convert_lora(weights), keys)
            if found:
                self._patches[name] = found
            else:
                self._leave_out(name, "none of its weights fit this model")

    def _leave_out(self, name: str, why: str) -> None:
        note = f"LoRA {name} is left out: {why}"
        logger.warning(note)
        self.notes.append(note)

    def identify(self, cue: Cue) -> dict[str, str]:
        """Digests of the files that a cue names."""
        names = {lora.name for lora in (*cue.loras, *cue.low_noise_loras)}
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

    def release(self, cue: Cue) -> None:
        """Let go of the files that no entry from the cue's first on names."""
        if cue.shares:
            needed = set().union(*self._needed[cue.shares[0][0] :])
            self._patches = {name: patches for name, patches in self._patches.items() if name in needed}


class PatchedModel:
    """A diffusion model under the LoRAs of one chunk after another: one clone as long as the set stays the same."""

    def __init__(self, model, files: LoraFiles | None):
        self._model, self._files = model, files
        self._loras: tuple[Lora, ...] = ()
        self._clone = model

    def under(self, loras: tuple[Lora, ...]):
        """The model under ``loras``."""
        if self._files is not None and loras != self._loras:
            self._clone = None  # before the next is made, so that two are never alive
            self._clone = self._files.on_model(self._model, loras)
            self._loras = loras
        return self._clone
