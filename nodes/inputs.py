"""Inputs and outputs that several nodes share, and what is made of them."""

from __future__ import annotations

from ..wan.chunks import FASTEST, FPS, LENGTH_UNITS, LONGEST, SHORTEST, SLOWEST
from ..wan.latents import LARGEST_SIDE, LONGEST_CHUNK, PIXEL_STEP
from ..wan.noise import MAX_SEED
from ..wan.settings import GuideSettings
from ..wan.size import HEIGHT, WIDTH
from ._compat import io
from .types import OpticalFlowType, OptionsType, PromptStackType, RunType, SettingsType

ENDS = "Needs Wan2.1 FLF2V, Wan2.1 Fun InP, Wan2.2 I2V A14B or Wan VACE."
"""Of the tooltips of end pictures."""


def share_input(name: str, default: float, tooltip: str, **more) -> io.Input:
    """A number in [0, 1], in hundredths."""
    return io.Float.Input(name, default=default, min=0.0, max=1.0, step=0.01, tooltip=tooltip, **more)


def number_input(name: str, **more) -> io.Input:
    """A FLOAT that is typed in, or comes from a FLOAT or an INT: for numbers that are whole as a rule."""
    return io.MultiType.Input(io.Float.Input(name, **more), types=[io.Int])


def start_input() -> io.Input:
    """The socket of the picture that a video starts from."""
    return io.Image.Input(
        "start_image",
        optional=True,
        tooltip="First frame of the video, scaled and cropped at its center to width x height. A batch is taken as "
        "that many known frames. With source, the picture that its scene began with. Wan VACE alone does without "
        "both: it starts from the prompt.",
    )


def plan_inputs() -> list[io.Input]:
    """The numbers that size a video."""
    return [
        _side_input("width", WIDTH),
        _side_input("height", HEIGHT),
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


def _side_input(name: str, default: int) -> io.Input:
    return io.Int.Input(
        name,
        default=default,
        min=0,
        max=LARGEST_SIDE,
        step=PIXEL_STEP,
        tooltip=f"Pixels, a multiple of {PIXEL_STEP}. 0 goes by the picture: of source, else of start_image. Where "
        f"width and height are 0, about as many pixels as {WIDTH} x {HEIGHT} in its proportions.",
    )


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


def set_elsewhere_inputs() -> list[io.Input]:
    """The sockets of prompts and settings that other nodes hold."""
    return [
        PromptStackType.Input(
            "prompt_stack",
            optional=True,
            tooltip="From Prompt Stack or Conditioning Stack: prompts, LoRAs and pictures by time, instead of any "
            "other prompt.",
        ),
        SettingsType.Input("settings", optional=True, tooltip="From Settings; the preset Standard without."),
    ]


def clip_input(name: str, tooltip: str, **more) -> io.Input:
    """The socket of a clip: an IMAGE or a VIDEO."""
    return io.MultiType.Input(io.Image.Input(name, tooltip=tooltip, **more), [io.Video])


def picture_inputs(sound: str = "Of a VIDEO the sound is kept, where fps is that of the video.") -> list[io.Input]:
    """The sockets of where a video arrives, of one to go on from, and of a picture of what is to be seen.

    Args:
        sound: what becomes of a VIDEO's.
    """
    return [
        io.Image.Input(
            "end_image",
            optional=True,
            tooltip=f"Where the video arrives. {ENDS}",
        ),
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
        GuideSettings.step_gain,
        tooltip="Share of the velocity that is left 16 frames ahead. 1 expects motion to go on as it is; lower is more "
        "cautious.",
    )


def optical_flow_input() -> io.Input:
    """The socket of a flow network."""
    return OpticalFlowType.Input(
        "optical_flow",
        optional=True,
        tooltip="RAFT, from Load Optical Flow Model; built-in flow without.",
    )


def seed_input(
    tooltip: str = "Noise seed of the first chunk; each later one takes the next, unless Options says otherwise.",
) -> io.Input:
    return io.Int.Input(
        "seed",
        default=0,
        min=0,
        max=MAX_SEED,
        control_after_generate=True,
        tooltip=tooltip,
    )


def vision_input() -> io.Input:
    """The socket of a CLIP vision encoder."""
    return io.ClipVision.Input(
        "clip_vision",
        optional=True,
        tooltip="Encodes the start image and that of every cut, whole and not as they are cropped, end images for "
        "FLF2V, and for feature_continuity of Options each chunk's last known frame.",
    )


def options_input() -> io.Input:
    """The socket of the inputs that few videos need."""
    return OptionsType.Input(
        "options",
        optional=True,
        tooltip="From Options: encoded prompts, CLIP vision output, motion region, optical flow model, noise and seeds "
        "by chunk, and where the second expert takes over.",
    )


def run_input() -> io.Input:
    """The socket of how a video is kept."""
    return RunType.Input(
        "run",
        optional=True,
        tooltip="From Keep Run: finished chunks are kept on disk and never made twice. Without it they are kept "
        "until ComfyUI is started again.",
    )


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
