"""Example workflows of Wan2.2 A14B: both experts, and what they are used for."""

from __future__ import annotations

from .example_parts import (
    HUB,
    KEEP,
    NEGATIVE,
    OWN,
    PROMPT,
    SWITCH,
    WAN22,
    FewSteps,
    around,
    below,
    clip,
    knobs,
    lora,
    notes,
    picture,
    result,
    shifted,
    unet,
    video,
)
from .graph import Node, Workflow

EXPERTS = ("high noise", "low noise")
STEPS = 20
SVI = f"{HUB}/Kijai/WanVideo_comfy/resolve/main/LoRAs/Stable-Video-Infinity/v2.0"


class Experts:
    """Both experts with what surrounds them, and bypassed nodes with which they need few steps."""

    def __init__(self, shift: float, cfg: float, steps: int, *, few_shift: float | None = None, svi: bool = False):
        """
        Args:
            shift: of the sampling, in ``STEPS`` steps.
            cfg: in ``STEPS`` steps.
            steps: how many are few.
            few_shift: of the sampling in few steps, if another.
            svi: whether the LoRAs of SVI 2.0 Pro are on.
        """
        self.steps, self.few = steps, FewSteps(f"{WAN22}/loras")
        self.values = {"width": 640, "height": 640, "steps": STEPS, "cfg": cfg}
        self.values["sampler_name"] = "euler"
        loaders = [
            unet(f"wan2.2_i2v_{_file(which)}_14B_fp8_scaled.safetensors", WAN22, 120 + 130 * row, which)
            for row, which in enumerate(EXPERTS)
        ]
        loras = [_svi(loader, which) for loader, which in zip(loaders, EXPERTS, strict=True)] if svi else []
        models = []
        for loader, which, source in zip(loaders, EXPERTS, loras or loaders, strict=True):
            name = f"wan2.2_i2v_lightx2v_4steps_lora_v1_{_file(which)}.safetensors"
            models.append(shifted(self.few.lora(source, name, which), loader.pos[1], shift, which))
        self.top = below([*loaders, *loras]) - 20
        """Of what stands beside the text encoder."""
        self.nodes = around(self.top, WAN22)
        self.load = [*loaders, *loras, *models, *self.nodes.values()]
        self.links = {"model": (models[0], "MODEL"), "model_low_noise": (models[1], "MODEL")}
        """Of any node that takes both experts: these, and the numbers for few steps."""
        for name, value in {"steps": steps, "cfg": 1.0}.items():
            self.links[name] = self.few.number(name, value, self.values[name])
        if few_shift is not None:
            number = self.few.number("shift", few_shift, shift)
            for model in models:
                model.links["shift"] = number

    def video(self, keep: tuple[Node, Node], values: dict, **links) -> Node:
        return video(self.nodes, keep, self.values | values, **self.links, **links)

    def workflow(self, name: str, text: str, inputs: list[Node], keep: tuple[Node, ...], made: Node) -> Workflow:
        """The workflow around a node that makes a video of some inputs."""
        text = f"""{text}

**{self.steps} steps** instead of {STEPS}, several times as fast, with less motion: in the group at the bottom \
{SWITCH}. The same again: {STEPS} steps. {OWN}"""
        load = [*self.load, *inputs]
        return Workflow(
            name,
            [
                ("Load", [*load, *notes(text, 330, load, self.few.nodes)]),
                ("Settings", list(keep)),
                ("Long video", [made]),
                (f"Fast: {self.steps} steps (off; on with Ctrl+B)", self.few.nodes),
                ("Result", result(made, "video/wan-motion")),
            ],
            scale=0.6,
        )


def _file(which: str) -> str:
    return which.replace(" ", "_")


def _svi(loader: Node, which: str) -> Node:
    name = f"SVI_v2_PRO_Wan2.2-I2V-A14B_{which.split()[0].upper()}_lora_rank_128_fp16.safetensors"
    return lora(loader, name, SVI, (40, loader.pos[1] + 270), f"SVI, {which}")


def two_experts() -> Workflow:
    experts, keep = Experts(5.0, 3.5, 4), knobs("my-wan22-video")
    start = picture(experts.top)
    made = experts.video(keep, {}, start_image=(start, "IMAGE"))
    text = f"""# Wan2.2 I2V A14B: two experts

1. Load the models (links below) and your picture.
2. The high-noise model begins each chunk, the low-noise model ends it, as in two KSampler (Advanced): \
below noise level 0.9, as its authors have it; Options says otherwise. Each draws noise of its own; two KSampler \
(Advanced) with one seed draw the same noise twice, which a stochastic sampler leaves in the picture: give them two \
seeds.
3. Press **Run**. {KEEP}"""
    return experts.workflow("wan-motion_wan22_i2v_two_experts", text, [start], keep, made)


def first_and_last() -> Workflow:
    experts, keep = Experts(8.0, 4.0, 4, few_shift=5.0), knobs("my-wan22-flf2v")
    start, end = picture(experts.top, "Start picture"), picture(experts.top + 400, "End picture")
    links = {"start_image": (start, "IMAGE"), "end_image": (end, "IMAGE")}
    made = experts.video(keep, {"length": 10.0}, **links)
    text = f"""# From one picture to another by Wan2.2 I2V A14B

1. Load the models (links below), the picture to begin with and the picture to end with.
2. Say in **prompt** how the one becomes the other, and in **length** how long that takes. The last chunk ends with \
the end picture; those before it do not know it yet.
3. Press **Run**. {KEEP}"""
    return experts.workflow("wan-motion_wan22_flf2v", text, [start, end], keep, made)


def svi() -> Workflow:
    experts, keep = Experts(5.0, 4.0, 6, svi=True), knobs("my-svi-video", continuity="svi")
    start = picture(experts.top)
    made = experts.video(keep, {}, start_image=(start, "IMAGE"))
    text = f"""# Long videos that do not drift: SVI 2.0 Pro

1. Load the models and the two LoRAs (links below), which **continuity** svi needs, and your picture.
2. Each chunk is shown the start picture and the last latent of the chunk before. SVI is made for another seed \
in each chunk, which is the default.
3. Press **Run**. {KEEP}"""
    return experts.workflow("wan-motion_wan22_svi", text, [start], keep, made)


def extend() -> Workflow:
    experts, keep = Experts(5.0, 3.5, 4), knobs("my-longer-video")
    load, _ = clip(experts.top + 250, "The video to go on with")
    made = experts.video(keep, {"length": 10.0}, source=(load, "VIDEO"))
    text = f"""# Go on with any video

1. Load the models (links below) and a video, whatever made it. Set **width**, **height** and **fps** of Long Video to \
its own: its frames are scaled and cropped to that size, and its sound stays where the rate is the same.
2. Say in **prompt** what happens next, and in **length** how much is added. The last frames of the video are what the \
first chunk goes on from; the result is both.
3. Press **Run**. {KEEP}"""
    return experts.workflow("wan-motion_wan22_extend_a_video", text, [load], keep, made)


def bridge() -> Workflow:
    experts, keep = Experts(8.0, 4.0, 4, few_shift=5.0), knobs("")
    first, _ = clip(experts.top + 250, "The first clip")
    second, _ = clip(experts.top + 250 + 400, "The second clip")
    links = {name: (experts.nodes[name], kind) for name, kind in (("vae", "VAE"), ("clip", "CLIP"))}
    links |= {"first": (first, "VIDEO"), "second": (second, "VIDEO"), "settings": (keep[0], "settings")}
    values = {name: value for name, value in experts.values.items() if name not in ("width", "height")}
    values |= {"prompt": PROMPT, "negative_prompt": NEGATIVE}
    made = Node("WanMotionBridgeClips", (1200, 120), (400, 830), values, experts.links | links)
    text = """# From one clip to another

1. Load the models (links below) and two clips of one size, in multiples of 16, and of one frame rate: set **fps** \
to that.
2. Say in **prompt** what happens between them, and in **frames** how many are made. With the 33 frames that are known \
of both, 48 make the 81 that Wan is trained on.
3. Press **Run**: the result is the first clip, what is between, and the second one, with the colors of the first. \
Another scene: **color_match** 0."""
    return experts.workflow("wan-motion_wan22_bridge_clips", text, [first, second], keep[:1], made)


WORKFLOWS = (two_experts, first_and_last, svi, extend, bridge)
