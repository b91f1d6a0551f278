"""Example workflows of Wan2.1: image-to-video, first and last frame, VACE; and the blueprint."""

from __future__ import annotations

from .blueprint import Blueprint
from .example_parts import (
    HUB,
    KEEP,
    NEGATIVE,
    OWN,
    SWITCH,
    WAN21,
    FewSteps,
    around,
    file,
    knobs,
    notes,
    picture,
    result,
    shifted,
    unet,
    video,
)
from .graph import Node, Workflow

I2V = "wan2.1_i2v_480p_14B_fp16.safetensors"
FAST = "lightx2v_I2V_14B_480p_cfg_step_distill_rank64_bf16.safetensors"
FAST_BASE = f"{HUB}/Comfy-Org/Wan-Animate-2/resolve/main/loras"


def long_video() -> Workflow:
    loader = unet(I2V, WAN21, 120)
    model, nodes, start = shifted(loader, 120, 8.0), around(260, WAN21, vision=True), picture(260)
    keep = knobs("my-video")
    made = video(nodes, keep, {}, model=(model, "MODEL"), start_image=(start, "IMAGE"))
    text = f"""# A long video by Wan2.1 I2V 480p

1. Load the four models (links below) and your picture.
2. Say what happens in **prompt**, how long in **length**. A change by time is a line: `0s: walking`, `7.5s: running`.
3. Press **Run**. {KEEP}

For 720p load wan2.1_i2v_720p_14B_fp16.safetensors and set 1280 x 720. Less memory: an fp8 file of the same model."""
    load = [loader, model, *nodes.values(), start]
    return Workflow(
        "Wan21_long_video",
        [
            ("Load", [*load, *notes(text, 260, load)]),
            ("Settings", list(keep)),
            ("Long video", [made]),
            ("Result", result(made, "video/wan-motion")),
        ],
    )


def prompts_and_loras() -> Workflow:
    loader = unet(I2V, WAN21, 120)
    model, nodes, start = shifted(loader, 120, 8.0), around(260, WAN21, vision=True), picture(260)
    keep = knobs("my-prompts")
    models = [file(FAST, "loras", FAST_BASE)]
    lora = Node("WanMotionLoraStack", (760, 1260), (380, 130), {"lora_name": FAST}, models=models)
    stack, before = [], None
    texts = (("walking slowly", 0.0, 0.0), ("running fast", 6.0, 6.0), ("jumping high", 12.0, 6.0))
    for number, (words, begins, transition) in enumerate(texts):
        values = {"positive": f"A woman in a market, {words}.", "negative": NEGATIVE, "unit": "seconds"}
        values |= {"start": begins, "transition": transition}
        links = {"lora_stack": (lora, "lora_stack")} | ({"prompt_stack": (before, "prompt_stack")} if before else {})
        before = Node("WanMotionPromptStack", (760 + 420 * number, 1450), (380, 340), values, links)
        stack.append(before)
    values = {"steps": 6, "cfg": 1.0, "prompt": "", "negative_prompt": ""}
    links = {"model": (model, "MODEL"), "start_image": (start, "IMAGE"), "prompt_stack": (before, "prompt_stack")}
    made = video(nodes, keep, values, **links)
    text = f"""# Prompts and LoRAs by time

1. Each **Prompt Stack** holds from the seam nearest its **start** on and takes over within its **transition**, chunk \
by chunk, LoRAs included.
2. The LoRA here lets Wan2.1 work in 6 steps at cfg 1; without it set steps 20, cfg 6. Any prompt may have its own.
3. Press **Run**. {KEEP}

Only the chunks from a changed prompt on are regenerated."""
    load = [loader, model, *nodes.values(), start]
    return Workflow(
        "Wan21_prompts_and_LoRAs",
        [
            ("Load", [*load, *notes(text, 260, load, [lora])]),
            ("Settings", list(keep)),
            ("Long video", [made]),
            ("Prompts", [lora, *stack]),
            ("Result", result(made, "video/wan-motion")),
        ],
        scale=0.55,
    )


def first_and_last() -> Workflow:
    loader = unet("wan2.1_flf2v_720p_14B_fp16.safetensors", WAN21, 120)
    model, nodes = shifted(loader, 120, 8.0), around(260, WAN21, vision=True)
    start, end = picture(260, "Start picture"), picture(660, "End picture")
    keep = knobs("my-flf2v")
    values = {"width": 720, "height": 1280, "length": 10.0, "cfg": 3.0}
    links = {"model": (model, "MODEL"), "start_image": (start, "IMAGE"), "end_image": (end, "IMAGE")}
    made = video(nodes, keep, values, **links)
    text = f"""# From one picture to another by Wan2.1 FLF2V

1. Load the four models (links below), the picture to begin with and the picture to end with.
2. Say in **prompt** how the one becomes the other, and in **length** how long that takes.
3. Press **Run**. {KEEP}

The last chunk ends with the end picture; those before it do not know it yet."""
    load = [loader, model, *nodes.values(), start, end]
    return Workflow(
        "Wan21_first_last_frame",
        [
            ("Load", [*load, *notes(text, 260, load)]),
            ("Settings", list(keep)),
            ("Long video", [made]),
            ("Result", result(made, "video/wan-motion")),
        ],
    )


def vace() -> Workflow:
    loader, few = unet("wan2.1_vace_14B_fp16.safetensors", WAN21, 120), FewSteps(FAST_BASE)
    model, nodes = shifted(few.lora(loader, FAST, strength=0.8), 120, 8.0), around(260, WAN21)
    start, end = picture(260, "Start picture"), picture(660, "End picture")
    keep = knobs("my-vace")
    values = {"width": 512, "height": 512, "length": 10.0, "steps": 20, "cfg": 6.0}
    links = {"model": (model, "MODEL"), "start_image": (start, "IMAGE"), "end_image": (end, "IMAGE")}
    links |= {"steps": few.number("steps", 6, 20), "cfg": few.number("cfg", 1.0, 6.0)}
    made = video(nodes, keep, values, **links)
    text = f"""# From one picture to another by Wan2.1 VACE

1. Load the three models (links below), the picture to begin with and the picture to end with. Without **end_image** \
the video goes on freely.
2. Say in **prompt** what happens.
3. Press **Run**. {KEEP}

**6 steps** instead of 20, at some cost of quality: in the group at the bottom {SWITCH}. The same again: 20 steps. \
{OWN}

wan2.1_vace_1.3B_fp16.safetensors needs less memory; the LoRA is for 14B."""
    load = [loader, model, *nodes.values(), start, end]
    return Workflow(
        "Wan21_VACE",
        [
            ("Load", [*load, *notes(text, 290, load, few.nodes)]),
            ("Settings", list(keep)),
            ("Long video", [made]),
            ("Fast: 6 steps (off; on with Ctrl+B)", few.nodes),
            ("Result", result(made, "video/wan-motion")),
        ],
        scale=0.6,
    )


def long_video_blueprint() -> Blueprint:
    """The long video as one node to put into any workflow."""
    loader = unet(I2V, WAN21, 120)
    model, nodes = shifted(loader, 120, 8.0), around(260, WAN21, vision=True)
    keep = knobs("long-video", frames=True)
    made = video(nodes, keep, {"prompt": ""}, model=(model, "MODEL"))
    groups = [("Load", [loader, model, *nodes.values()]), ("Settings", list(keep)), ("Long video", [made])]
    names = ("start_image", "prompt", "negative_prompt", "width", "height", "length", "seed", "steps", "cfg")
    return Blueprint(
        Workflow("Long Video from a Picture (Wan Motion)", groups),
        "Makes a long Wan2.1 video from one picture and keeps every finished chunk on disk, so that it can go on after "
        "a stop or a crash.",
        {name: (made, name) for name in names} | {"run_name": (keep[1], "run_name")},
        {name: (made, name) for name in ("video", "frames", "report")},
    )


BLUEPRINTS = (long_video_blueprint,)
WORKFLOWS = (long_video, prompts_and_loras, first_and_last, vace)
