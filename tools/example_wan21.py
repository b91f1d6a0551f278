"""Example workflows of Wan2.1: image-to-video, first and last frame, VACE; and the blueprint."""

from __future__ import annotations

from .blueprint import Blueprint
from .example_parts import (
    KEEP,
    NEGATIVE,
    FewSteps,
    Models,
    around,
    full_size,
    knobs,
    picture,
    shifted,
    unet,
    video,
)
from .graph import Group, Node, Workflow
from .layout import GROUP, SIDE, bottom, column, right, row
from .model_files import FAST21, WAN21, file

I2V = "wan2.1_i2v_480p_14B_fp16.safetensors"
FAST = "lightx2v_I2V_14B_480p_cfg_step_distill_rank64_bf16.safetensors"
SHIFT = 8.0


def _models(name: str = I2V) -> tuple[Models, Node, dict[str, Node]]:
    """A model with its shift, and what surrounds it."""
    loader, nodes = unet(name, WAN21), around(WAN21, vision=True)
    model = shifted(loader, SHIFT)
    return Models([[loader, model]], nodes), model, nodes


def long_video() -> Workflow:
    (models, model, nodes), start, keep = _models(), picture(), knobs("my-video")
    made = video(nodes, keep, {}, model=(model, "MODEL"), start_image=(start, "IMAGE"))
    text = f"""# A long video by Wan2.1 I2V 480p

1. Load the four models (links below) and your picture.
2. Say what happens in **prompt**, how long in **length**. A change by time is a line: `0s: walking`, `7.5s: running`.
3. Press **Run**. {KEEP}

For 720p load wan2.1_i2v_720p_14B_fp16.safetensors and set 1280 x 720. Less memory: an fp8 file of the same model, \
16.4 GB."""
    return full_size("Wan21_long_video", text, models, [start], keep, made)


def prompts_and_loras() -> Workflow:
    (models, model, nodes), start, keep = _models(), picture(), knobs("my-prompts")
    lora = Node("WanMotionLoraStack", {"lora_name": FAST}, models=[file(FAST, "loras", FAST21)])
    stack, before = [], None
    texts = (("walking slowly", 0.0, 0.0), ("running fast", 6.0, 6.0), ("jumping high", 12.0, 6.0))
    for words, begins, transition in texts:
        values = {"positive": f"A woman in a market, {words}.", "negative": NEGATIVE, "unit": "seconds"}
        values |= {"start": begins, "transition": transition}
        links = {"lora_stack": (lora, "lora_stack")} | ({"prompt_stack": (before, "prompt_stack")} if before else {})
        before = Node("WanMotionPromptStack", values, links)
        stack.append(before)
    values = {"steps": 6, "cfg": 1.0, "prompt": "", "negative_prompt": ""}
    links = {"model": (model, "MODEL"), "start_image": (start, "IMAGE"), "prompt_stack": (before, "prompt_stack")}
    made = video(nodes, keep, values, **links)
    text = f"""# Prompts and LoRAs by time

1. Each **Prompt Stack** holds from the seam nearest its **start** on and takes over within its **transition**, chunk \
by chunk, LoRAs included.
2. The LoRA here lets Wan2.1 work in 6 steps at cfg 1; without it set steps 20, cfg 6. Any prompt may have its own.
3. Press **Run**. {KEEP}

Only the chunks from a changed prompt on are regenerated. Without LoRAs or pictures of their own, prompts are simpler \
as lines in **prompt** of Long Video: `0s: walking`, `6s over 6s: running`."""
    return full_size("Wan21_prompts_and_LoRAs", text, models, [start], keep, made, further=([lora, *stack],))


def first_and_last() -> Workflow:
    models, model, nodes = _models("wan2.1_flf2v_720p_14B_fp16.safetensors")
    start, end, keep = picture("Start picture"), picture("End picture"), knobs("my-flf2v")
    values = {"width": 720, "height": 1280, "length": 10.0, "cfg": 3.0}
    links = {"model": (model, "MODEL"), "start_image": (start, "IMAGE"), "end_image": (end, "IMAGE")}
    made = video(nodes, keep, values, **links)
    text = f"""# From one picture to another by Wan2.1 FLF2V

1. Load the four models (links below), the picture to begin with and the picture to end with.
2. Say in **prompt** how the one becomes the other, and in **length** how long that takes.
3. Press **Run**. {KEEP}

The last chunk ends with the end picture; those before it do not know it yet."""
    return full_size("Wan21_first_last_frame", text, models, [start, end], keep, made, made_of="Pictures")


def vace() -> Workflow:
    few = FewSteps(FAST21, 6, 20, on=False)
    loader, nodes = unet("wan2.1_vace_14B_fp16.safetensors", WAN21), around(WAN21)
    fast = few.lora(loader, FAST, strength=0.8)
    model = shifted(fast, SHIFT)
    start, end, keep = picture("Start picture"), picture("End picture"), knobs("my-vace")
    values = {"width": 512, "height": 512, "length": 10.0, "steps": 20, "cfg": 6.0}
    links = {"model": (model, "MODEL"), "start_image": (start, "IMAGE"), "end_image": (end, "IMAGE")}
    links |= {"steps": few.number("steps", 6, 20), "cfg": few.number("cfg", 1.0, 6.0)}
    made = video(nodes, keep, values, **links)
    text = f"""# From one picture to another by Wan2.1 VACE

1. Load the three models (links below), the picture to begin with and the picture to end with. Without **end_image** \
the video goes on freely.
2. Say in **prompt** what happens.
3. Press **Run**. {KEEP}

wan2.1_vace_1.3B_fp16.safetensors needs less memory; the LoRA is for 14B."""
    models = Models([[loader, fast, model]], nodes, few)
    return full_size("Wan21_VACE", text, models, [start, end], keep, made, made_of="Pictures")


def long_video_blueprint() -> Blueprint:
    """The long video as one node to put into any workflow."""
    (models, model, nodes), keep = _models(), knobs("long-video", frames=True)
    made = video(nodes, keep, {"prompt": ""}, model=(model, "MODEL"))
    groups = models.groups(40, 120)
    row(40, bottom(*groups[0].nodes) + GROUP, *keep)
    column(right(*keep, *groups[0].nodes) + 2 * SIDE, 120, made)
    groups += [Group("Settings", "video", keep), Group("Video", "video", [made])]
    names = ("start_image", "prompt", "negative_prompt", "width", "height", "length", "seed", "steps", "cfg")
    return Blueprint(
        Workflow("Long Video from a Picture (Wan Motion)", groups),
        "Makes a long Wan2.1 video from one picture and keeps every finished chunk on disk, so that it can go on after "
        "a stop or a crash.",
        {name: (made, name) for name in names} | {"run_name": (keep[1], "run_name")},
        {name: (made, name) for name in ("video", "frames", "report")},
    )


BLUEPRINTS = (long_video_blueprint,)
WORKFLOWS = (long_video, prompts_and_loras, vace, first_and_last)
