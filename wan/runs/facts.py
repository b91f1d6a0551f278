"""What a chunk file says of itself, read as what it is: words of a stranger, until each of them fits."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields

import torch

from ..latents import CHANNELS, SPATIAL_STRIDE, frame_length
from .names import printable

LONGEST_TEXT = 2**20
"""Characters of the facts: far more than a line of the report needs, and too few to keep a parser busy."""
LARGEST = 2**33
"""Numbers in one tensor: 330 s of 832 x 480 pixels in one chunk."""
MOST = 2**31
"""Of any count."""
DIGEST = re.compile("[0-9a-f]{64}")
FRAMES = (torch.uint8, torch.float16)
LATENTS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)


@dataclass(frozen=True)
class Facts:
    """What is known of a kept chunk besides its tensors."""

    index: int
    contract: str
    """Digest of everything that the chunk was made from, the chunk before included."""
    previous: str
    """Content digest of the chunk before; empty for the first."""
    start: int
    """The first frame that it added."""
    frames: int
    """How many it added."""
    tail: int
    """How many frames of the chunks before it changed, in its join."""
    planned_overlap: int
    """Of the plan, which may follow the speed."""
    intact: int
    line: str
    """Of the report."""
    excess: float | None
    """How far its seam stands out; see :attr:`~wan.state.ChunkState.excess`."""
    results: int = 0
    """:data:`~wan.runs.fingerprint.RESULTS` of the version that made it; 0 where these were not numbered yet."""

    def check(self) -> None:
        """Raise ValueError unless each of them is of its kind and within bounds."""
        least = {"index": 0, "start": 0, "frames": 1, "tail": 0, "planned_overlap": 1, "intact": 0, "results": 0}
        for name, lowest in least.items():
            value = getattr(self, name)
            if type(value) is not int or not lowest <= value <= MOST:
                raise ValueError(f"{name} must be a whole number from {lowest} to {MOST}")
        if self.intact > self.frames:
            raise ValueError("intact must not exceed frames")
        for name, known in (("contract", True), ("previous", self.index > 0)):
            value = getattr(self, name)
            if not isinstance(value, str) or not (DIGEST.fullmatch(value) if known else value == ""):
                raise ValueError(f"{name} must be a digest{'' if known else ' of nothing'}")
        if not isinstance(self.line, str) or not self.line.isprintable():
            raise ValueError("line must be printable text")
        if self.excess is not None and not (
            type(self.excess) in (int, float) and 0 <= self.excess <= MOST and math.isfinite(self.excess)
        ):
            raise ValueError("excess must be a number")

    def write(self) -> str:
        """As JSON."""
        return json.dumps(asdict(self))

    @property
    def decided(self) -> dict:
        """What the frames depend on: the rest may be worded otherwise by another run that makes the same."""
        return {name: value for name, value in asdict(self).items() if name not in ("line", "excess", "results")}

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
    known = {field.name for field in fields(Facts)}
    if not isinstance(found, dict) or not known - {"results"} <= set(found) <= known:
        raise ValueError(f"its facts must be {', '.join(sorted(known))}")
    if "results" not in found and isinstance(found["line"], str):
        found["line"] = printable(found["line"])  # 0.1.0 wrote names as they are
    facts = Facts(**found)
    facts.check()
    return facts


def _distinct(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("its facts say something twice")
    return found


def _no_number(text: str) -> None:
    raise ValueError(f"{text} is no number")
