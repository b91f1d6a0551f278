"""What a chunk is made from, in a form that can be compared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from torch import Tensor

from ...blending.seam import SeamReport
from ..identity import Identity, digest
from ..latents import TEMPORAL_STRIDE, latent_length
from ..presets import FRAMES
from ..state import ChunkState
from .plain import to_plain

VERSION = "0.2.0"
"""Of the pack, for people; no chunk is regenerated because of it."""
RESULTS = 3
"""Counts what chunks may look like: raise it with every change after which the same inputs may make other frames or
another latent (plan, noise, guidance, sampling, encoding, joining, colors, what a seam's measure decides), and with no
other. Kept chunks of another number are regenerated. 0.1.0 had none."""
SEEDED = ("attempt", "seed", "kept_end")
"""What tells variations of one chunk apart."""


@dataclass(frozen=True)
class Reads:
    """What a chunk reads of the video before it."""

    frames: int = 0
    """The video's last frames."""
    latents: int = 0
    """The last latents of the chunk before."""
    digest: str = ""

    def found_in(self, state: ChunkState) -> bool:
        """Whether the end of another video is, to the bit, what was read."""
        return not self.frames or _end_of(state, self.frames, self.latents) == self.digest


@dataclass(frozen=True)
class Fingerprint:
    """What a chunk is made from."""

    digest: str
    """Of everything understood, :attr:`reads` included."""
    reads: Reads
    made_from: Mapping[str, Any]
    """The same as JSON, for people."""
    own: str
    """Digest of it without its seed and what it reads."""
    unknown: tuple[str, ...] = ()
    """What could not be fingerprinted."""
    token: str = ""
    """Stands for that in this process; empty where there is nothing such."""

    @property
    def seed(self) -> str:
        """The chunk's seed before any variation, in decimal digits; empty where its sampler does not tell."""
        seed = self.made_from.get("seed")
        return str(seed) if isinstance(seed, int) else ""


def fingerprint_chunk(state: ChunkState, **more: Any) -> Fingerprint:
    """What the next chunk of a state is made from. Taken before it is guided, so from inputs alone.

    Args:
        more: what it depends on besides: models, prompts, seeds; as JSON, or as an :class:`Identity`.
    """
    unknown: list[str] = []
    tokens: list[str] = []
    made_from = _take_apart(_inputs(state) | more, unknown, tokens)
    reads = find_reads(state)
    token = digest(*tokens) if tokens else ""
    own = {name: value for name, value in made_from.items() if name not in SEEDED}
    return Fingerprint(digest(made_from, reads), reads, made_from, digest(own), tuple(dict.fromkeys(unknown)), token)


def find_reads(state: ChunkState) -> Reads:
    """What the next chunk of a state reads of the video so far; nothing where it starts from a picture of its own."""
    chunk, settings = state.next_chunk, state.settings
    if not chunk.overlap:
        return Reads()
    known = latent_length(chunk.overlap) - 1
    latents = min(known, state.exact_frames // TEMPORAL_STRIDE) if settings.reuse_latents else 0
    latents = 0 if state.latent is None else max(latents, settings.level.latents)
    frames = chunk.overlap
    if not (latents == known > 0 and settings.level.holds):  # where it is all held, nothing is joined
        frames += SeamReport.REACH
    if settings.seam_retries:
        frames = max(frames, 2 * SeamReport.REACH)
    if settings.adaptive or settings.moves_loras:
        frames = max(frames, FRAMES)
    return Reads(frames, latents, _end_of(state, frames, latents))


def digest_end(tail: Tensor, latent: Tensor | None, latents: int) -> str:
    """A digest of how a video ends.

    Args:
        tail: ``(n, 3, H, W)``: its last frames.
        latent: ``(1, 16, t, h, w)``: its last chunk; None for a given video.
        latents: how many of the last of these count.
    """
    return digest(tail, latent[:, :, -latents:] if latents and latent is not None else None)


def _end_of(state: ChunkState, frames: int, latents: int) -> str:
    """:func:`digest_end` of a video so far, by as many of its last frames as there are."""
    return digest_end(state.tail(frames), state.latent, latents)


def _inputs(state: ChunkState) -> dict[str, Any]:
    chunk, plan = state.next_chunk, state.plan
    prompt = plan.chunk_prompt(chunk)  # whose numbers may be others in another plan: what they say is the sampler's
    settings = asdict(state.settings)
    if not chunk.overlap:
        # What ties chunks together says nothing to a scene's first, unless its level makes that too.
        settings = {"continuity": state.settings.continuity} if state.settings.anchored else {}
    if chunk.index == 0 and not chunk.overlap:
        picture = digest(state.start)
    else:
        told = state.settings.color_anchor or state.settings.anchored or not chunk.overlap
        picture = digest(state.scene_image(chunk)) if told else ""
    return {
        "results": RESULTS,
        "attempt": state.attempt_at(chunk.index),
        "chunk": {"start": chunk.start, "length": chunk.length, "overlap": chunk.overlap, "adds": plan.added(chunk)},
        "settings": {
            name: sorted(value) if isinstance(value, (set, frozenset)) else value for name, value in settings.items()
        },
        "size": list(state.start.shape[-2:]),
        "picture": picture,
        "end": digest(state.end_of(chunk)),
        "kept_end": "" if state.kept_end is None else digest(state.kept_end),
        "region": digest(state.region) if chunk.overlap else "",
        "prompt": {"shares": [share for _, share in prompt.shares], "loras": to_plain(prompt.loras)}
        | {"low_noise_loras": to_plain(prompt.low_noise_loras)},
        **({} if state.reference is None else {"reference": digest(state.reference)}),
    }


def _take_apart(value: Any, unknown: list[str], tokens: list[str]) -> Any:
    """A value as JSON, with identities as their digests; what these do not know is noted."""
    if isinstance(value, Identity):
        unknown.extend(value.unknown)
        if value.token:
            tokens.append(value.token)
        return value.digest
    if isinstance(value, Mapping):
        return {name: _take_apart(item, unknown, tokens) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_take_apart(item, unknown, tokens) for item in value]
    return value
