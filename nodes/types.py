"""Sockets and inputs that several nodes share."""

from __future__ import annotations

from ..wan.chunks import FASTEST, FPS, LENGTH_UNITS, LONGEST, SHORTEST, SLOWEST
from ..wan.latents import LARGEST_SIDE, LONGEST_CHUNK
from ._compat import io

ChunkStateType = io.Custom("WAN_MOTION_CHUNK_STATE")
"""Carries a :class:`~wan.loop.ChunkState`."""

MotionType = io.Custom("WAN_MOTION_PREDICTION")
"""Carries a :class:`~motion.MotionPrediction`."""
FlowType = io.Custom("WAN_MOTION_FLOW")
"""Carries a :class:`~motion.Flow`."""
OpticalFlowType = io.Custom("OPTICAL_FLOW")
"""The host's: a ModelPatcher around torchvision's RAFT."""

PromptStackType = io.Custom("WAN_MOTION_PROMPT_STACK")
"""Carries entries, or lists ``[positive, negative, start_chunk, lora_stack]``; see :func:`~wan.prompts.parse_stack`."""
LoraStackType = io.Custom("LORA_STACK")
"""As other packs have it: a list of ``(name, strength_model, strength_clip)``."""
SettingsType = io.Custom("WAN_MOTION_SETTINGS")
"""Carries a :class:`~wan.settings.RunSettings`."""

RunType = io.Custom("WAN_MOTION_RUN")
"""Carries a :class:`~nodes.keep.Run`."""

CATEGORY = "video/wan motion"


def share_input(name: str, default: float, tooltip: str, **more) -> io.Input:
    """A number in [0, 1], in hundredths."""
    return io.Float.Input(name, default=default, min=0.0, max=1.0, step=0.01, tooltip=tooltip, **more)


def number_input(name: str, **more) -> io.Input:
    """A FLOAT that is typed in, or comes from a FLOAT or an INT: for numbers that are whole as a rule."""
    return io.MultiType.Input(io.Float.Input(name, **more), types=[io.Int])


def plan_inputs() -> list[io.Input]:
    """The inputs that size a video."""
    return [
        io.Image.Input(
            "start_image",
            tooltip="First frame of the video, scaled and cropped at its centre to width x height. A batch is taken as "
            "that many known frames.",
        ),
        io.Int.Input("width", default=832, min=16, max=LARGEST_SIDE, step=16, tooltip="Pixels, a multiple of 16."),
        io.Int.Input("height", default=480, min=16, max=LARGEST_SIDE, step=16, tooltip="Pixels, a multiple of 16."),
        number_input(
            "length",
            default=10.0,
            min=SHORTEST,
            max=LONGEST,
            step=0.01,
            tooltip="Length of the finished video, in the unit below. A longer video has more chunks, not larger ones.",
        ),
        io.Combo.Input(
            "length_unit",
            options=list(LENGTH_UNITS),
            tooltip="Unit of length; frames must be a whole number.",
        ),
        fps_input(),
        io.Int.Input(
            "chunk_frames",
            default=81,
            min=5,
            max=LONGEST_CHUNK,
            step=4,
            tooltip="Frames of one sampling call, 4n + 1. Wan2.1 is trained on 81; "
            "beyond, it bounces back towards its first frame (RIFLEx for Long Chunks may help).",
        ),
    ]


def fps_input() -> io.Input:
    """The frame rate."""
    return number_input(
        "fps",
        default=FPS,
        min=SLOWEST,
        max=FASTEST,
        step=0.01,
        tooltip="Frames per second: of the video output, and of what is given in seconds. Wan2.1 makes 16.",
    )


def stack_inputs() -> list[io.Input]:
    """The sockets of what is set elsewhere."""
    return [
        SettingsType.Input("settings", optional=True, tooltip="From Settings; the preset Standard without."),
        PromptStackType.Input(
            "prompt_stack",
            optional=True,
            tooltip="From Prompt Stack or Conditioning Stack: prompts, LoRAs and pictures by time, instead of any "
            "other prompt.",
        ),
        io.Image.Input(
            "end_image",
            optional=True,
            tooltip="Where the video arrives. Needs Wan2.1 FLF2V, Wan2.1 Fun InP or Wan2.2 I2V A14B.",
        ),
    ]


def region_input() -> io.Input:
    """The socket of the region that motion may guide."""
    return io.Mask.Input(
        "motion_region",
        optional=True,
        tooltip="Where motion may guide: 1 fully, 0 not at all. A mask of start_image, cropped as that is, or of the "
        "video. Plug any segmenter in; all of the frame without.",
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
