"""What the nodes that make a whole video share: the loop, and what comes out of it."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Any

import psutil
import torch
from comfy_api.latest import InputImpl
from comfy_api.util import VideoComponents
from comfy_execution.graph_utils import ExecutionBlocker

from ..wan.host.checks import check_interrupt
from ..wan.host.inputs import ChunkInputs
from ..wan.host.optical_flow import host_motion
from ..wan.host.progress import show_frame
from ..wan.identity import identify_model, identify_vae, leave
from ..wan.layout import MOST_CHUNKS
from ..wan.loop import Tools, generate
from ..wan.protocols import Family, Sampler
from ..wan.report import Making
from ..wan.runs.finder import Options
from ..wan.runs.fingerprint import Fingerprint, fingerprint_chunk
from ..wan.runs.names import RunError, reason, shown
from ..wan.runs.store import RunStore, open_run
from ..wan.state import ChunkState
from ..wan.tint import tint_warnings
from ._compat import io
from .keep import Run
from .layout import gather_image
from .runs import SEEN, UNKEPT, make_room, runs_folder, unkept_folder
from .source import Source
from .stored_video import StoredVideo, frame_rate
from .timeline import Timeline

logger = logging.getLogger(__name__)


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
    """How it is kept; None keeps it until the host is started again."""
    source: Source | None = None
    """The video that it goes on from, for its sound."""
    behind: torch.Tensor | None = None
    """``(n, 3, H, W)``: what comes behind it in what is given out."""
    seed: int | None = None
    """As the node has it, for its timeline."""


def make_video(job: VideoJob) -> io.NodeOutput:
    """Run the loop over a planned video, with every chunk kept: for good, or until the host starts again.

    Raises:
        ValueError: if Keep Run asks for a chunk that the video does not have.
    """
    began, fps, run = time.monotonic(), job.state.plan.fps, job.run
    frame_rate(fps)  # one that no video has is refused before hours are spent
    state = job.state.noted((job.sampler.describe(), *job.inputs.notes), job.sampler.warnings(job.state.settings))
    if run is not None:
        state = _varied(state, run)
    if job.source is not None:
        count = sum(map(len, state.source))
        state = state.noted(
            (f"{job.source.name}: {count} frames, {count / fps:.1f} s, in front of what is made",),
            job.source.warnings(fps),
        )
    for warning in (*state.plan.warnings(), *state.warnings):
        logger.warning(warning)
    motion = host_motion(job.optical_flow, state.settings.estimator)
    tools = Tools(job.vae, job.sampler, check_interrupt, motion, job.family)
    fingerprint = _fingerprint(job)
    kept = _open_unkept(state, fingerprint) if run is None else _open_kept(run, fingerprint)
    with kept as store:
        timeline = Timeline(store, sum(map(len, state.source)), run is not None, job.seed)
        if job.behind is None:
            tools = replace(tools, watch=timeline.send)
        try:
            state = generate(state, tools, store, stop_after=None if run is None else run.stop_after)
        except BaseException:
            if run is None and any(kept.path for kept in store.kept):
                logger.warning(_go_on(store))
            raise
        finally:
            leave()
        for warning in tint_warnings(state.records, state.settings.color_anchor):
            logger.warning(warning)
        if state.made > store.reused:
            show_frame(state.pieces[-1][-1])
        if run is not None and run.takes_to_keep is not None and state.chunk is None:
            store.drop_unused(run.takes_to_keep)
        given = _give_out(job, state, timeline, began)
    if run is not None and state.chunk is None:
        SEEN.leave(store.folder)
    return given


def _give_out(job: VideoJob, state: ChunkState, timeline: Timeline, began: float) -> io.NodeOutput:
    """What the node gives out of a video, finished or so far."""
    store = timeline.store
    store.before, store.behind = state.source, () if job.behind is None else (job.behind,)
    fps, latent, report = state.plan.fps, {"samples": state.latent}, _report(state, store, job.run, began)
    in_memory = job.run is None or job.run.frames_in_memory
    # Without Keep Run memory holds all frames twice at no time.
    frames = gather_image(store.given, store.footage(free=job.run is None)) if in_memory else None
    shown = {} if job.behind is not None else timeline.show(state, frames, store.footage())
    audio = None if job.source is None else job.source.sound(fps)
    if job.run is not None:
        given = ExecutionBlocker(None) if frames is None else frames
        return io.NodeOutput(given, latent, report, StoredVideo(store.shown(), fps, audio), ui=shown)
    components = VideoComponents(images=frames, audio=audio, frame_rate=frame_rate(fps))
    return io.NodeOutput(frames, latent, report, InputImpl.VideoFromComponents(components), ui=shown)


def _varied(state: ChunkState, run: Run) -> ChunkState:
    """The state with what Keep Run asks of some chunks."""
    # Where overlaps follow the speed, chunks may become more or fewer.
    count = MOST_CHUNKS if "overlap_frames" in state.settings.adaptive else len(state.plan.chunks)
    for name, index in (("vary_from", run.vary_from), *(("use_takes", index) for index in run.use_takes)):
        if index is not None and index >= count:
            raise ValueError(f"{name}: there is no chunk {index + 1}, the video has {count}.")
    warnings = ()
    if run.keep_later and (run.vary_from is None or run.variation == 0):
        warnings = ("keep_later does nothing without vary_from and a variation",)
    return replace(state, vary_from=run.vary_from, variation=run.variation, keep_later=run.keep_later).noted(
        warnings=warnings
    )


def _fingerprint(job: VideoJob) -> Callable[[ChunkState], Fingerprint]:
    """What each chunk of a job is made from."""
    identity: dict[str, Any] = {"family": job.family.name, "vae": identify_vae(job.vae)}
    if job.optical_flow is not None:
        identity["optical_flow"] = identify_model(job.optical_flow)
    return lambda before: fingerprint_chunk(before, **identity, **job.sampler.fingerprint(before))


def _open_kept(run: Run, fingerprint: Callable[[ChunkState], Fingerprint]) -> AbstractContextManager[RunStore]:
    return open_run(runs_folder(), run.name, fingerprint, Options(run.use_takes, run.reuse_unsure, previews=True))


@contextlib.contextmanager
def _open_unkept(state: ChunkState, fingerprint: Callable[[ChunkState], Fingerprint]) -> Iterator[RunStore]:
    """A run among the temporary files, for a video without Keep Run: what fails after an hour goes on from there.

    What keeps it from being written must not keep the video from being made.
    """
    name = UNKEPT + fingerprint(state).digest[:8]
    with contextlib.ExitStack() as stack:
        try:
            # Without rounding.
            options = Options(dtype=torch.float32, limit=make_room(name), in_memory=True, previews=True)
            store = stack.enter_context(open_run(unkept_folder(), name, fingerprint, options))
        except (OSError, RunError) as error:
            why = reason(error) if isinstance(error, OSError) else str(error).removeprefix("run_name: ")
            store = RunStore(unkept_folder() / name, fingerprint, Options(dtype=torch.float32, limit=0))
            store.note(f"chunks stay in memory, and are lost with an interrupt: {why}")
        yield store


def _go_on(store: RunStore) -> str:
    """How to take up chunks that are kept among the temporary files."""
    count = sum(kept.path is not None for kept in store.kept)
    return (
        f"{count} finished chunks are in temp/{shown(store.folder)} until ComfyUI is started again: queue the same "
        f"workflow to go on, or load them with Load Run as {store.folder.name}. Keep Run keeps them for good"
    )


def _report(state: ChunkState, store: RunStore, run: Run | None, began: float) -> str:
    """The state's report, with how the whole went."""
    if run is not None and run.vary_from is not None and run.vary_from >= len(state.plan.chunks):
        state = state.noted(
            warnings=(f"vary_from: there was no chunk {run.vary_from + 1}, the video has {len(state.plan.chunks)}",)
        )
    if state.chunk is not None:
        count = len(state.plan.chunks)
        state = state.noted(
            warnings=(f"the video is not finished: {state.made} of {count} chunks are made. Queue again to go on",)
        )
    making = Making(state.made - store.reused, store.reused, time.monotonic() - began)
    taken = f", {making.taken} taken from {shown(store.folder)}" if making.taken else ""
    memory = psutil.Process().memory_info()
    # Windows counts what a process had at most; elsewhere it is what it has now.
    words = f"the process has {getattr(memory, 'peak_wset', memory.rss) / 2**20:.0f} MiB"
    if torch.cuda.is_available():
        words += f", the GPU had at most {torch.cuda.max_memory_allocated() / 2**20:.0f} MiB"
    logger.info("%d chunks made%s in %.0f s; %s", making.made, taken, making.seconds, words)
    disk = [store.describe()] if store.options.limit != 0 else []
    return state.report(making, (*store.notes, *disk, words))
