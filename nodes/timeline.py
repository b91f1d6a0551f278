"""What a node's timeline shows in the front end: each chunk as it is finished, and the whole after the run."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from comfy_execution.progress import get_progress_state
from comfy_execution.utils import get_executing_context
from einops import rearrange

from ..blending.seam import GRADES, grade
from ..wan.lines import duration
from ..wan.report import seams_of
from ..wan.runs.files import ChunkFileError, read_facts
from ..wan.runs.kept import Kept
from ..wan.runs.preview import has_preview, preview_names
from ..wan.runs.store import RunStore
from ..wan.seam_words import sum_up
from ..wan.state import ATTEMPTS, ChunkState
from .runs import place
from .thumbnails import show_seams

DRAWN = 300
"""Chunks that are told one by one, and seams that one can choose; of more chunks the timeline is a summary."""
LIVE = "wan_motion_chunks.timeline"
"""The message that a node sends while it runs."""
LONGEST_PROMPT = 20_000
"""Characters up to which a prompt is shown; of more none, since a part of it could not be changed."""


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
    _known: dict[str, dict] = field(default_factory=dict)
    """What was read of takes, by file."""

    def describe(self, state: ChunkState) -> dict:
        """In plain values: the plan and its seams, what became of each chunk, its takes and previews.

        Of very many chunks every so many are told, and those whose seams can be chosen.
        """
        plan, count = state.plan, len(state.plan.chunks)
        step, seams = math.ceil(count / DRAWN), choosable(state, bool(self.lead))
        return {
            "total": self.lead + plan.total_frames,
            "fps": plan.fps,
            "source": self.lead,
            "count": count,
            "step": step,
            "chunks": [self._chunk(state, index) for index in sorted({*range(0, count, step), *seams})],
            "seams": seams,
            "summary": sum_up(seams_of(state.records)),
            "made": state.made,
            "pinned": [[kept.facts.index + 1, kept.facts.take] for kept in self.store.kept if self._is_pinned(kept)],
            "prompts": [_shown(keyframe.positive) for keyframe in plan.keyframes],
            "run": self.store.folder.name if self.kept else None,
            "seed": self.seed,
        }

    def _chunk(self, state: ChunkState, index: int) -> dict:
        """A chunk of the plan, and what is known of it once it is finished."""
        plan, chunk = state.plan, state.plan.chunks[index]
        record = state.records[index] if index < len(state.records) else None
        told = {
            "index": index,
            "start": self.lead + max(0, chunk.start),
            "stop": self.lead + min(chunk.stop, plan.total_frames),
            "seam": self.lead + chunk.seam,
            "prompt": chunk.keyframe + 1 if len(plan.keyframes) > 1 else None,
            "first": index == 0 or plan.chunks[index - 1].keyframe != chunk.keyframe,
            "score": None if record is None else record.score,
            "grade": None if record is None else record.grade,
            "words": "" if record is None else record.describe(len(plan.chunks)),
        }
        return told | self._finished(self.store.kept[index]) if index < len(self.store.kept) else told

    def _finished(self, kept: Kept) -> dict:
        facts = kept.facts
        origin = "made" if not kept.taken else "chosen" if self._is_chosen(kept) else "kept"
        found: dict[str, Any] = {"take": facts.take, "origin": origin, "takes": self._takes(facts.index)}
        if kept.path is not None and kept.seen:
            found |= _preview(kept.path)
        return found

    def _takes(self, index: int) -> list[dict]:
        """The takes of a chunk, with the seed, the grade and the film of those that can be read."""
        found = {}
        for take in self.store.takes.of(index):
            if take.name not in self._known:
                self._known[take.name] = {"number": take.number} | _read(self.store.takes.path(take))
            found[take.number] = self._known[take.name]
        return [found[number] for number in sorted(found)]

    def _is_chosen(self, kept: Kept) -> bool:
        return kept.facts.index in self.store.options.use_takes

    def _is_pinned(self, kept: Kept) -> bool:
        """Whether other settings than the plainest would not find it again by themselves."""
        return self._is_chosen(kept) or kept.facts.attempt > 0 or kept.facts.kept_end

    def show(self, state: ChunkState, frames: torch.Tensor | None, footage: Iterable[torch.Tensor] = ()) -> dict:
        """What the node shows after the run: with pictures of its seams, from the IMAGE if there is one, else from the
        kept frames."""
        shown = self.describe(state)
        pieces = footage if frames is None else [rearrange(frames, "t h w c -> t c h w")]
        at = {chunk["index"]: chunk["seam"] for chunk in shown["chunks"]}
        pictures = show_seams(pieces, [at[index] for index in shown["seams"]])
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


def choosable(state: ChunkState, continues: bool) -> list[int]:
    """The chunks whose seams the timeline lets one choose: all but the first, unless that goes on from a given video,
    or of very many those that stand out most."""
    count = len(state.plan.chunks)
    if count <= DRAWN:
        return list(range(0 if continues else 1, count))
    scores = {record.index: record.score for record in state.records if record.score is not None}
    out = [index for index, score in scores.items() if grade(score) != GRADES[0]]
    return sorted(sorted(out, key=lambda index: -scores[index])[:DRAWN])


def _read(path: Path) -> dict:
    """What the timeline tells of a take; nothing of a file that is gone or damaged."""
    try:
        found = read_facts(path)
    except ChunkFileError:
        return {}
    if found is None:
        return {}
    facts, _ = found
    told = {"seed": facts.seed, "variation": facts.attempt // ATTEMPTS, "grade": facts.record.grade}
    return told | (_preview(path) if has_preview(path) else {})


def _preview(path: Path) -> dict[str, Any]:
    """Where the front end finds the film and the still of a chunk file."""
    return {kind: place(path.with_name(name)) for kind, name in preview_names(path.name).items()}


def _shown(text: Any) -> str | None:
    return text if isinstance(text, str) and len(text) <= LONGEST_PROMPT else None
