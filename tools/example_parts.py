"""Parts of the example workflows of the full-size models, by the names and places that the host's own templates use."""

from __future__ import annotations

from pathlib import Path

from .graph import HEAD, Group, Node, Workflow, note
from .layout import GROUP, SIDE, STAIR, bottom, column, right, row
from .model_files import WAN21, file, links

NEGATIVE = Path(__file__).with_name("negative_prompt.txt").read_text(encoding="utf-8").strip()
"""Of the host's own Wan templates."""
KEEP = """Chunks are kept in output/wan_motion_runs under **run_name**: stop or crash, queue again, and it goes on. \
Another video: another name."""
PROMPT = "A woman walks through a market, the camera follows her."
NOTES, TOP = 40, 120
"""Where the notes stand, and the first row."""
LEFT = 720
"""Of all that is beside the notes."""


def unet(name: str, base: str, which: str = "") -> Node:
    """A diffusion model."""
    title = f"Load Diffusion Model ({which})" if which else ""
    models = [file(name, "diffusion_models", f"{base}/diffusion_models")]
    return Node("UNETLoader", {"unet_name": name}, title=title, models=models)


def shifted(model: Node, shift: float, which: str = "") -> Node:
    """The sampling shift of a model."""
    title = f"ModelSamplingSD3 ({which})" if which else ""
    return Node("ModelSamplingSD3", {"shift": shift}, {"model": (model, "MODEL")}, title)


def lora(model: Node, name: str, base: str, which: str = "", strength: float = 1.0) -> Node:
    """A LoRA for the whole of a video."""
    title = f"LoraLoaderModelOnly ({which})" if which else ""
    values = {"lora_name": name, "strength_model": strength}
    return Node("LoraLoaderModelOnly", values, {"model": (model, "MODEL")}, title, [file(name, "loras", base)])


def around(vae_base: str, vision: bool = False) -> dict[str, Node]:
    """Text encoder, VAE and CLIP vision."""
    clip, vae, seen = "umt5_xxl_fp8_e4m3fn_scaled.safetensors", "wan_2.1_vae.safetensors", "clip_vision_h.safetensors"
    files = [file(clip, "text_encoders", f"{WAN21}/text_encoders")]
    nodes = {
        "clip": Node("CLIPLoader", {"clip_name": clip, "type": "wan"}, models=files),
        "vae": Node("VAELoader", {"vae_name": vae}, models=[file(vae, "vae", f"{vae_base}/vae")]),
    }
    if vision:
        files = [file(seen, "clip_vision", f"{WAN21}/clip_vision")]
        nodes["clip_vision"] = Node("CLIPVisionLoader", {"clip_name": seen}, models=files)
    return nodes


def picture(title: str = "") -> Node:
    return Node("LoadImage", {"image": "example.png"}, title=title)


def clip(title: str = "") -> Node:
    return Node("LoadVideo", {"file": "video.mp4"}, title=title)


def knobs(run_name: str, frames: bool = False, **values) -> list[Node]:
    """Settings, and where chunks are kept."""
    keep = Node("WanMotionKeepRun", {"run_name": run_name, "frames_in_memory": frames})
    return [Node("WanMotionSettings", values), keep]


def video(nodes: dict[str, Node], keep: list[Node], values: dict, **given) -> Node:
    """Long Video, with the nodes of :func:`around` and :func:`knobs`; ``given`` are the other links."""
    settings, run = keep
    found = {"vae": (nodes["vae"], "VAE"), "clip": (nodes["clip"], "CLIP")}
    found |= {"settings": (settings, "settings"), "run": (run, "run"), **given}
    if "clip_vision" in nodes:
        found["clip_vision"] = (nodes["clip_vision"], "CLIP_VISION")
    values = {"length": 20.0, "prompt": PROMPT, "negative_prompt": NEGATIVE} | values
    return Node("WanMotionLongVideo", values, found)


class FewSteps:
    """Nodes that put a LoRA on each model and take over some of Long Video's numbers, and that are bypassed for many
    steps: the oldest host of this pack has no node that switches between two values."""

    def __init__(self, base: str, steps: int, own: int, on: bool):
        """
        Args:
            base: address of the LoRAs.
            steps: how many are few.
            own: how many Long Video has.
            on: whether they are few as the workflow is saved.
        """
        self.loras: list[Node] = []
        self.numbers: list[Node] = []
        self.title = f"{steps} steps ({'on; off' if on else 'off; on'} with Ctrl+B)"
        now, then = (steps, own) if on else (own, steps)
        text = f"**{now} steps now.** For {then} select all nodes of this group (Ctrl and drag a box) and press Ctrl+B."
        text += (
            f"\n\n{steps} steps take a fraction of the time, with less motion. While they are on, the numbers below "
        )
        text += "stand in for those of Long Video."
        self.note = note((380, 230), text, f"{steps} or {own} steps")
        self._base, self._on = base, on

    @property
    def nodes(self) -> list[Node]:
        return [*self.loras, *self.numbers]

    def lora(self, model: Node, name: str, which: str = "", strength: float = 1.0) -> Node:
        made = lora(model, name, self._base, which, strength)
        made.bypassed = not self._on
        self.loras.append(made)
        return made

    def number(self, name: str, value: float, own: float) -> tuple[Node, str]:
        """The output of a number that stands in for a node's own, which the front end shows no more."""
        kind = "Int" if isinstance(value, int) else "Float"
        made = Node(f"Primitive{kind}", {"value": value}, title=f"{name} ({own:g} if off)", bypassed=not self._on)
        self.numbers.append(made)
        return made, kind.upper()


class Models:
    """Diffusion models, each a row from its loader to its shift, and what is below them.

    ``rows`` have the nodes of a model in the order of its wire; those of ``few`` are among them.
    """

    def __init__(self, rows: list[list[Node]], nodes: dict[str, Node], few: FewSteps | None = None):
        self.rows, self.nodes, self.few = rows, nodes, few

    def groups(self, left: int, top: int) -> list[Group]:
        """Place them. Text encoder and VAE stand below the last nodes of the rows, whose wires go where theirs go."""
        columns = list(zip(*self.rows, strict=True))
        for index, members in enumerate(columns):
            last = index == len(columns) - 1
            ends = column(left, top, *members, *(self.nodes.values() if last else ()))
            left = right(*members) + SIDE
        if self.few is None:
            return [
                Group("Models", "models", [*(node for members in columns for node in members), *self.nodes.values()])
            ]
        few = [*self.few.nodes, self.few.note]
        column(self.few.loras[0].pos[0], bottom(*self.few.loras) + SIDE, self.few.note)
        column(self.few.loras[0].pos[0], max(ends, bottom(self.few.note)) + SIDE, *self.few.numbers)
        own = [node for members in columns for node in members if node not in few]
        return [
            Group("Models", "models", [*own, *self.nodes.values()], inside=few),
            Group(self.few.title, "models", few),
        ]


def full_size(
    name: str,
    text: str,
    models: Models,
    inputs: list[Node],
    keep: list[Node],
    made: Node,
    *,
    made_of: str = "Picture",
    further: tuple[list[Node], ...] = (),
) -> Workflow:
    """A workflow: models above, below them what is shown and set, and right of both the video and its result.

    Args:
        text: of the note.
        inputs: pictures or videos.
        made_of: title of their group.
        further: rows of nodes that are prompts.
    """
    groups = models.groups(LEFT, TOP)
    edge = bottom(*(node for group in groups for node in group.nodes)) + GROUP + (HEAD if models.few else 0)
    ends = row(LEFT, edge, *inputs, stair=STAIR)
    row(ends + 2 * SIDE, edge + STAIR * len(inputs), *keep, stair=STAIR)
    groups += [Group(made_of, "prompt", inputs), Group("Settings", "video", keep)]
    ends = right(*(node for group in groups for node in group.nodes))
    top = bottom(*inputs, *keep) + GROUP
    for nodes in further:
        ends = max(ends, row(LEFT, top, *nodes))
        top = bottom(*nodes) + SIDE
    if further:
        groups.append(Group("Prompts", "prompt", [node for nodes in further for node in nodes]))
    column(ends + 2 * SIDE, TOP, made)
    shown = result(made, "video/wan-motion")
    column(right(made) + 2 * SIDE, TOP, *shown)
    loaders = [node for group in groups for node in group.nodes]
    steps, files = note((560, 0), text), note((560, 0), links(loaders), "Model links")
    for each in (steps, files):
        each.size = (560, written(each))
    column(NOTES, TOP, steps, files)
    return Workflow(name, [*groups, Group("Video", "video", [made]), Group("Result", "result", shown)], [steps, files])


def result(made: Node, prefix: str) -> list[Node]:
    save = Node("SaveVideo", {"filename_prefix": prefix}, {"video": (made, "video")})
    return [save, Node("PreviewAny", {}, {"source": (made, "report")})]


def written(each: Node) -> int:
    """The height that a note's text takes."""
    letters = each.size[0] / 7.5
    lines = each.values["text"].split("\n")
    shown = [line.split("](")[0] + line.rpartition(")")[2] if "](" in line else line for line in lines]
    return 60 + sum(23 * max(1, -(-len(line) // int(letters))) if line else 12 for line in shown)
