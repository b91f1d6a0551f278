"""Joining any two clips, matching their colors, and measuring the seams of any video."""

from __future__ import annotations

from comfy_api.latest import InputImpl
from comfy_api.util import VideoComponents
from torch import Tensor

from ..blending import VideoReport, feather_mask, fit_color, gaussian_ramp, plot_seams, survey_video
from ..blending.color import COLORS, METHODS
from ..blending.series import GROUP
from ..wan.chunks import FPS
from ..wan.clips import join_pair
from ..wan.host.optical_flow import host_motion
from ..wan.host.progress import watch_work
from ..wan.latents import LARGEST_SIDE
from ..wan.numbers import check_whole, parse_numbers
from ..wan.presets import STANDARD
from ..wan.protocols import Estimator
from ..wan.seam_words import RAN_OUT, join_words, survey_words
from ._compat import io, schema
from .inputs import clip_input, optical_flow_input, share_input
from .layout import add_alpha, to_clip, to_image, to_region
from .source import check_rates, read_source
from .stored_video import frame_rate
from .thumbnails import show_picture
from .types import JOIN, MEASURE
from .values import checked


class JoinClips(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return schema(
            node_id="WanMotionJoinClips",
            display_name="Join Clips (Wan Motion)",
            category=JOIN,
            description="Joins two clips that share frames: colors matched, moved into each other rather than mixed.",
            search_aliases=["join videos", "join clips", "crossfade", "concatenate", "blend clips", "overlap"],
            inputs=[
                clip_input("first", "Its last frames are shown again by the second clip. A VIDEO keeps its sound."),
                clip_input("second", "Begins with the last frames of the first clip, generated once more."),
                io.Int.Input(
                    "overlap_frames",
                    default=17,
                    min=0,
                    max=16384,
                    tooltip="Frames that both show; 0 puts one behind the other.",
                ),
                share_input(
                    "blend_strength",
                    STANDARD.blend_strength,
                    tooltip="How long the first clip is held in the overlap. 0 cuts where it begins, 1 where it ends.",
                ),
                share_input(
                    "mask_sigma",
                    STANDARD.mask_sigma,
                    tooltip="Softens the border between what is mixed and what is cut.",
                ),
                io.Combo.Input(
                    "color_match",
                    options=list(COLORS),
                    tooltip="Gives the second clip the first one's colors, by the overlap: affine pixel by pixel, "
                    "mean and mkl by the overlap's mean, or mean and covariance.",
                ),
                io.Boolean.Input("cut", default=False, tooltip="An intended cut: nothing is matched or mixed."),
                optical_flow_input(),
            ],
            advanced=("mask_sigma",),
            outputs=[
                io.Image.Output(display_name="frames", tooltip="Both clips, the overlap once."),
                io.String.Output(
                    display_name="report",
                    tooltip="Whether the seam looks uncut, is visible or obvious, and what was done, in Markdown.",
                ),
                io.Video.Output(
                    display_name="video",
                    tooltip="The same at the clips' frame rate, with the sound of first; of IMAGEs at 16 per second.",
                ),
            ],
        )

    @classmethod
    @checked
    def execute(
        cls, first, second, overlap_frames, blend_strength, mask_sigma, color_match, cut, optical_flow=None
    ) -> io.NodeOutput:
        clips = [read_source(name, clip, to_clip) for name, clip in (("first", first), ("second", second))]
        check_rates(*clips)
        a, b = (clip.frames for clip in clips)
        if not 0 <= overlap_frames <= min(len(a), len(b)):
            raise ValueError(
                f"overlap_frames must be from 0 to the shorter clip's length; first has {len(a)} frames and second "
                f"{len(b)}, got {overlap_frames}."
            )
        if a.shape[1] != b.shape[1]:
            a, b = add_alpha(a), add_alpha(b)
        if color_match not in COLORS:
            raise ValueError(f"color_match must be one of {', '.join(COLORS)}, got {color_match!r}.")
        joined = join_pair(
            a,
            b,
            overlap_frames,
            color_match=color_match,
            blend_strength=blend_strength,
            mask_sigma=mask_sigma,
            cut=cut,
            motion=host_motion(optical_flow),
            watch=watch_work(),
        )
        frames, rate = to_image(joined.frames), next((clip.rate for clip in clips if clip.rate is not None), FPS)
        components = VideoComponents(images=frames[..., :3], audio=clips[0].audio, frame_rate=frame_rate(float(rate)))
        video = InputImpl.VideoFromComponents(components)
        return io.NodeOutput(frames, join_words(joined, overlap_frames), video)


class MatchColor(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return schema(
            node_id="WanMotionMatchColor",
            display_name="Match Color (Wan Motion)",
            category=JOIN,
            description="Gives a clip the colors of a reference, by one transform for all frames: it cannot flicker.",
            search_aliases=["color match", "color transfer", "color drift"],
            inputs=[
                io.Image.Input("images", tooltip="The clip to correct."),
                io.Image.Input(
                    "reference",
                    tooltip="Frames as they should look; for affine at most as many as images, and what the first of "
                    "these show.",
                ),
                io.Combo.Input(
                    "method",
                    options=list(METHODS),
                    tooltip="affine: pixel by pixel, for a reference that shows the same as the first images, such as "
                    "an overlap. mkl: by mean and covariance, for one that does not. mean: shifts.",
                ),
                share_input("strength", 1.0, tooltip="Share of the correction."),
            ],
            outputs=[io.Image.Output(display_name="images", tooltip="The corrected clip.")],
        )

    @classmethod
    @checked
    def execute(cls, images, reference, method, strength) -> io.NodeOutput:
        clip, wanted = to_clip("images", images), to_clip("reference", reference)
        if not 0 <= strength <= 1:
            raise ValueError(f"strength must be in [0, 1], got {strength}.")
        if not METHODS[method].paired:
            transform = fit_color(clip, wanted, method=method)
        elif clip.shape[2:] != wanted.shape[2:]:
            raise ValueError(
                f"reference: expected the size of images {tuple(clip.shape[2:])} for {method}, got "
                f"{tuple(wanted.shape[2:])}. Use mkl for pictures that do not show the same."
            )
        elif len(wanted) > len(clip):
            raise ValueError(
                f"reference: expected at most as many images as images has, {len(clip)}, for {method}, got "
                f"{len(wanted)}. Use mkl for pictures that do not show the same."
            )
        else:
            transform = fit_color(clip[: len(wanted)], wanted, method=method)
        return io.NodeOutput(to_image(transform.scaled(strength)(clip)))


class MeasureSeams(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return schema(
            node_id="WanMotionMeasureSeams",
            display_name="Measure Seams (Wan Motion)",
            category=MEASURE,
            description="Says how much the seams of a video stand out from real, uncut video, and plots them.",
            search_aliases=["seam", "seam report", "flicker", "color drift", "video quality"],
            inputs=[
                io.Image.Input("images", tooltip="A video, three frames or more."),
                io.String.Input(
                    "seams",
                    default="",
                    tooltip="Number of the first frame after each seam, counted from 0, such as 81, 145. "
                    "Empty: look for places that stand out.",
                ),
                optical_flow_input(),
            ],
            outputs=[
                io.String.Output(
                    display_name="report",
                    tooltip="Which seams look uncut, are visible or obvious, and what is usual elsewhere, in Markdown.",
                ),
                io.String.Output(display_name="json", tooltip="All figures as JSON, with the score and what it means."),
                io.Image.Output(
                    display_name="plot",
                    tooltip="Score, frame difference and color drift over time, seams marked; lines where seams "
                    "begin to be visible, and obvious.",
                ),
            ],
            is_output_node=True,
        )

    @classmethod
    @checked
    def execute(cls, images, seams, optical_flow=None) -> io.NodeOutput:
        clip, places = to_clip("images", images), parse_numbers("seams", seams)
        if len(clip) < 3:
            raise ValueError(f"images: a video to measure has three frames or more, got {len(clip)}.")
        watch = watch_work()

        def survey(estimator: Estimator, one: Tensor) -> VideoReport:
            return survey_video(clip, places or None, estimator=estimator, device=one.device, watch=watch)

        report, ran_out = host_motion(optical_flow).run(survey, clip[:1], count=GROUP)
        plot = to_image(plot_seams(report))
        words = survey_words(report, [RAN_OUT] * ran_out)
        return io.NodeOutput(words, report.as_json(), plot, ui=show_picture(plot))


class GaussianBlendMask(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return schema(
            node_id="WanMotionGaussianBlendMask",
            display_name="Gaussian Blend Mask (Wan Motion)",
            category=JOIN,
            description="A mask per frame that passes from 0 to 1 as a cut blurred by a Gaussian, soft in space too.",
            search_aliases=["crossfade mask", "feather", "temporal mask"],
            inputs=[
                io.Int.Input(
                    "frames", default=17, min=1, max=LARGEST_SIDE, tooltip="How many masks, one for each frame."
                ),
                io.Int.Input("width", default=832, min=8, max=LARGEST_SIDE, tooltip="Pixels."),
                io.Int.Input("height", default=480, min=8, max=LARGEST_SIDE, tooltip="Pixels."),
                share_input(
                    "mask_sigma",
                    STANDARD.mask_sigma,
                    tooltip="Feather of region, in eighths of the shorter side.",
                ),
                io.Mask.Input(
                    "region",
                    optional=True,
                    tooltip="Where the masks rise, in the video's proportions; all of the frame without.",
                ),
            ],
            outputs=[io.Mask.Output(display_name="mask", tooltip="0 at the first frame's side, 1 at the last's.")],
        )

    @classmethod
    @checked
    def execute(cls, frames, width, height, mask_sigma, region=None) -> io.NodeOutput:
        for name, value, least in (("frames", frames, 1), ("width", width, 8), ("height", height, 8)):
            check_whole(name, value, least, LARGEST_SIDE)
        ramp = gaussian_ramp(frames).view(-1, 1, 1)
        if region is None:
            return io.NodeOutput(ramp.expand(-1, height, width).contiguous())
        soft = feather_mask(to_region("region", region, height, width).cpu(), mask_sigma)[0]
        return io.NodeOutput(ramp * soft)
