"""Stacks: what is asked of a video from when on."""

from __future__ import annotations

import folder_paths

from ..wan.latents import LONGEST_CHUNK
from ..wan.numbers import check_number
from ..wan.prompts import LATEST, STRONGEST, UNITS, Keyframe, Lora, add_keyframe, keyframe_start, parse_loras
from ._compat import io, schema
from .inputs import ENDS, number_input
from .layout import to_frames, to_image
from .types import PROMPTS, LoraStackType, PromptStackType
from .values import checked


class PromptStack(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return schema(
            node_id="WanMotionPromptStack",
            display_name="Prompt Stack (Wan Motion)",
            category=PROMPTS,
            description="Adds a prompt that holds from some moment on. Chain several for one video.",
            search_aliases=["prompt schedule", "prompt travel", "multi prompt", "timeline"],
            inputs=[
                _text_input("positive", "What happens from then on."),
                _text_input("negative", "What to avoid from then on."),
                *_moment_inputs(),
            ],
            advanced=("chunk_frames",),
            outputs=[_stack_output()],
        )

    @classmethod
    @checked
    def execute(cls, positive, negative, start, unit, transition, chunk_frames, **sockets) -> io.NodeOutput:
        return _add(positive, negative, start, unit, transition, chunk_frames, **sockets)


class ConditioningStack(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return schema(
            node_id="WanMotionConditioningStack",
            display_name="Conditioning Stack (Wan Motion)",
            category=PROMPTS,
            description="Like Prompt Stack, for prompts that are encoded already, by any text encoder.",
            search_aliases=["prompt schedule", "conditioning schedule", "multi prompt"],
            inputs=[
                io.Conditioning.Input("positive", tooltip="Encoded prompt from then on."),
                io.Conditioning.Input("negative", tooltip="Encoded negative prompt from then on."),
                *_moment_inputs(),
            ],
            advanced=("chunk_frames",),
            outputs=[_stack_output()],
        )

    @classmethod
    @checked
    def execute(cls, positive, negative, start, unit, transition, chunk_frames, **sockets) -> io.NodeOutput:
        return _add(positive, negative, start, unit, transition, chunk_frames, **sockets)


class LoraStack(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return schema(
            node_id="WanMotionLoraStack",
            display_name="LoRA Stack (Wan Motion)",
            category=PROMPTS,
            description="Adds a LoRA to the set of a Prompt Stack keyframe. The stacks of other packs fit as well.",
            search_aliases=["lora", "lora loader", "lora schedule"],
            inputs=[
                io.Combo.Input(
                    "lora_name", options=folder_paths.get_filename_list("loras"), tooltip="A file in models/loras."
                ),
                _strength("strength_model", "diffusion model"),
                _strength("strength_clip", "text encoder"),
                LoraStackType.Input("lora_stack", optional=True, tooltip="LoRAs that apply as well."),
            ],
            outputs=[LoraStackType.Output(display_name="lora_stack", tooltip="For a Prompt Stack keyframe.")],
        )

    @classmethod
    @checked
    def execute(cls, lora_name, strength_model, strength_clip, lora_stack=None) -> io.NodeOutput:
        strengths = (
            float(check_number(name, value, -STRONGEST, STRONGEST))
            for name, value in (("strength_model", strength_model), ("strength_clip", strength_clip))
        )
        return io.NodeOutput([*_loras(lora_stack), Lora(lora_name, *strengths)])


def _loras(stack) -> tuple[Lora, ...]:
    return () if stack is None else parse_loras(stack)


def _text_input(name: str, tooltip: str) -> io.Input:
    return io.String.Input(name, multiline=True, dynamic_prompts=True, default="", tooltip=tooltip)


def _strength(name: str, what: str) -> io.Input:
    return io.Float.Input(
        name,
        default=1.0,
        min=-STRONGEST,
        max=STRONGEST,
        step=0.01,
        tooltip=f"On the {what}; 0 is none, negative the opposite.",
    )


def _moment_inputs() -> list[io.Input]:
    """When a keyframe holds, and what comes with it."""
    return [
        number_input(
            "start",
            default=1.0,
            min=0.0,
            max=LATEST,
            step=0.01,
            tooltip="From when on, in unit. Chunks count from 1, as in the report; a time takes the chunk whose seam "
            "is nearest. Before the first prompt's start the first prompt holds.",
        ),
        io.Combo.Input("unit", options=list(UNITS), tooltip="Unit of start and transition."),
        number_input(
            "transition",
            default=0.0,
            min=0.0,
            max=LATEST,
            step=0.01,
            tooltip="Over how long this prompt takes over from the one before, LoRAs included, in unit. The mix "
            "changes from chunk to chunk: less than half of what a chunk adds switches at once, as 0 does. "
            "Conditionings that differ in area, mask, hooks or steps take a model call more meanwhile.",
        ),
        io.Int.Input(
            "chunk_frames",
            default=0,
            min=0,
            max=LONGEST_CHUNK,
            tooltip="Frames of this prompt's chunks, 4n + 1; 0: as the video's.",
        ),
        PromptStackType.Input("prompt_stack", optional=True, tooltip="Prompts that come before."),
        LoraStackType.Input("lora_stack", optional=True, tooltip="LoRAs while this prompt holds."),
        LoraStackType.Input(
            "lora_stack_low_noise",
            optional=True,
            tooltip="For model_low_noise, where its LoRAs are other files; lora_stack without.",
        ),
        io.Image.Input(
            "start_image",
            optional=True,
            tooltip="A cut: this prompt's first chunk starts from this picture, not from the video so far.",
        ),
        io.Image.Input(
            "end_image",
            optional=True,
            tooltip=f"Where this prompt's last chunk arrives. {ENDS}",
        ),
    ]


def _stack_output() -> io.Output:
    return PromptStackType.Output(display_name="prompt_stack", tooltip="For the next stack node, or for Long Video.")


def _add(
    positive,
    negative,
    start,
    unit,
    transition,
    chunk_frames,
    prompt_stack=None,
    lora_stack=None,
    lora_stack_low_noise=None,
    start_image=None,
    end_image=None,
) -> io.NodeOutput:
    keyframe = Keyframe(
        positive,
        negative,
        keyframe_start(start, unit),
        unit,
        _loras(lora_stack),
        None if lora_stack_low_noise is None else parse_loras(lora_stack_low_noise),
        transition,
        chunk_frames or None,
        _picture("start_image", start_image),
        _picture("end_image", end_image),
    )
    return io.NodeOutput(add_keyframe(() if prompt_stack is None else prompt_stack, keyframe))


def _picture(name: str, image):
    return None if image is None else to_image(to_frames(name, image))
