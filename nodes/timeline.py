"""What a node's timeline shows in the front end: each chunk as it is finished, and the whole after the run."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch
from comfy_execution.progress import get_progress_state
from comfy_execution.utils import get_executing_context
from einops import rearrange

from ..wan.loop import duration
from ..wan.runs.kept import Kept
from ..wan.runs.preview import preview_names
from ..wan.runs.store import RunStore
from ..wan.state import ChunkState
from .runs import place
from .thumbnails import show_seams

DRAWN = 300
"""Chunks that the timeline draws one by one, and seams that it gives a button; see ``js/track.mjs``."""
LIVE = "wan_motion_chunks.timeline"
"""The message that a node sends while it runs."""
LONGEST_PROMPT = 2000
"""Characters of a prompt that are shown."""


@dataclass(frozen=True)
class Timeline:
    """What the timeline tells of a video besides its plan."""

    store: RunStore
    lead: int = 0
    """Frames of a given video that are shown before what is made."""
    kept: bool = False
    """Whether Keep Run keeps it."""
    seed: int | None = None
    """As the node has it: what its chunks are found again by."""

    def describe(self, state: ChunkState) -> dict:
        """In plain values: the plan and its seams, what became of each chunk, its takes and previews."""
        shown = state.timeline(self.lead)
        for chunk, kept in zip(shown["chunks"], self.store.kept, strict=False):
            chunk |= self._chunk(kept)
        texts = [keyframe.positive for keyframe in state.plan.keyframes]
        prompts = [text[:LONGEST_PROMPT] if isinstance(text, str) else None for text in texts]
        run = self.store.folder.name if self.kept else None
        return shown | {"made": state.made, "prompts": prompts, "run": run, "seed": self.seed}

    def _chunk(self, kept: Kept) -> dict:
        facts = kept.facts
        chosen = facts.index in self.store.options.use_takes
        origin = "made" if not kept.taken else "chosen" if chosen else "kept"
        found: dict[str, Any] = {"take": facts.take, "origin": origin}
        found["takes"] = sorted({take.number for take in self.store.takes.of(facts.index)})
        # What other settings than the plainest would not find again by themselves.
        found["pinned"] = chosen or facts.attempt > 0 or facts.kept_end
        if kept.path is not None and kept.seen:
            names = preview_names(kept.path.name)
            found |= {kind: place(kept.path.with_name(name)) for kind, name in names.items()}
        return found

    def show(self, state: ChunkState, frames: torch.Tensor | None, footage: Iterable[torch.Tensor] = ()) -> dict:
        """What the node shows after the run: with pictures of its seams, from the IMAGE if there is one, else from the
        kept frames."""
        shown = self.describe(state)
        pieces = footage if frames is None else [rearrange(frames, "t h w c -> t c h w")]
        pictures = show_seams(pieces, [chunk["seam"] for chunk in choosable(shown)])
        for chunk in shown["chunks"]:
            chunk["picture"] = pictures.get(chunk["seam"])
        return {"wan_motion_timeline": [shown]}

    def send(self, state: ChunkState, left: float | None) -> None:
        """Tell whoever queued the prompt how far it is; see :attr:`~wan.loop.Tools.watch`."""
        context = get_executing_context()
        if context is None:
            return
        from server import PromptServer  # the host's, which imports half of it

        server = PromptServer.instance
        if server.client_id is None:  # queued by a script
            return
        node = get_progress_state().dynprompt.get_display_node_id(context.node_id)
        count = len(state.plan.chunks)
        words = f"chunk {min(state.made + 1, count)} of {count}"
        words += "" if left is None else f", {duration(left)} left"
        server.send_progress_text(words, node, server.client_id)
        shown = self.describe(state) if count <= DRAWN else None  # of more the front end draws its own plan
        message = {"node": node, "prompt_id": context.prompt_id, "words": words, "timeline": shown}
        server.send_sync(LIVE, message, server.client_id)


def choosable(timeline: dict) -> list[dict]:
    """The chunks whose seams the timeline lets one choose: all but the first, unless that goes on from a given video,
    or of very many those that stand out."""
    chunks = timeline["chunks"][0 if timeline["source"] else 1 :]
    if len(timeline["chunks"]) <= DRAWN:
        return chunks
    out = [chunk for chunk in chunks if chunk["score"] is not None and chunk["score"] > 1]
    return sorted(sorted(out, key=lambda chunk: -chunk["score"])[:DRAWN], key=lambda chunk: chunk["seam"])
