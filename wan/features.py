"""What CLIP vision tells the model about the subject, from the start image to where the video has come."""

from __future__ import annotations

import copy
from dataclasses import dataclass

from .guide import ChunkGuide


@dataclass
class FeatureTrack:
    """Features of the start image, led over to those of each chunk's handed-over frame as the video goes on."""

    encoder: object
    """The host's CLIP_VISION."""
    reference: object
    """Features of the start image: the host's CLIP_VISION_OUTPUT."""
    strength: float
    """[0, 1]: the share of the handed-over frame at the video's end."""

    def __post_init__(self) -> None:
        if not 0 <= self.strength <= 1:
            raise ValueError(f"feature_continuity must be in [0, 1], got {self.strength}.")

    def __call__(self, guide: ChunkGuide):
        """The features for a chunk, by its place in time; the reference itself where nothing is mixed in."""
        share = self.strength * guide.time
        if share == 0 or guide.handed is None:
            return self.reference
        own = self.encoder.encode_image(guide.handed.movedim(1, -1)).penultimate_hidden_states
        mixed = copy.copy(self.reference)  # the host caches what it was handed
        told = self.reference.penultimate_hidden_states
        mixed.penultimate_hidden_states = told.lerp(own.to(told), share)
        return mixed
