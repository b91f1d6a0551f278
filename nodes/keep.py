"""Runs that are kept on disk: nothing that is finished is made twice or lost."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from comfy_execution.graph_utils import ExecutionBlocker

from ..wan.numbers import check_whole
from ..wan.report import write_kept
from ..wan.runs.load import load_run
from ..wan.runs.names import check_name, shown
from ..wan.runs.takes import list_files
from ._compat import io, schema
from .inputs import fps_input
from .layout import gather_image
from .runs import FOLDER, SEEN, find_runs, list_runs, runs_folder
from .stored_video import StoredVideo, frame_rate
from .types import KEEP, RunType
from .values import checked

LAST_CHUNK, LAST_VARIATION, MOST_TAKES = 100_000, 1_000_000, 100_000
"""What vary_from, variation and takes_to_keep may be, linked or not."""
UNSURE = ("regenerate", "reuse")
NAMED = 8
"""Runs that a message names."""
CHOICE = re.compile(r"\s*0*([1-9][0-9]{0,5})\s*:\s*0*([1-9][0-9]{0,8})\s*")


@dataclass(frozen=True)
class Run:
    """How a run is kept."""

    name: str
    frames_in_memory: bool = True
    """Whether the finished video is given out as one IMAGE."""
    vary_from: int | None = None
    """The first chunk, by index, of a variation."""
    variation: int = 0
    keep_later: bool = False
    """Whether the chunks behind it stay."""
    stop_after: int | None = None
    """How many chunks to make at most; None makes all."""
    takes_to_keep: int | None = None
    """Of each chunk; None keeps all."""
    use_takes: Mapping[int, int] = field(default_factory=dict)
    """By the index of a chunk the number of the take to use."""
    reuse_unsure: bool = False


class KeepRun(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return schema(
            node_id="WanMotionKeepRun",
            display_name="Keep Run (Wan Motion)",
            category=KEEP,
            description="Keeps every finished chunk on disk: an interrupted or crashed video goes on where it stopped, "
            "a longer or changed one reuses all chunks that are equal, and what was made before stays as another take.",
            search_aliases=["resume", "extend", "checkpoint", "save chunks", "continue", "crash", "takes", "redo"],
            inputs=[
                io.String.Input(
                    "run_name",
                    default="my-video",
                    tooltip=f"Folder in output/{FOLDER}. Nothing in it is overwritten: another picture, prompt or seed "
                    "under the same name makes other takes of its chunks.",
                ),
                io.Boolean.Input(
                    "frames_in_memory",
                    default=True,
                    tooltip="Whether Long Video gives out all frames as one IMAGE. Off: use its video output, whose "
                    "memory does not grow with length; what is connected to frames does not run.",
                ),
                io.Int.Input(
                    "stop_after",
                    default=0,
                    min=0,
                    max=LAST_CHUNK,
                    tooltip="Stops when so many new chunks are made, and gives out the video so far; queue again to go "
                    "on. 0 makes all.",
                ),
                io.Int.Input(
                    "vary_from",
                    default=0,
                    min=0,
                    max=LAST_CHUNK,
                    tooltip="Regenerates this chunk, counted from 1, and all after it, with another seed; 0: none. "
                    "See variation and keep_later.",
                ),
                io.Int.Input(
                    "variation",
                    default=1,
                    min=0,
                    max=LAST_VARIATION,
                    tooltip="Which other seed vary_from takes. Another number is another take, 0 the first.",
                ),
                io.Boolean.Input(
                    "keep_later",
                    default=False,
                    tooltip="Regenerates the chunk vary_from alone, between its neighbors: its end is held to the "
                    "frames that the next chunk continues. For models that can be told end frames: Wan2.2 I2V A14B, "
                    "Wan2.1 FLF2V, Fun InP and VACE.",
                ),
                io.String.Input(
                    "use_takes",
                    default="",
                    tooltip="Which kept take of a chunk to use, such as 3: 2 for the second take of chunk 3, or "
                    "3: 2, 5: 1. Later chunks that were made behind it come back with it. The report and run.json "
                    "say which takes there are.",
                ),
                io.Int.Input(
                    "takes_to_keep",
                    default=0,
                    min=0,
                    max=MOST_TAKES,
                    tooltip="How many takes of a chunk stay on disk once the video is finished, its own among them; 1 "
                    "deletes all that is no part of this video. 0 keeps all.",
                ),
                io.Combo.Input(
                    "when_unsure",
                    options=list(UNSURE),
                    default=UNSURE[0],
                    tooltip="What to do with kept chunks after ComfyUI was started again, if a node of the graph "
                    "changes the model in a way that cannot be compared; the report names it. reuse takes them all "
                    "the same.",
                ),
            ],
            outputs=[RunType.Output(display_name="run", tooltip="For Long Video.")],
        )

    @classmethod
    def fingerprint_inputs(cls, run_name, **widgets):
        """Another whenever chunk files were changed by anything but the job that this run made last."""
        if run_name is None:  # it is linked: what it will be is not known here
            return float("nan")
        return SEEN.token(runs_folder() / check_name(run_name))

    @classmethod
    @checked
    def execute(
        cls,
        run_name,
        frames_in_memory,
        stop_after,
        vary_from,
        variation,
        keep_later,
        use_takes,
        takes_to_keep,
        when_unsure,
    ) -> io.NodeOutput:
        if when_unsure not in UNSURE:
            raise ValueError(f"when_unsure must be one of {', '.join(UNSURE)}, got {str(when_unsure)[:20]!r}.")
        vary_from = check_whole("vary_from", vary_from, 0, LAST_CHUNK)
        return io.NodeOutput(
            Run(
                check_name(run_name),
                frames_in_memory,
                vary_from - 1 if vary_from else None,
                check_whole("variation", variation, 0, LAST_VARIATION),
                keep_later,
                check_whole("stop_after", stop_after, 0, LAST_CHUNK) or None,
                check_whole("takes_to_keep", takes_to_keep, 0, MOST_TAKES) or None,
                parse_takes(use_takes),
                when_unsure == UNSURE[1],
            )
        )


class LoadRun(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return schema(
            node_id="WanMotionLoadRun",
            display_name="Load Run (Wan Motion)",
            category=KEEP,
            description="The finished chunks of a kept run, whether it was interrupted, crashed or done.",
            search_aliases=["resume", "partial video", "recover"],
            inputs=[
                io.Combo.Input(
                    "run_name",
                    options=list_runs(),
                    tooltip=f"A run in output/{FOLDER}, the latest first; then those in temp/{FOLDER}, where videos "
                    "without Keep Run are until ComfyUI is started again. Press R for new ones.",
                ),
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
                io.String.Output(display_name="report", tooltip="What is kept, and a row for each chunk, in Markdown."),
            ],
        )

    @classmethod
    def validate_inputs(cls, run_name):
        """Whatever the host listed when the graph was loaded: a run may be there since."""
        return True

    @classmethod
    def fingerprint_inputs(cls, run_name, fps, frames_in_memory=True):
        """Another whenever the run has come further, or another file is in the place of one."""
        if run_name is None:  # it is linked: what it will be is not known here
            return float("nan")
        return str(list_files(find_runs(run_name) / check_name(run_name)))

    @classmethod
    @checked
    def execute(cls, run_name, fps, frames_in_memory=True) -> io.NodeOutput:
        frame_rate(fps)  # is refused before the disk is read
        store = load_run(find_runs(run_name), run_name)
        if not store.kept:
            why = "".join(f" {note}." for note in store.notes)
            if store.takes.old:
                why += f" {store.takes.old} chunk files of version 0.1.0 are there, which are not read."
            raise ValueError(
                f"run_name: no whole chunk is kept in {shown(store.folder)}.{why} {_there_are(list_runs())}"
            )
        kept = [(each.facts.record, each.facts.take) for each in store.kept]
        report = write_kept(store.folder.name, store.frames, kept, (*store.notes, store.describe()))
        frames: Any = gather_image(store.frames, store.footage()) if frames_in_memory else ExecutionBlocker(None)
        return io.NodeOutput(frames, StoredVideo(store.shown(), fps), report)


def _there_are(names: list[str]) -> str:
    if not names:
        return "No run is kept yet: make one with Keep Run."
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return f"Choose one that is: {', '.join(names[:NAMED])}{more}."


def parse_takes(text: str) -> dict[int, int]:
    """The takes that ``use_takes`` names: by the index of a chunk the number of its take.

    Raises:
        ValueError: if it is anything else, or names a chunk twice.
    """
    found: dict[int, int] = {}
    for part in re.split(r"[,;\n]", str(text)):
        if not part.strip():
            continue
        match = CHOICE.fullmatch(part)
        if match is None:
            raise ValueError(f"use_takes: expected chunk: take, such as 3: 2, got {part.strip()[:40]!r}.")
        index = int(match[1]) - 1
        if index in found:
            raise ValueError(f"use_takes: chunk {index + 1} is named twice.")
        found[index] = int(match[2])
    return found
