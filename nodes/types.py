"""Sockets and inputs that several nodes share."""

from __future__ import annotations

from ..wan.guide import LEVELS
from ..wan.join import COLORS
from ._compat import io

ChunkStateType = io.Custom("WAN_MOTION_CHUNK_STATE")
"""Carries a :class:`~wan.loop.ChunkState`."""

MotionType = io.Custom("WAN_MOTION_PREDICTION")
"""Carries a :class:`~motion.MotionPrediction`."""
FlowType = io.Custom("WAN_MOTION_FLOW")
"""Carries a :class:`~motion.Flow`."""
OpticalFlowType = io.Custom("OPTICAL_FLOW")
"""The host's: a ModelPatcher around torchvision's RAFT."""

CATEGORY = "video/wan motion"
LENGTH_UNITS = ("seconds", "frames")


def share_input(name: str, default: float, tooltip: str, **more) -> io.Input:
    """A number in [0, 1], in hundredths."""
    return io.Float.Input(name, default=default, min=0.0, max=1.0, step=0.01, tooltip=tooltip, **more)


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
            "beyond, it bounces back towards its first frame (RIFLEx for Long Chunks may help).",
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
        "motion: and the first steps follow what their motion foretells. auto: the highest that works.",
    )


def guidance_inputs() -> list[io.Input]:
    """The inputs of the level ``motion``."""
    return [
        share_input(
            "motion_weight",
            0.3,
            tooltip="For the level motion: how long sampling follows the predicted motion; 0.3 is two thirds of the "
            "steps where that is sure. Higher carries motion better and leaves the prompt less say; 0: overlap_pinned.",
        ),
        share_input(
            "mask_sigma",
            0.35,
            tooltip="For the level motion: feather around what cannot be predicted, in eighths of the shorter side. "
            "Higher guides less near it.",
        ),
        step_gain_input(),
    ]


def join_inputs() -> list[io.Input]:
    """The inputs of how chunks are joined."""
    return [
        share_input(
            "blend_strength",
            0.8,
            tooltip="How long the earlier chunk is held in the overlap before the next takes over. "
            "0 cuts where the overlap begins, 1 where it ends. Kept only where the seam measures better with it.",
        ),
        io.Combo.Input(
            "color_match",
            options=list(COLORS),
            tooltip="How a chunk takes the colours of the one before, from the overlap that both show; one transform "
            "for all of the chunk. affine: pixel by pixel. mean, mkl: by the overlap's mean, or mean and covariance.",
        ),
        share_input(
            "color_anchor",
            0.0,
            tooltip="Leads colours back to the start image, more with every chunk up to the fifth. Against slow drift "
            "of one scene; 0.2 is a lot where the scene changes.",
        ),
        io.Int.Input(
            "seam_retries",
            default=0,
            min=0,
            max=16,
            tooltip="How often a chunk may be made again, from other noise, while its seam stands out from real video.",
        ),
    ]


def region_input() -> io.Input:
    """The socket of the region that motion may guide."""
    return io.Mask.Input(
        "motion_region",
        optional=True,
        tooltip="Where motion may guide: 1 fully, 0 not at all. Plug any segmenter in; all of the frame without.",
    )


def step_gain_input() -> io.Input:
    """The input that damps what is predicted."""
    return share_input(
        "step_gain",
        0.5,
        tooltip="Share of the velocity that is left 16 frames ahead. 1 expects motion to go on as it is; "
        "lower is more cautious.",
    )


def optical_flow_input() -> io.Input:
    """The socket of a flow network."""
    return OpticalFlowType.Input(
        "optical_flow",
        optional=True,
        tooltip="RAFT, from Load Optical Flow Model; built-in flow without.",
    )
