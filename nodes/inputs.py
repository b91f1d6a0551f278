"""Inputs and outputs that several nodes share, and what is made of them."""

from __future__ import annotations

from ..wan.chunks import FASTEST, FPS, LENGTH_UNITS, LONGEST, SHORTEST, SLOWEST
from ..wan.latents import LARGEST_SIDE, LONGEST_CHUNK
from ..wan.noise import MAX_SEED, POLICIES
from ..wan.presets import STANDARD
from ._compat import io
from .types import OpticalFlowType, PromptStackType, RunType, SettingsType

ADVANCED = ("noise", "feature_continuity", "seed_list")
"""Of the inputs below, those for experts."""
ENDS = "Needs Wan2.1 FLF2V, Wan2.1 Fun InP, Wan2.2 I2V A14B or Wan VACE."
"""Of the tooltips of end pictures."""
STEP_GAIN = (
    "Share of the velocity that is left 16 frames ahead. 1 expects motion to go on as it is; lower is more cautious."
)
"""Tooltip of ``step_gain`` in Settings and Predict Motion."""


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
            optional=True,
            tooltip="First frame of the video, scaled and cropped at its center to width x height. A batch is taken as "
            "that many known frames. With source, the picture that its scene began with. Wan VACE alone does without "
            "both: it starts from the prompt.",
        ),
        io.Int.Input("width", default=832, min=16, max=LARGEST_SIDE, step=16, tooltip="Pixels, a multiple of 16."),
        io.Int.Input("height", default=480, min=16, max=LARGEST_SIDE, step=16, tooltip="Pixels, a multiple of 16."),
        number_input(
            "length",
            default=10.0,
            min=SHORTEST,
            max=LONGEST,
            step=0.01,
            tooltip="Length of the finished video, in the unit below; with source, of what is added to it. A longer "
            "video has more chunks, not larger ones.",
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


def fps_input(
    tooltip: str = "Frames per second: of the video output, and of what is given in seconds. Wan2.1 makes 16.",
) -> io.Input:
    """The frame rate."""
    return number_input(
        "fps",
        default=FPS,
        min=SLOWEST,
        max=FASTEST,
        step=0.01,
        tooltip=tooltip,
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
            tooltip=f"Where the video arrives. {ENDS}",
        ),
    ]


def clip_input(name: str, tooltip: str, **more) -> io.Input:
    """The socket of a clip: an IMAGE or a VIDEO."""
    return io.MultiType.Input(io.Image.Input(name, tooltip=tooltip, **more), [io.Video])


def source_inputs(sound: str = "Of a VIDEO the sound is kept, where fps is that of the video.") -> list[io.Input]:
    """The sockets of a video to go on from, and of a picture of what is to be seen.

    Args:
        sound: what becomes of a VIDEO's.
    """
    return [
        clip_input(
            "source",
            "A video to go on from, whatever made it: its last frames are what the first chunk continues. "
            f"Scaled and cropped as start_image is. {sound}",
            optional=True,
        ),
        io.Image.Input(
            "reference_image",
            optional=True,
            tooltip="For Wan VACE: a picture of what is to be seen, at no place of the video.",
        ),
    ]


def region_input() -> io.Input:
    """The socket of the region that motion may guide."""
    return io.Mask.Input(
        "motion_region",
        optional=True,
        tooltip="Where motion may guide: 1 fully, 0 not at all. A mask of start_image, or of source, cropped as "
        "that is, or of the video. Plug any segmenter in; all of the frame without.",
    )


def step_gain_input() -> io.Input:
    """The input that damps what is predicted."""
    return share_input(
        "step_gain",
        STANDARD.step_gain,
        tooltip=STEP_GAIN,
    )


def optical_flow_input() -> io.Input:
    """The socket of a flow network."""
    return OpticalFlowType.Input(
        "optical_flow",
        optional=True,
        tooltip="RAFT, from Load Optical Flow Model; built-in flow without.",
    )


def seed_input(tooltip: str = "Noise seed of the first chunk; see noise.") -> io.Input:
    return io.Int.Input(
        "seed",
        default=0,
        min=0,
        max=MAX_SEED,
        control_after_generate=True,
        tooltip=tooltip,
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
            tooltip="From Keep Run: finished chunks are kept on disk and never made twice. Without it they are kept "
            "until ComfyUI is started again.",
        ),
    ]


def video_outputs() -> list[io.Output]:
    return [
        io.Image.Output(display_name="frames", tooltip="The finished video."),
        io.Latent.Output(display_name="latent", tooltip="The last chunk as sampled, overlap included."),
        io.String.Output(
            display_name="report",
            tooltip="How it went in a sentence, a row for each chunk with its prompt and its seam, then all settings "
            "and details: Markdown, for Preview Any.",
        ),
        io.Video.Output(display_name="video", tooltip="The finished video, for Save Video."),
    ]
