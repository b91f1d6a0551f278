"""Prompts, LoRAs and CLIP vision features of a run, from a node's inputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..wan.host.checks import may_not_end, reads_end, reads_features
from ..wan.host.encoding import encode_keyframes
from ..wan.host.features import FeatureTrack
from ..wan.host.inputs import ChunkInputs
from ..wan.host.lora import LoraFiles
from ..wan.host.rope import slowed_frames
from ..wan.options import VideoOptions
from ..wan.prompt_text import Schedule, read_schedule
from ..wan.prompts import Keyframe, parse_stack
from ..wan.state import ChunkState
from .keep import Run


def read_prompts(prompt_stack, prompt: str, negative_prompt: str, options: VideoOptions, clip=None) -> Schedule:
    """The keyframes of a run, from a stack, two conditionings or the prompt widgets, and how these were read.

    Raises:
        ValueError: if there is more than one of them, or none.
    """
    positive, negative = options.positive, options.negative
    if prompt_stack is not None:
        if positive is not None or negative is not None:
            raise ValueError(
                "prompt_stack: positive or negative of Options is connected as well. Disconnect one or the other."
            )
        keyframes = parse_stack(prompt_stack)
        if not keyframes:
            raise ValueError("prompt_stack: expected at least one prompt, got none. Add one with Prompt Stack.")
        return Schedule(keyframes)
    for name, conditioning in (("positive", positive), ("negative", negative)):
        if conditioning is None and clip is None:
            raise ValueError(
                f"clip: connect a text encoder, which encodes the prompt, or a conditioning to {name} of Options."
            )
    negative = negative_prompt if negative is None else negative
    return read_schedule(prompt, negative) if positive is None else Schedule((Keyframe(positive, negative),))


def read_inputs(
    state: ChunkState,
    model,
    clip,
    clip_vision=None,
    clip_vision_output=None,
    feature_continuity: float = 0.0,
) -> ChunkInputs:
    """What conditions the chunks of a planned video: its prompts encoded, its LoRAs read, and CLIP vision features."""
    start, keyframes = state.scene_original(state.plan.chunks[0]), state.plan.keyframes
    if start is None and clip_vision is not None:
        raise ValueError(
            "clip_vision: there is no start_image that it could encode. Disconnect one, or connect the other."
        )
    features = FeatureTrack(start, clip_vision_output, clip_vision, feature_continuity, reads_end=reads_end(model))
    loras = LoraFiles(keyframes, model, clip)
    prompts = encode_keyframes(keyframes, clip, lambda stack: loras.on_clip(clip, stack))
    return ChunkInputs(prompts, loras, features)


def has_loras(keyframes: Sequence[Keyframe]) -> bool:
    """Whether a prompt stack asks one model for LoRAs.

    Raises:
        ValueError: if it asks a second expert for some.
    """
    if any(keyframe.low_noise_loras is not None for keyframe in keyframes):
        raise ValueError(
            "prompt_stack: lora_stack_low_noise is for nodes with a model for low noise, which Guide Next Chunk has "
            "not. Leave it out, or make the video with Long Video."
        )
    return any(keyframe.loras for keyframe in keyframes)


def read_loras(state: ChunkState, model, clip) -> ChunkInputs:
    """The LoRAs of :func:`read_inputs` alone, for prompts that are encoded already."""
    return ChunkInputs(loras=LoraFiles(state.plan.keyframes, model, clip))


def idle_loras(keyframes: Sequence[Keyframe], has_second_expert: bool) -> tuple[str, ...]:
    """A warning of LoRAs that are for a second expert which is not there."""
    idle = not has_second_expert and any(keyframe.low_noise_loras is not None for keyframe in keyframes)
    return ("lora_stack_low_noise does nothing: no model for low noise is connected",) if idle else ()


def find_warnings(
    state: ChunkState,
    model,
    output,
    encoder,
    conditions: Sequence[Mapping] | None = None,
    run: Run | None = None,
    by_chunk: bool = False,
) -> tuple[str, ...]:
    """What of the model, its features and the pictures may not be meant: the report says it first.

    Args:
        output: the host's CLIP_VISION_OUTPUT of the start image, or None.
        encoder: the host's CLIP_VISION, or None.
        conditions: options of the conditions of the chunks; by default those of the state's keyframes.
        run: of Keep Run.
        by_chunk: whether each chunk has an ``output`` of its own, and there is no ``encoder``.
    """
    warnings, keyframes = [], state.plan.keyframes
    inputs = "clip_vision_output" if by_chunk else "clip_vision or clip_vision_output"
    if conditions is None:
        texts = [[("", {})] if isinstance(keyframe.positive, str) else keyframe.positive for keyframe in keyframes]
        conditions = [part[1] for text in texts for part in text]
    shown = bool(conditions) and all("clip_vision_output" in options for options in conditions)
    if reads_features(model) and output is None and encoder is None and not shown:
        warnings.append(
            "model reads CLIP vision features of the start image, but none are connected: it takes the text for them. "
            f"Connect {inputs}, of CLIP-ViT-H"
        )
    ends = [
        f"end_image of prompt {number}"
        for number, keyframe in enumerate(keyframes, 1)
        if keyframe.end_image is not None
    ]
    ends = ["end_image", *ends] if state.end is not None else ends
    if state.kept_end is not None:
        ends.append("second")
    if run is not None and run.keep_later and run.vary_from is not None:
        ends.append("keep_later")
    if ends and may_not_end(model):
        warnings.append(
            f"{ends[0]}: Wan2.1 FLF2V, Wan2.1 Fun InP, Wan2.2 I2V A14B and VACE are trained to end with a given frame; "
            "plain Wan2.1 I2V is not, and its file looks as that of Fun InP does. If the video does not get there, "
            "load one of these"
        )
    if [name for name in ends if name != "keep_later"] and reads_end(model) and output is not None and encoder is None:
        cure = "Long Video reads those of both" if by_chunk else "connect clip_vision"
        warnings.append(
            f"{ends[0]}: model reads features of the end picture as well, but clip_vision_output shows the start image "
            f"only: {cure}"
        )
    cuts = [chunk.index + 1 for chunk in state.plan.chunks if state.plan.cuts(chunk)]
    if cuts and not by_chunk and output is not None and encoder is None:
        warnings.append(
            f"clip_vision_output shows the start image, so chunks from the cut at chunk {cuts[0]} on go without: "
            "connect clip_vision for features of their own"
        )
    slowed, longest = slowed_frames(model), max(chunk.length for chunk in state.plan.chunks)
    if slowed not in (None, longest):
        warnings.append(
            f"model: RIFLEx for Long Chunks is set for chunks of {slowed} frames, the longest here has {longest}. Set "
            "its chunk_frames to that"
        )
    return tuple(warnings)
