"""What CLIP vision tells the model about the subject, from the start image to where the video has come."""

from __future__ import annotations

import copy

import torch
from einops import rearrange
from torch import Tensor

from ..guide import ChunkRequest
from ..identity import Identity, digest, identify
from ..state import ChunkState
from .objects import ClipVision, VisionOutput


class FeatureTrack:
    """Features of the picture that a scene began with, passing over to those of each chunk's last known frame.

    Pictures are seen whole, squeezed to the encoder's square, as the official workflows of Wan2.1 have it; a center
    crop would leave out what stands at the sides.
    """

    def __init__(
        self,
        start: Tensor | None,
        features: VisionOutput | None,
        encoder: ClipVision | None = None,
        strength: float = 0.0,
        *,
        reads_end: bool = True,
    ):
        """
        Args:
            start: ``(1, 3, H, W)``, the picture that the video starts from, neither scaled nor cropped; None without.
            features: of ``start``, the host's CLIP_VISION_OUTPUT; encoded if there is an encoder.
            encoder: the host's CLIP_VISION.
            strength: [0, 1]: the share of the last known frame at the video's end.
            reads_end: whether the model reads the features of an end picture behind those of the first.

        Raises:
            ValueError: if the strength is out of range or needs an encoder.
        """
        if not 0 <= strength <= 1:
            raise ValueError(f"feature_continuity must be in [0, 1], got {strength}.")
        if strength and encoder is None:
            raise ValueError(
                f"feature_continuity is {strength}, but no clip_vision is connected. Connect one, or set 0."
            )
        self._encoder, self._strength, self._reads_end = encoder, strength, reads_end
        self._scene, self._reference = start, features
        if features is None and encoder is not None and start is not None:
            self._reference = _encode(encoder, start)
        self._first = self._reference
        self._identity: Identity | None = None

    def __call__(self, request: ChunkRequest) -> VisionOutput | None:
        """The features for a chunk, by its place in time; None where there are none."""
        if request.scene_original is not None and not self._is_scene(request.scene_original):
            # Behind a cut the features of the old scene would ask for its subject.
            self._scene = request.scene_original
            self._reference = None if self._encoder is None else _encode(self._encoder, request.scene_original)
        found, share = self._reference, self._strength * request.time
        if found is None or self._encoder is None:  # a strength needs an encoder
            return found
        if share:
            states = found.penultimate_hidden_states
            own = _encode(self._encoder, request.last_frame).penultimate_hidden_states
            found = _with_states(found, states.lerp(own.to(states), share))
        end = request.end if request.end_original is None else request.end_original
        if request.kept_end is not None:
            end = request.kept_end.frames[-1:]
        if end is not None and self._reads_end:
            states = _encode(self._encoder, end).penultimate_hidden_states
            found = _with_states(found, torch.cat((found.penultimate_hidden_states, states), dim=-2))
        return found

    def _is_scene(self, picture: Tensor) -> bool:
        return self._scene is not None and torch.equal(picture, self._scene)

    def fingerprint(self, state: ChunkState) -> dict:
        """What the next chunk of a state sees, for a run that is kept."""
        if self._identity is None:  # of the start; what a cut puts in its place must not change the digests before
            states = None if self._first is None else self._first.penultimate_hidden_states
            self._identity = identify(states, self._encoder)
        chunk = state.next_chunk
        time = max(0, chunk.start) / state.plan.total_frames if self._strength else 0.0
        found = {"features": self._identity, "feature_continuity": [self._strength, time]}
        if self._encoder is not None:
            # The chunk has a part of these pictures, the encoder sees them whole.
            origin = state.scene_original(chunk) if state.plan.cuts(chunk) else None
            found["seen"] = digest(origin, state.end_original_of(chunk) if self._reads_end else None)
        return found


def _encode(encoder: ClipVision, picture: Tensor) -> VisionOutput:
    return encoder.encode_image(rearrange(picture, "n c h w -> n h w c"), crop=False)


def _with_states(output: VisionOutput, states: Tensor) -> VisionOutput:
    changed = copy.copy(output)  # the host caches the other
    changed.penultimate_hidden_states = states
    return changed
