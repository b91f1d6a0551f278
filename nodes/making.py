"""What the nodes that make a whole video share: the loop, and the inputs around its sampler."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from dataclasses import replace

import psutil
import torch
from comfy_api.latest import InputImpl
from comfy_api.util import VideoComponents
from comfy_execution.graph_utils import ExecutionBlocker

from ..wan.host.checks import check_interrupt
from ..wan.host.noise import MAX_SEED, POLICIES
from ..wan.host.optical_flow import host_estimator
from ..wan.loop import Tools, generate
from ..wan.runs.fingerprint import describe_chunk, identify_weights
from ..wan.runs.names import shown
from ..wan.runs.store import RunStore, open_run
from ..wan.state import ChunkState
from ._compat import io
from .keep import Run, runs_folder
from .layout import gather_image
from .prompt_inputs import find_doubts, read_features
from .stored_video import StoredVideo, frame_rate
from .thumbnails import show_seams
from .types import RunType, optical_flow_input, region_input, share_input

logger = logging.getLogger(__name__)

ADVANCED = ("noise", "feature_continuity", "seed_list")
"""Of the inputs below, those for experts."""
DRAWN = 300
"""Chunks that the timeline draws one by one, and seams that it gives a button; see ``js/timeline.js``."""


def make_video(
    state: ChunkState,
    vae,
    make_sampler,
    motion_region=None,
    optical_flow=None,
    clip_vision=None,
    clip_vision_output=None,
    feature_continuity=0.0,
    seed_list="",
    run: Run | None = None,
    *,
    model,
    conditions=None,
) -> io.NodeOutput:
    """Run the loop over a planned video; :func:`sight_inputs` and :func:`noise_input` say what is what.

    Args:
        model: that samples.
        conditions: options of the conditions that the chunks are told; by default those of the state's entries.
    """
    began, fps = time.monotonic(), state.plan.fps
    rate = frame_rate(fps)  # one that no video has is refused before hours are spent
    features = read_features(state, model, clip_vision_output, clip_vision, feature_continuity)
    sampler = make_sampler(features)
    doubts = find_doubts(state, model, clip_vision_output, clip_vision, conditions)
    doubts += sampler.warnings(state.settings)
    for warning in (*state.plan.warnings(), *doubts):
        logger.warning(warning)
    state = state.noted((sampler.describe(), *sampler.loras.notes), doubts)
    tools = Tools(vae, sampler, check_interrupt, host_estimator(optical_flow))
    if run is None:
        state = generate(state, tools)
        latent, report, timeline = {"samples": state.latent}, _report(state, None, began), state.timeline()
        pieces = list(state.pieces)
        del state  # which would keep the pieces while they are copied
        frames = take_frames(pieces)
        components = VideoComponents(images=frames, audio=None, frame_rate=rate)
        return io.NodeOutput(
            frames, latent, report, InputImpl.VideoFromComponents(components), ui=_shown(timeline, frames)
        )
    identity = {"vae": identify_weights(vae.first_stage_model.named_parameters())}
    if optical_flow is not None:
        identity["optical_flow"] = identify_weights(optical_flow.model.named_parameters())

    def contract(before: ChunkState) -> dict:
        return describe_chunk(before, **identity, **features.told(before), **sampler.told(before))

    state = replace(state, vary_from=run.vary_from, variation=run.variation)
    with open_run(runs_folder(), run.name, contract, anew=run.anew) as store:
        state = generate(state, tools, store)
        frames = gather_image(store.frames, store.footage()) if run.frames_in_memory else None
        latent, report = {"samples": state.latent}, _report(state, store, began)
        timeline = _shown(state.timeline(), frames, store.footage())
        given = ExecutionBlocker(None) if frames is None else frames
        return io.NodeOutput(given, latent, report, StoredVideo(store.shown(), fps), ui=timeline)


def _shown(timeline: dict, frames: torch.Tensor | None, footage: Iterable[torch.Tensor] = ()) -> dict:
    """What the node's timeline shows after the run: the plan, its seams, and pictures of these, from the IMAGE if there
    is one, else from the kept frames."""
    pieces = footage if frames is None else [frames.movedim(-1, 1)]
    pictures = show_seams(pieces, [chunk["seam"] for chunk in choosable(timeline["chunks"])])
    for chunk in timeline["chunks"]:
        chunk["picture"] = pictures.get(chunk["seam"])
    return {"wan_motion_timeline": [timeline]}


def choosable(chunks: list[dict]) -> list[dict]:
    """The chunks whose seams the timeline lets one choose: all but the first, or of very many those that stand out."""
    if len(chunks) <= DRAWN:
        return chunks[1:]
    out = [chunk for chunk in chunks[1:] if chunk["excess"] is not None and chunk["excess"] > 1]
    return sorted(sorted(out, key=lambda chunk: -chunk["excess"])[:DRAWN], key=lambda chunk: chunk["seam"])


def _report(state: ChunkState, store: RunStore | None, began: float) -> str:
    """The state's report, with how the whole went."""
    reused = 0 if store is None else store.reused
    words = f"{state.made - reused} chunks made" + (f", {reused} taken from {shown(store.folder)}" if reused else "")
    words += f" in {time.monotonic() - began:.0f} s"
    memory = psutil.Process().memory_info()
    # Windows counts what a process had at most; elsewhere it is what it has now.
    words += f"; the process has {getattr(memory, 'peak_wset', memory.rss) / 2**20:.0f} MiB"
    if torch.cuda.is_available():
        words += f", the GPU had at most {torch.cuda.max_memory_allocated() / 2**20:.0f} MiB"
    logger.info(words)
    return "\n".join((state.report(), *(store.notes if store else ()), words))


def take_frames(pieces: list[torch.Tensor]) -> torch.Tensor:
    """Pieces as one IMAGE; each is let go once it is copied."""
    return gather_image(sum(map(len, pieces)), (pieces.pop(0) for _ in range(len(pieces))))


def seed_input() -> io.Input:
    return io.Int.Input(
        "seed",
        default=0,
        min=0,
        max=MAX_SEED,
        control_after_generate=True,
        tooltip="Noise seed of the first chunk; see noise.",
    )


def noise_input() -> io.Input:
    return io.Combo.Input(
        "noise",
        options=list(POLICIES),
        tooltip="per_chunk: each later chunk takes the next seed. fixed: all take the same. absolute: each moment of "
        "the video has its own noise, which two chunks share in their overlap. list: the seeds of seed_list.",
    )


def sight_inputs() -> list[io.Input]:
    """What the model and the motion analysis see, and the seeds, which stand last."""
    return [
        io.ClipVisionOutput.Input(
            "clip_vision_output",
            optional=True,
            tooltip="Features of the start image, given to every chunk. They hold the subject.",
        ),
        region_input(),
        optical_flow_input(),
        io.ClipVision.Input(
            "clip_vision",
            optional=True,
            tooltip="Encodes the start image and that of every cut, whole and not as they are cropped, end images for "
            "FLF2V, and for feature_continuity each chunk's last known frame.",
        ),
        share_input(
            "feature_continuity",
            0.0,
            optional=True,
            tooltip="Needs clip_vision: share of the last known frame's features at the video's end, less before. "
            "0 holds to the start image; more follows a scene that changes.",
        ),
        io.String.Input(
            "seed_list",
            default="",
            optional=True,
            tooltip="For noise list: the seed of each chunk, such as 7, 42, 7. Further chunks count on.",
        ),
        RunType.Input(
            "run",
            optional=True,
            tooltip="From Keep Run: finished chunks are kept on disk and never made twice. Without it a video that is "
            "interrupted is lost.",
        ),
    ]


def video_outputs() -> list[io.Output]:
    return [
        io.Image.Output(display_name="frames", tooltip="The finished video."),
        io.Latent.Output(display_name="latent", tooltip="The last chunk as sampled, overlap included."),
        io.String.Output(
            display_name="report",
            tooltip="The plan, all settings, and per chunk what it was told, the level used and how its seam measures.",
        ),
        io.Video.Output(display_name="video", tooltip="The finished video, for Save Video."),
    ]
