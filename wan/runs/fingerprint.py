"""What a chunk is made from, in a form that can be compared."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from ..state import ChunkState
from .digest import digest
from .plain import to_plain

VERSION = "0.1.0"
"""Of the pack, for people; no chunk is regenerated because of it."""
RESULTS = 1
"""Counts what chunks may look like: raise it with every change after which the same inputs may make other frames or
another latent (plan, noise, guidance, sampling, encoding, joining, colors, what a seam's measure decides), and with no
other. Kept chunks of another number are regenerated. 0.1.0 had none."""


def fingerprint_chunk(state: ChunkState, **more: Any) -> dict[str, Any]:
    """What the next chunk of a state is made from, besides the chunk before it.

    Args:
        more: what it depends on besides: models, prompts, seeds.
    """
    chunk, plan = state.next_chunk, state.plan
    settings = asdict(state.settings)
    if chunk.index == 0:
        settings = {}  # what ties chunks together says nothing to the first
        picture = digest(state.start)
    else:
        picture = digest(state.scene_image(chunk)) if state.settings.color_anchor or not chunk.overlap else ""
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
        "region": digest(state.region) if chunk.overlap else "",
        "prompt": to_plain(plan.chunk_prompt(chunk)),
        **more,
    }
