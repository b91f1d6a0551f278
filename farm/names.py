"""What the farm knows of the pack and of its own storage by name."""

from __future__ import annotations

import unicodedata

KEEP, LOAD, PLAN = "WanMotionKeepRun", "WanMotionLoadRun", "WanMotionPlanVideo"
OPTIONS = "WanMotionOptions"
"""Nodes of the pack that the farm adds, changes or reads."""
RUN_TYPE, STACK_TYPE = "WAN_MOTION_RUN", "WAN_MOTION_PROMPT_STACK"
"""Types of sockets; the nodes that make a video are those with one of the first."""
RUN_NAME, STOP_AFTER, VARY_FROM, VARIATION, KEEP_LATER, USE_TAKES = (
    "run_name",
    "stop_after",
    "vary_from",
    "variation",
    "keep_later",
    "use_takes",
)
"""Inputs of Keep Run."""
WHEN_UNSURE, REUSE = "when_unsure", "reuse"
"""Its input, and the value under which kept chunks are taken also where a patch of the model cannot be compared."""
SEED, FPS, LENGTH, LENGTH_UNIT = "seed", "fps", "length", "length_unit"
START_IMAGE, END_IMAGE, SOURCE = "start_image", "end_image", "source"
"""Inputs of nodes that make a video, where scenes differ."""
GIVEN = "options"
"""The input that Options is connected to."""
NOISE, FEATURES = "noise", "feature_continuity"
"""Inputs of Options that may not be the same for a scene as for the whole."""
START, UNIT = "start", "unit"
"""Inputs of a prompt of a stack, which may have a start image too."""
FRAMES, VIDEO, REPORT = "frames", "video", "report"
"""Outputs of nodes that make or load a video."""
OURS = "WanMotion"
"""What ids of the pack's nodes begin with."""
TIMELINE = "wan_motion_timeline"
"""What a node that made a video shows: its chunks and their seams."""
RUNS_FOLDER = "wan_motion_runs"
"""Of runs, in ComfyUI's output folder."""
TAKE = r"chunk_[0-9]{4,9}_take_[0-9]{2,9}_[0-9a-f_]+\.safetensors"
"""Chunk files of a run, each named by what it was made from."""
MANIFEST = "run.json"

JOBS, STATES, RESULTS, CANCELS = "jobs", "states", "results", "cancels"
"""Folders of the storage with a JSON file for each job."""
RUNS, LEASES, INPUTS, VIDEOS = "runs", "leases", "inputs", "videos"

QUEUED, RUNNING, DONE, FAILED, CANCELLED = "queued", "running", "done", "failed", "cancelled"
"""What becomes of a job."""
RETRY, HELD, LOST = "retry", "held", "lost"
"""What an attempt may come to besides: what it needs is away, another holds its run, or another took it."""
ENDED = (DONE, FAILED, CANCELLED)

LONGEST = 120
"""Bytes of a run's name."""
PORTS = ("com", "lpt")
DEVICES = {"con", "prn", "aux", "nul", *(f"{port}{digit}" for port in PORTS for digit in "123456789\xb9\xb2\xb3")}
INVISIBLE = {0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x180B, 0x180C, 0x180D, 0x180F, 0x3164, 0xFFA0}
INVISIBLE |= {*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)}


def check_run(name: object) -> str:
    """The name of a run in composed form, by the rule of ``wan/runs/names.py``, which workers do not have.

    Raises:
        ValueError: if it could name anything but one folder.
    """
    if not isinstance(name, str):
        raise ValueError(f"{RUN_NAME}: expected text, got {type(name).__name__}. It names one folder.")
    name = unicodedata.normalize("NFC", name)
    if (
        not name.strip()
        or name != name.strip()
        or name[0] == "."
        or name[-1] == "."
        or not all(map(_is_plain, name))
        or unicodedata.category(name[0])[0] == "M"
        or len(name.encode()) > LONGEST
        or name.split(".")[0].rstrip(" ").lower() in DEVICES
    ):
        words = f"letters, digits, spaces and ._-() in at most {LONGEST} bytes"
        raise ValueError(f"{RUN_NAME}: expected {words}, got {name[:60]!r}. It names one folder.")
    return name


def _is_plain(letter: str) -> bool:
    known = letter in " ._-()" or letter.isalnum() or unicodedata.category(letter)[0] == "M"
    return known and ord(letter) not in INVISIBLE
