"""What CLIP vision tells the model about the subject, from the start image to where the video has come."""

from __future__ import annotations

import copy

import torch
from torch import Tensor

from .contract import digest, identify_weights
from .guide import ChunkGuide


class FeatureTrack:
    """Features of the picture that a scene began with, led over to those of each chunk's handed-over frame."""

    def __init__(self, start: Tensor, features: object | None, encoder: object | None = None, strength: float = 0.0):
        """
        Args:
            start: ``(1, 3, H, W)``, the picture that the video starts from.
            features: of ``start``, the host's CLIP_VISION_OUTPUT; encoded if there is an encoder.
            encoder: the host's CLIP_VISION.
            strength: [0, 1]: the share of the handed-over frame at the video's end.

        Raises:
            ValueError: if the strength is out of range or needs an encoder.
        """
        if not 0 <= strength <= 1:
            raise ValueError(f"feature_continuity must be in [0, 1], got {strength}.")
        if strength and encoder is None:
            raise ValueError(
                f"feature_continuity is {strength}, but no clip_vision is connected. Connect one, or set 0."
            )
        self._encoder, self._strength = encoder, strength
        self._origin, self._reference = start, features
        if features is None and encoder is not None:
            self._reference = self._encode(start)
        self._first, self._told = self._reference, None

    def __call__(self, guide: ChunkGuide):
        """The features for a chunk, by its place in time; None where there are none."""
        if guide.origin is not None and not torch.equal(guide.origin, self._origin):
            # Behind a cut the features of the old scene would ask for its subject.
            self._origin = guide.origin
            self._reference = None if self._encoder is None else self._encode(guide.origin)
        found, share = self._reference, self._strength * guide.time
        if share and guide.handed is not None:
            told = found.penultimate_hidden_states
            own = self._encode(guide.handed).penultimate_hidden_states
            found = _with_states(found, told.lerp(own.to(told), share))
        if guide.end is not None and self._encoder is not None:
            end = self._encode(guide.end).penultimate_hidden_states
            found = _with_states(found, torch.cat((found.penultimate_hidden_states, end), dim=-2))
        return found

    def told(self, time: float) -> dict:
        """What a chunk at a place in time is told from here, for a run that is kept; a cut tells its own picture."""
        if self._told is None:  # of the start; what a cut puts in its place must not change what was told before
            states = None if self._first is None else self._first.penultimate_hidden_states
            known = None if self._encoder is None else identify_weights(self._encoder.model.named_parameters())
            self._told = digest(states, known)
        return {"features": self._told, "feature_continuity": [self._strength, time if self._strength else 0.0]}

    def _encode(self, picture: Tensor):
        return self._encoder.encode_image(picture.movedim(1, -1))


def _with_states(output, states: Tensor):
    changed = copy.copy(output)  # the host caches what it was handed
    changed.penultimate_hidden_states = states
    return changed
