"""What the nodes that make a whole video share: the loop, and what comes out of it."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import psutil
import torch
from comfy_api.latest import InputImpl
from comfy_api.util import VideoComponents
from comfy_execution.graph_utils import ExecutionBlocker
from einops import rearrange

from ..wan.host.checks import check_interrupt
from ..wan.host.inputs import ChunkInputs
from ..wan.host.optical_flow import host_estimator
from ..wan.loop import Tools, generate
from ..wan.protocols import Family, Sampler
from ..wan.runs.digest import identify_weights
from ..wan.runs.fingerprint import fingerprint_chunk
from ..wan.runs.names import shown
from ..wan.runs.store import RunStore, open_run
from ..wan.state import ChunkState
from ._compat import io
from .keep import Run, runs_folder
from .layout import gather_image
from .stored_video import StoredVideo, frame_rate
from .thumbnails import show_seams

logger = logging.getLogger(__name__)

DRAWN = 300
"""Chunks that the timeline draws one by one, and seams that it gives a button; see ``js/timeline.js``."""


@dataclass(frozen=True)
class VideoJob:
    """A planned video, and all that makes it."""

    state: ChunkState
    family: Family
    sampler: Sampler
    inputs: ChunkInputs
    vae: Any
    """The host's VAE."""
    optical_flow: Any = None
    """The host's OPTICAL_FLOW, or None for the built-in estimator."""
    run: Run | None = None
    """How it is kept; None loses what is interrupted."""


def make_video(job: VideoJob) -> io.NodeOutput:
    """Run the loop over a planned video."""
    began, fps = time.monotonic(), job.state.plan.fps
    rate = frame_rate(fps)  # one that no video has is refused before hours are spent
    state = job.state.noted((job.sampler.describe(), *job.inputs.notes), job.sampler.warnings(job.state.settings))
    for warning in (*state.plan.warnings(), *state.warnings):
        logger.warning(warning)
    tools = Tools(job.vae, job.sampler, check_interrupt, host_estimator(job.optical_flow), job.family)
    if job.run is not None:
        state = replace(state, vary_from=job.run.vary_from, variation=job.run.variation)
        return _make_kept(job, job.run, state, tools, began)
    state = generate(state, tools)
    latent, report, timeline = {"samples": state.latent}, _report(state, None, began), state.timeline()
    pieces = list(state.pieces)
    del state  # which would keep the pieces while they are copied
    frames = take_frames(pieces)
    components = VideoComponents(images=frames, audio=None, frame_rate=rate)
    return io.NodeOutput(frames, latent, report, InputImpl.VideoFromComponents(components), ui=_shown(timeline, frames))


def _make_kept(job: VideoJob, run: Run, state: ChunkState, tools: Tools, began: float) -> io.NodeOutput:
    """The video with every chunk kept, and taken from what is kept where that is equal."""
    fps = state.plan.fps
    identity = {"family": job.family.name, "vae": identify_weights(job.vae.first_stage_model.named_parameters())}
    if job.optical_flow is not None:
        identity["optical_flow"] = identify_weights(job.optical_flow.model.named_parameters())

    def fingerprint(before: ChunkState) -> dict:
        return fingerprint_chunk(before, **identity, **job.sampler.fingerprint(before))

    with open_run(runs_folder(), run.name, fingerprint, overwrite=run.overwrite) as store:
        state = generate(state, tools, store)
        frames = gather_image(store.frames, store.footage()) if run.frames_in_memory else None
        latent, report = {"samples": state.latent}, _report(state, store, began)
        timeline = _shown(state.timeline(), frames, store.footage())
        given = ExecutionBlocker(None) if frames is None else frames
        return io.NodeOutput(given, latent, report, StoredVideo(store.shown(), fps), ui=timeline)


def _shown(timeline: dict, frames: torch.Tensor | None, footage: Iterable[torch.Tensor] = ()) -> dict:
    """What the node's timeline shows after the run: the plan, its seams, and pictures of these, from the IMAGE if there
    is one, else from the kept frames."""
    pieces = footage if frames is None else [rearrange(frames, "t h w c -> t c h w")]
    pictures = show_seams(pieces, [chunk["seam"] for chunk in choosable(timeline["chunks"])])
    for chunk in timeline["chunks"]:
        chunk["picture"] = pictures.get(chunk["seam"])
    return {"wan_motion_timeline": [timeline]}


def choosable(chunks: list[dict]) -> list[dict]:
    """The chunks whose seams the timeline lets one choose: all but the first, or of very many those that stand out."""
    if len(chunks) <= DRAWN:
        return chunks[1:]
    out = [chunk for chunk in chunks[1:] if chunk["score"] is not None and chunk["score"] > 1]
    return sorted(sorted(out, key=lambda chunk: -chunk["score"])[:DRAWN], key=lambda chunk: chunk["seam"])


def _report(state: ChunkState, store: RunStore | None, began: float) -> str:
    """The state's report, with how the whole went."""
    reused = 0 if store is None else store.reused
    words = f"{state.made - reused} chunks made" + (
        f", {reused} taken from {shown(store.folder)}" if store and reused else ""
    )
    words += f" in {time.monotonic() - began:.0f} s"
    memory = psutil.Process().memory_info()
    # Windows counts what a process had at most; elsewhere it is what it has now.
    words += f"; the process has {getattr(memory, 'peak_wset', memory.rss) / 2**20:.0f} MiB"
    if torch.cuda.is_available():
        words += f", the GPU had at most {torch.cuda.max_memory_allocated() / 2**20:.0f} MiB"
    logger.info(words)
    return "\n".join((state.report(), *(store.notes if store else ()), words))


def take_frames(pieces: list[torch.Tensor]) -> torch.Tensor:
    """Pieces as one IMAGE; each is freed once it is copied."""
    return gather_image(sum(map(len, pieces)), (pieces.pop(0) for _ in range(len(pieces))))
