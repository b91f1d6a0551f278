"""What a chunk file says of itself, read as what it is: words of a stranger, until each of them fits."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

import torch

from ..latents import CHANNELS, SPATIAL_STRIDE, frame_length
from ..records import ChunkRecord
from .plain import from_plain, to_plain

LONGEST_TEXT = 2**20
"""Characters of the facts: far more than a line of the report needs, and too few to keep a parser busy."""
LARGEST = 2**33
"""Numbers in one tensor: 330 s of 832 x 480 pixels in one chunk."""
DIGEST = re.compile("[0-9a-f]{64}")
SEED = re.compile("[0-9]{0,20}")
FRAMES = (torch.uint8, torch.float16, torch.float32)
LATENTS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)


@dataclass(frozen=True)
class Facts:
    """What is known of a kept chunk besides its tensors."""

    take: int
    """Counts from 1 the chunks that were made for this place of the video."""
    fingerprint: str
    """Digest of everything understood that the chunk was made from, what it read of the chunk before included."""
    own: str
    """Digest of the same without its seed and what it read: takes that differ in neither are variations."""
    token: str
    """Stands for what of that no digest can tell, in this process alone; empty where there is nothing such."""
    reads: str
    """Digest of what it read of the chunk before; empty where it read nothing."""
    read_frames: int
    """The last frames of the video that it read."""
    read_latents: int
    """The last latents of the chunk before that it read."""
    seed: str
    """See :attr:`~wan.runs.fingerprint.Fingerprint.seed`."""
    attempt: int
    """Which of its seeds it began with; another in each variation."""
    kept_end: bool
    """Whether it was made before a kept chunk, so that no later one is of its variation."""
    start: int
    """The first frame that it added."""
    tail: int
    """How many frames of the chunks before it changed, in its join."""
    planned_overlap: int
    """Of the plan, which may follow the speed."""
    exact_frames: int
    record: ChunkRecord
    """For the report."""
    results: int
    """:data:`~wan.runs.fingerprint.RESULTS` of the version that made it."""

    @property
    def index(self) -> int:
        return self.record.index

    @property
    def frames(self) -> int:
        """How many it added."""
        return self.record.added

    def check(self) -> None:
        """Raise ValueError unless all fits together."""
        numbers = ("start", "tail", "exact_frames", "index", "results", "read_frames", "read_latents", "attempt")
        least = dict.fromkeys(numbers, 0) | {"planned_overlap": 1, "frames": 1, "take": 1}
        for name, lowest in least.items():
            if getattr(self, name) < lowest:
                raise ValueError(f"{name} must be {lowest} or more")
        if self.exact_frames > self.frames:
            raise ValueError("exact_frames must not exceed the frames that it added")
        reads = self.read_frames > 0
        for name, known in (("fingerprint", True), ("own", True), ("token", self.token != ""), ("reads", reads)):
            value = getattr(self, name)
            if not (DIGEST.fullmatch(value) if known else value == ""):
                raise ValueError(f"{name} must be a digest{'' if known else ' of nothing'}")
        if not SEED.fullmatch(self.seed):
            raise ValueError("seed must be a number, or nothing")
        if self.record.prompt is not None and any(share[0] < 0 for share in self.record.prompt.shares):
            raise ValueError("prompts count from 0")

    def as_read(self) -> Facts:
        """The same as a file of it is read: names escaped, long texts cut, numbers bounded."""
        return from_plain(Facts, to_plain(self))

    def write(self) -> str:
        """As JSON."""
        return json.dumps(to_plain(self))

    @property
    def decided(self) -> dict:
        """What the frames depend on: the rest may be another in a run that makes the same."""
        names = (
            "fingerprint",
            "own",
            "token",
            "reads",
            "read_frames",
            "read_latents",
            "seed",
            "attempt",
            "kept_end",
            "start",
        )
        names += ("tail", "planned_overlap", "exact_frames", "index", "frames", "take")
        return {name: getattr(self, name) for name in names}

    def check_shapes(self, shapes: Mapping[str, tuple[int, ...]]) -> None:
        """Raise ValueError unless a file's tensors are as many and as large as this says."""
        expected = {"added", "latent"} | ({"tail"} if self.tail else set())
        if set(shapes) != expected:
            raise ValueError(f"it must hold {', '.join(sorted(expected))}")
        added, latent = shapes["added"], shapes["latent"]
        if len(added) != 4 or added[:2] != (self.frames, 3) or not all(added) or math.prod(added) > LARGEST:
            raise ValueError(f"added must be {self.frames} frames, got {added}")
        if self.tail and shapes["tail"] != (self.tail, *added[1:]):
            raise ValueError(f"tail must be {self.tail} frames like those added, got {shapes['tail']}")
        size = (added[2] // SPATIAL_STRIDE, added[3] // SPATIAL_STRIDE)
        if len(latent) != 5 or latent[:2] != (1, CHANNELS) or latent[3:] != size or not all(latent):
            raise ValueError(f"latent must be one of {CHANNELS} channels and {size[0]} x {size[1]} cells, got {latent}")
        length = frame_length(latent[2])
        if math.prod(latent) > LARGEST or self.frames + self.tail > length:
            raise ValueError(f"a latent of {length} frames is not what it was decoded from")


def parse_facts(text: str) -> Facts:
    """Facts as JSON has them.

    Raises:
        ValueError: if it is anything else, whatever it is.
    """
    if len(text) > LONGEST_TEXT:
        raise ValueError(f"its facts have {len(text)} characters")
    try:
        found = json.loads(text, object_pairs_hook=_distinct, parse_constant=_no_number)
    except RecursionError:
        raise ValueError("its facts are nested too deeply") from None
    facts = from_plain(Facts, found)
    facts.check()
    return facts


def _distinct(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("its facts say something twice")
    return found


def _no_number(text: str) -> None:
    raise ValueError(f"{text} is no number")
