"""Sockets and inputs that several nodes share."""

from __future__ import annotations

from ..wan.guide import LEVELS
from ._compat import io

ChunkStateType = io.Custom("WAN_MOTION_CHUNK_STATE")
"""Carries a :class:`~wan.loop.ChunkState`."""

FlowType = io.Custom("WAN_MOTION_FLOW")
"""Carries a :class:`~motion.Flow`."""
OpticalFlowType = io.Custom("OPTICAL_FLOW")
"""The host's: a ModelPatcher around torchvision's RAFT."""

CATEGORY = "video/wan motion"
LENGTH_UNITS = ("seconds", "frames")


def plan_inputs() -> list[io.Input]:
    """The inputs that size a video."""
    return [
        io.Image.Input("start_image", tooltip="First frame of the video. A batch is taken as that many known frames."),
        io.Int.Input("width", default=832, min=16, max=16384, step=16, tooltip="Pixels, a multiple of 16."),
        io.Int.Input("height", default=480, min=16, max=16384, step=16, tooltip="Pixels, a multiple of 16."),
        io.Float.Input(
            "length",
            default=10.0,
            min=0.01,
            max=100000.0,
            step=0.01,
            tooltip="Length of the finished video, in the unit below. A longer video has more chunks, not larger ones.",
        ),
        io.Combo.Input(
            "length_unit",
            options=list(LENGTH_UNITS),
            tooltip="Unit of length. Wan2.1 makes 16 frames a second; frames must be a whole number.",
        ),
        io.Int.Input(
            "chunk_frames",
            default=81,
            min=5,
            max=16385,
            step=4,
            tooltip="Frames of one sampling call, 4n + 1. Wan2.1 is trained on 81; "
            "beyond, it bounces back towards its first frame.",
        ),
        io.Int.Input(
            "overlap_frames",
            default=16,
            min=1,
            max=16384,
            tooltip="Frames handed from chunk to chunk; the next 4k + 1 is used (8, 16, 24 become 9, 17, 25). "
            "More carries motion better and adds fewer new frames per chunk.",
        ),
    ]


def continuity_input() -> io.Input:
    """The input that ties chunks together."""
    return io.Combo.Input(
        "continuity",
        options=["auto", *LEVELS],
        tooltip="How a chunk continues the one before. last_frame: from one frame, velocity is lost. "
        "overlap: from all overlap frames. overlap_pinned: they are also held during sampling. "
        "auto: the highest that works.",
    )
