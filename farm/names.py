"""What the farm knows of the pack and of its own storage by name."""

from __future__ import annotations

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
