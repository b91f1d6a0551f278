"""Runs that are kept on disk: nothing that is finished is made twice or lost."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import folder_paths
from comfy_execution.graph_utils import ExecutionBlocker

from ..wan.runs.names import check_name, shown
from ..wan.runs.store import list_chunks, load_run
from ._compat import io, schema
from .inputs import fps_input
from .layout import gather_image
from .stored_video import StoredVideo, frame_rate
from .types import CATEGORY, RunType
from .values import checked

FOLDER = "wan_motion_runs"
LAST_CHUNK, LAST_VARIATION = 100_000, 1_000_000
"""What vary_from and variation may be, linked or not."""


@dataclass(frozen=True)
class Run:
    """How a run is kept."""

    name: str
    frames_in_memory: bool = True
    """Whether the finished video is given out as one IMAGE."""
    vary_from: int | None = None
    """The first chunk, by index, of a variation."""
    variation: int = 0
    overwrite: bool = False


def runs_folder() -> Path:
    return Path(folder_paths.get_output_directory()) / FOLDER


class KeepRun(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return schema(
            node_id="WanMotionKeepRun",
            display_name="Keep Run (Wan Motion)",
            category=CATEGORY,
            description="Keeps every finished chunk on disk: an interrupted or crashed video goes on where it stopped, "
            "a longer or changed one reuses all chunks up to the first that differs.",
            search_aliases=["resume", "checkpoint", "save chunks", "continue", "crash"],
            inputs=[
                io.String.Input(
                    "run_name",
                    default="my-video",
                    tooltip=f"Folder in output/{FOLDER}. Give each video its own: another picture or prompt under the "
                    "same name replaces the chunks from the first that differs.",
                ),
                io.Boolean.Input(
                    "frames_in_memory",
                    default=True,
                    tooltip="Whether Long Video gives out all frames as one IMAGE. Off: use its video output, whose "
                    "memory does not grow with length; what is connected to frames does not run.",
                ),
                io.Int.Input(
                    "vary_from",
                    default=0,
                    min=0,
                    max=LAST_CHUNK,
                    tooltip="Regenerates this chunk, counted from 1, and all after it, with another seed; 0: none. "
                    "See variation.",
                ),
                io.Int.Input(
                    "variation",
                    default=1,
                    min=0,
                    max=LAST_VARIATION,
                    tooltip="Which other seed vary_from takes. Another number is another take, 0 the first.",
                ),
                io.Boolean.Input(
                    "overwrite",
                    default=False,
                    tooltip="Deletes what is kept under this name before it starts, each time that it runs.",
                ),
            ],
            outputs=[RunType.Output(display_name="run", tooltip="For Long Video.")],
        )

    @classmethod
    @checked
    def execute(cls, run_name, frames_in_memory, vary_from, variation, overwrite) -> io.NodeOutput:
        if type(vary_from) is not int or not 0 <= vary_from <= LAST_CHUNK:
            raise ValueError(
                f"vary_from must be a chunk from 1 to {LAST_CHUNK}, or 0 for none, got {str(vary_from)[:20]}."
            )
        if type(variation) is not int or not 0 <= variation <= LAST_VARIATION:
            raise ValueError(f"variation must be a number from 0 to {LAST_VARIATION}, got {str(variation)[:20]}.")
        index = vary_from - 1 if vary_from else None
        return io.NodeOutput(Run(check_name(run_name), frames_in_memory, index, variation, overwrite))


class LoadRun(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return schema(
            node_id="WanMotionLoadRun",
            display_name="Load Run (Wan Motion)",
            category=CATEGORY,
            description="The finished chunks of a kept run, whether it was interrupted, crashed or done.",
            search_aliases=["resume", "partial video", "recover"],
            inputs=[
                io.String.Input("run_name", default="my-video", tooltip=f"Name of a folder in output/{FOLDER}."),
                fps_input(),
                io.Boolean.Input(
                    "frames_in_memory",
                    default=True,
                    tooltip="Whether all frames are given out as one IMAGE. Off: use the video output, whose memory "
                    "does not grow with length.",
                ),
            ],
            outputs=[
                io.Image.Output(display_name="frames", tooltip="All frames that are kept, in memory."),
                io.Video.Output(display_name="video", tooltip="The same as a video, read from disk as it is needed."),
                io.String.Output(display_name="report", tooltip="A line per chunk."),
            ],
        )

    @classmethod
    def fingerprint_inputs(cls, run_name, fps, frames_in_memory=True):
        """Another whenever the run has come further, or another file is in the place of one."""
        return str(list_chunks(runs_folder() / check_name(run_name)))

    @classmethod
    @checked
    def execute(cls, run_name, fps, frames_in_memory=True) -> io.NodeOutput:
        frame_rate(fps)  # is refused before the disk is read
        store = load_run(runs_folder(), run_name)
        if not store.kept:
            why = "".join(f" {note}." for note in store.notes)
            raise ValueError(
                f"run_name: no whole chunk is kept in {shown(store.folder)}.{why} Use the name that Keep Run has."
            )
        words = f"{store.frames} frames of {store.folder.name}"
        report = "\n".join((words, *(kept.facts.record.describe() for kept in store.kept), *store.notes))
        frames = gather_image(store.frames, store.footage()) if frames_in_memory else ExecutionBlocker(None)
        return io.NodeOutput(frames, StoredVideo(store, fps), report)
