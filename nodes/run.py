"""What the nodes that make a whole video share: the loop, and the inputs around its sampler."""

from __future__ import annotations

import logging
from dataclasses import replace

from ..wan.host import check_interrupt
from ..wan.loop import Tools, generate
from ..wan.noise import MAX_SEED, POLICIES
from ..wan.optical_flow import host_estimator
from ..wan.state import ChunkState
from ._compat import io
from .layout import to_image
from .told import read_features
from .types import optical_flow_input, region_input, share_input

logger = logging.getLogger(__name__)


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
) -> io.NodeOutput:
    """Run the loop over a planned video; :func:`sight_inputs` and :func:`noise_input` say what is what."""
    features, told = read_features(state, clip_vision_output, clip_vision, feature_continuity)
    sampler = make_sampler(features)
    notes = (*state.notes, sampler.describe(), *told, *sampler.loras.notes)
    for warning in (*state.plan.warnings(), *told):
        logger.warning(warning)
    state = replace(state, notes=notes)
    state = generate(state, Tools(vae, sampler, check_interrupt, host_estimator(optical_flow)))
    return io.NodeOutput(to_image(state.video), {"samples": state.latent}, state.report())


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
            tooltip="Encodes the start image, that of every cut, end images, and for feature_continuity each chunk's "
            "last known frame.",
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
    ]


def video_outputs() -> list[io.Output]:
    return [
        io.Image.Output(display_name="frames", tooltip="The finished video."),
        io.Latent.Output(display_name="latent", tooltip="The last chunk as sampled, overlap included."),
        io.String.Output(
            display_name="report",
            tooltip="The plan, all settings, and per chunk what it was told, the level used and how its seam measures.",
        ),
    ]
