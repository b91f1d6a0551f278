"""Example workflows of Wan2.2 A14B: both experts, and what they are used for."""

from __future__ import annotations

from .example_parts import (
    KEEP,
    NEGATIVE,
    PROMPT,
    FewSteps,
    Models,
    around,
    clip,
    full_size,
    knobs,
    lora,
    picture,
    shifted,
    unet,
    video,
)
from .graph import Node, Workflow
from .model_files import SVI, WAN22

EXPERTS = ("high noise", "low noise")
STEPS = 20
TIMES = """## Time and memory

ComfyUI's own template of this model, on an RTX 4090D with 24 GB, for 81 frames of 640 x 640: 4 steps take 97 s the \
first time and 71 s from then on, 20 steps 536 s and 513 s, with 84 % of the memory. A chunk is as much work; 20 s of \
video are five chunks. This pack has not been timed on a card with this model."""


class Experts:
    """Both experts with what surrounds them; a LoRA on each lets them work in few steps."""

    def __init__(self, shift: float, cfg: float, steps: int, *, few_shift: float | None = None, svi: bool = False):
        """
        Args:
            shift: of the sampling, in ``STEPS`` steps.
            cfg: in ``STEPS`` steps.
            steps: how many are few.
            few_shift: of the sampling in few steps, if another.
            svi: whether the LoRAs of SVI 2.0 Pro are on.
        """
        few = FewSteps(f"{WAN22}/loras", steps, STEPS, on=True)
        self.values = {"width": 640, "height": 640, "steps": STEPS, "cfg": cfg}
        self.values["sampler_name"] = "euler"
        rows = []
        for which in EXPERTS:
            nodes = [unet(f"wan2.2_i2v_{_file(which)}_14B_fp8_scaled.safetensors", WAN22, which)]
            if svi:
                nodes.append(_svi(nodes[-1], which))
            name = f"wan2.2_i2v_lightx2v_4steps_lora_v1_{_file(which)}.safetensors"
            nodes.append(few.lora(nodes[-1], name, which))
            rows.append([*nodes, shifted(nodes[-1], shift, which)])
        self.nodes = around(WAN22)
        self.models = Models(rows, self.nodes, few)
        self.links = {"model": (rows[0][-1], "MODEL"), "model_low_noise": (rows[1][-1], "MODEL")}
        """Of any node that takes both experts: these, and the numbers for few steps."""
        for name, value in {"steps": steps, "cfg": 1.0}.items():
            self.links[name] = few.number(name, value, self.values[name])
        if few_shift is not None:
            number = few.number("shift", few_shift, shift)
            for nodes in rows:
                nodes[-1].links["shift"] = number

    def video(self, keep: list[Node], values: dict, **links) -> Node:
        return video(self.nodes, keep, self.values | values, **self.links, **links)

    def workflow(self, name: str, text: str, inputs: list[Node], keep: list[Node], made: Node, **more) -> Workflow:
        """The workflow around a node that makes a video of some inputs."""
        return full_size(name, f"{text}\n\n{TIMES}", self.models, inputs, keep, made, **more)


def _file(which: str) -> str:
    return which.replace(" ", "_")


def _svi(loader: Node, which: str) -> Node:
    name = f"SVI_v2_PRO_Wan2.2-I2V-A14B_{which.split()[0].upper()}_lora_rank_128_fp16.safetensors"
    return lora(loader, name, SVI, f"SVI, {which}")


def long_video() -> Workflow:
    experts, keep = Experts(5.0, 3.5, 4), knobs("my-wan22-video")
    start = picture()
    made = experts.video(keep, {}, start_image=(start, "IMAGE"))
    text = f"""# A long video by Wan2.2 in 4 steps

1. Load the models (links below) and your picture.
2. Say what happens in **prompt** of Long Video, how long in **length**. A change by time is a line: `0s: walking`, \
`8s: running`.
3. Press **Run**. {KEEP}

## What to change

- **width**, **height**: 640 x 640 here; the picture is scaled and cropped to them.
- **seed**: another video. A chunk that is bad: choose it in the timeline, *redo with another seed*.
- **20 steps**: see the group *4 steps*.
- The high-noise model begins each chunk, the low-noise model ends it, below noise level 0.9 as its authors have it; \
Options says otherwise."""
    return experts.workflow("Wan22_4_step_long_video", text, [start], keep, made)


def first_and_last() -> Workflow:
    experts, keep = Experts(8.0, 4.0, 4, few_shift=5.0), knobs("my-wan22-flf2v")
    start, end = picture("Start picture"), picture("End picture")
    links = {"start_image": (start, "IMAGE"), "end_image": (end, "IMAGE")}
    made = experts.video(keep, {"length": 10.0}, **links)
    text = f"""# From one picture to another by Wan2.2 I2V A14B

1. Load the models (links below), the picture to begin with and the picture to end with.
2. Say in **prompt** how the one becomes the other, and in **length** how long that takes. The last chunk ends with \
the end picture; those before it do not know it yet.
3. Press **Run**. {KEEP}"""
    return experts.workflow("Wan22_first_last_frame", text, [start, end], keep, made, made_of="Pictures")


def svi() -> Workflow:
    experts, keep = Experts(5.0, 4.0, 6, svi=True), knobs("my-svi-video", continuity="svi")
    start = picture()
    made = experts.video(keep, {}, start_image=(start, "IMAGE"))
    text = f"""# Long videos that do not drift: SVI 2.0 Pro

1. Load the models and the LoRAs (links below), of which those of SVI are what **continuity** svi needs, and your \
picture.
2. Each chunk is shown the start picture and the last latent of the chunk before. SVI is made for another seed in each \
chunk, which is the default.
3. Press **Run**. {KEEP}"""
    return experts.workflow("Wan22_SVI_long_video", text, [start], keep, made)


def extend() -> Workflow:
    experts, keep = Experts(5.0, 3.5, 4), knobs("my-longer-video")
    load = clip("The video to go on with")
    made = experts.video(keep, {"length": 10.0}, source=(load, "VIDEO"))
    text = f"""# Go on with any video

1. Load the models (links below) and a video, whatever made it. Set **width**, **height** and **fps** of Long Video to \
its own: its frames are scaled and cropped to that size, and its sound stays where the rate is the same.
2. Say in **prompt** what happens next, and in **length** how much is added. The last frames of the video are what the \
first chunk goes on from; the result is both.
3. Press **Run**. {KEEP}"""
    return experts.workflow("Wan22_extend_a_video", text, [load], keep, made, made_of="Video to go on with")


def bridge() -> Workflow:
    experts, keep = Experts(8.0, 4.0, 4, few_shift=5.0), knobs("")
    first, second = clip("The first clip"), clip("The second clip")
    links = {name: (experts.nodes[name], kind) for name, kind in (("vae", "VAE"), ("clip", "CLIP"))}
    links |= {"first": (first, "VIDEO"), "second": (second, "VIDEO"), "settings": (keep[0], "settings")}
    values = {name: value for name, value in experts.values.items() if name not in ("width", "height")}
    values |= {"prompt": PROMPT, "negative_prompt": NEGATIVE}
    made = Node("WanMotionBridgeClips", values, experts.links | links)
    text = """# From one clip to another

1. Load the models (links below) and two clips of one size, in multiples of 16, and of one frame rate: set **fps** \
to that.
2. Say in **prompt** what happens between them, and in **frames** how many are made. With the 33 frames that are known \
of both, 48 make the 81 that Wan is trained on.
3. Press **Run**: the result is the first clip, what is between, and the second one, with the colors of the first. \
Another scene: **color_match** 0."""
    return experts.workflow("Wan22_bridge_two_clips", text, [first, second], keep[:1], made, made_of="Clips")


WORKFLOWS = (long_video, svi, extend, bridge, first_and_last)
