"""The knobs of how chunks follow each other, in one place."""

from __future__ import annotations

from ..blending.color import COLORS
from ..motion.estimation import AUTO as AUTO_ESTIMATOR
from ..motion.estimation import named_estimators
from ..wan.latents import LONGEST_CHUNK
from ..wan.levels import AUTO as HIGHEST
from ..wan.levels import LEVELS
from ..wan.markdown import bullets, report
from ..wan.numbers import check_whole
from ..wan.presets import AUTO, FAST_SPEED, KNOBS, LINES, PRESETS, by_preset, describe_presets, explain_presets
from ..wan.settings import GuideSettings, choose_settings
from ._compat import io, schema
from .inputs import share_input, step_gain_input
from .types import MAKE, SettingsType
from .values import checked

PRESETS_OWN = -1.0
"""What a number is set to so that the preset decides."""
MOST_RETRIES = 16
"""Of one chunk; fewer than the noises of one variation."""


class Settings(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return schema(
            node_id="WanMotionSettings",
            display_name="Settings (Wan Motion)",
            category=MAKE,
            description="How chunks overlap, are guided and are joined: a preset, and whatever you set otherwise.",
            search_aliases=["preset", "overlap", "blend strength", "motion weight", "color match"],
            inputs=[
                io.Combo.Input(
                    "preset",
                    options=[*PRESETS, AUTO],
                    tooltip=describe_presets(),
                ),
                io.Int.Input(
                    "overlap_frames",
                    default=0,
                    min=0,
                    max=LONGEST_CHUNK - 1,
                    tooltip="Frames that each chunk shares with the one before; the next 4k + 1 is used (8, 16, 24 "
                    "become 9, 17, 25). More carries motion better and adds fewer new frames per chunk. 0, shown as "
                    f"preset: {by_preset('overlap_frames')}.",
                ),
                _own(
                    "motion_weight",
                    "For the level motion: how long sampling follows the predicted motion; 0.3 is two thirds of the "
                    "steps where that is sure. Below 1 the last two steps are free, and half of the high-noise "
                    "expert's last one. Higher carries motion better and leaves the prompt less say; 0: "
                    "overlap_pinned.",
                ),
                _own(
                    "mask_sigma",
                    "For the level motion: feather around what cannot be predicted, in eighths of the shorter side. "
                    "Higher guides less near it.",
                ),
                step_gain_input(),
                _own(
                    "blend_strength",
                    "How long the earlier chunk is held in the overlap before the next takes over. 0 cuts where the "
                    "overlap begins, 1 where it ends. Kept only where the seam measures better with it. Does nothing "
                    "while the overlap is pinned (continuity motion or overlap_pinned, the default) and color_anchor "
                    "is 0.",
                ),
                io.Combo.Input(
                    "continuity",
                    options=[HIGHEST, *LEVELS],
                    tooltip="How a chunk continues the one before. "
                    + "".join(f"{name}: {level.summary}. " for name, level in LEVELS.items())
                    + "auto: the highest that works; motion lets go after one step where the model shows that it "
                    "follows the known frames by itself.",
                ),
                io.Combo.Input(
                    "color_match",
                    options=list(COLORS),
                    tooltip="How a chunk takes the colors of the one before, from the overlap that both show; one "
                    "transform for all of the chunk. affine: pixel by pixel. mean, mkl: by the overlap's mean, or mean "
                    "and covariance. Does nothing while the overlap is pinned "
                    "(continuity motion or overlap_pinned, the default) and color_anchor is 0.",
                ),
                share_input(
                    "color_anchor",
                    0.0,
                    tooltip="0: off. Leads colors back to the start image, more with every chunk up to the fifth. "
                    "Against slow drift of one scene; 0.2 is a lot where the scene changes. While it is on, overlaps "
                    "are encoded again, which costs sharpness.",
                ),
                io.Int.Input(
                    "seam_retries",
                    default=0,
                    min=0,
                    max=MOST_RETRIES,
                    tooltip="How often a chunk may be regenerated, with another seed, while its seam stands out from "
                    "real video.",
                ),
                _strength("lora_at_rest", "nothing moves"),
                _strength(
                    "lora_in_motion",
                    f"the last frames move by {FAST_SPEED:g} px/frame (at {LINES} lines) or more",
                ),
                io.Combo.Input(
                    "estimator",
                    options=list(named_estimators()),
                    tooltip="Of optical flow. auto: RAFT if one is connected, else lucas_kanade. dis, where OpenCV is "
                    "installed, takes three quarters of its time on a CPU and is better on large motion, worse on "
                    "small.",
                ),
            ],
            advanced=("lora_at_rest", "lora_in_motion", "estimator"),
            outputs=[
                SettingsType.Output(
                    display_name="settings", tooltip="For Long Video, Plan Long Video or Bridge Clips."
                ),
                io.String.Output(
                    display_name="report",
                    tooltip="All numbers in use, then what each preset says: Markdown, for Preview Any.",
                ),
            ],
        )

    @classmethod
    @checked
    def execute(
        cls,
        preset,
        overlap_frames,
        motion_weight,
        mask_sigma,
        step_gain,
        blend_strength,
        continuity,
        color_match,
        color_anchor,
        seam_retries,
        lora_at_rest,
        lora_in_motion,
        estimator=AUTO_ESTIMATOR,
    ) -> io.NodeOutput:
        for name, value, options in (
            ("continuity", continuity, (HIGHEST, *LEVELS)),
            ("color_match", color_match, COLORS),
            ("estimator", estimator, named_estimators()),
        ):
            if value not in options:
                raise ValueError(f"{name} must be one of {', '.join(options)}, got {value!r}.")
        if not 0 <= color_anchor <= 1:
            raise ValueError(f"color_anchor must be in [0, 1], got {color_anchor}.")
        if seam_retries < 0:
            raise ValueError(f"seam_retries must be 0 or more, got {seam_retries}.")
        if overlap_frames < 0:
            raise ValueError(f"overlap_frames must be at least 1, or 0 for the preset's, got {overlap_frames}.")
        overlap_frames = check_whole("overlap_frames", overlap_frames, 0, LONGEST_CHUNK - 1)
        seam_retries = check_whole("seam_retries", seam_retries, 0, MOST_RETRIES)
        given = dict(
            zip(KNOBS, (overlap_frames or PRESETS_OWN, blend_strength, motion_weight, mask_sigma), strict=True)
        )
        own = {name: value for name, value in given.items() if value != PRESETS_OWN}
        settings = choose_settings(
            preset,
            own=own if step_gain == GuideSettings.step_gain else own | {"step_gain": step_gain},
            continuity=continuity,
            color_match=color_match,
            color_anchor=color_anchor,
            seam_retries=seam_retries,
            lora_at_rest=lora_at_rest,
            lora_in_motion=lora_in_motion,
            estimator=estimator,
        )
        return io.NodeOutput(settings, report(settings.describe(), bullets(explain_presets())))


def _own(name: str, tooltip: str) -> io.Input:
    """A number in [0, 1] that stands in for the preset's."""
    return io.Float.Input(
        name,
        default=PRESETS_OWN,
        min=PRESETS_OWN,
        max=1.0,
        step=0.01,
        tooltip=f"{tooltip} -1, shown as preset: {by_preset(name)}.",
    )


def _strength(name: str, when: str) -> io.Input:
    return io.Float.Input(
        name,
        default=1.0,
        min=-10.0,
        max=10.0,
        step=0.05,
        tooltip=f"What LoRA strengths are multiplied with where {when}; in between along a line, in steps of 0.05. "
        "1 and 1: strengths do not follow motion. The first chunk has them as they are.",
    )
