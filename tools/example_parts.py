"""Parts of the example workflows of the full-size models, by the names and places that the host's own templates use."""

from __future__ import annotations

from pathlib import Path

from .graph import Node, note

HUB = "https://huggingface.co"
WAN21 = f"{HUB}/Comfy-Org/Wan_2.1_ComfyUI_repackaged/resolve/main/split_files"
WAN22 = f"{HUB}/Comfy-Org/Wan_2.2_ComfyUI_Repackaged/resolve/main/split_files"
NEGATIVE = Path(__file__).with_name("negative_prompt.txt").read_text(encoding="utf-8").strip()
"""Of the host's own Wan templates."""
KEEP = """Chunks are kept in output/wan_motion_runs under **run_name**: stop or crash, queue again, and it goes on. \
Another video: another name."""
PROMPT = "A woman walks through a market, the camera follows her."
TITLE, GAP = 40, 40
"""Pixels of a node's title, and between nodes."""
OWN = "While it is off, the node's own numbers hold, under the links; remove a link to change one."
SWITCH = "box-select its nodes (Ctrl and drag) and press Ctrl+B"


def file(name: str, folder: str, base: str) -> dict:
    return {"name": name, "url": f"{base}/{name}", "directory": folder}


def below(nodes: list[Node]) -> int:
    """Where a node stands that stands under others."""
    return max(node.pos[1] + node.size[1] for node in nodes) + GAP + TITLE


def unet(name: str, base: str, top: int, which: str = "") -> Node:
    """A diffusion model."""
    title = f"Load Diffusion Model ({which})" if which else ""
    models = [file(name, "diffusion_models", f"{base}/diffusion_models")]
    return Node("UNETLoader", (40, top), (320, 90), {"unet_name": name}, title=title, models=models)


def shifted(model: Node, top: int, shift: float, which: str = "") -> Node:
    """The sampling shift of a model."""
    title = f"ModelSamplingSD3 ({which})" if which else ""
    return Node("ModelSamplingSD3", (400, top), (280, 60), {"shift": shift}, {"model": (model, "MODEL")}, title)


def lora(model: Node, name: str, base: str, pos: tuple[int, int], which: str = "", strength: float = 1.0) -> Node:
    """A LoRA for the whole of a video."""
    title = f"LoraLoaderModelOnly ({which})" if which else ""
    values = {"lora_name": name, "strength_model": strength}
    links = {"model": (model, "MODEL")}
    return Node("LoraLoaderModelOnly", pos, (380, 90), values, links, title, [file(name, "loras", base)])


def around(top: int, vae_base: str, vision: bool = False) -> dict[str, Node]:
    """Text encoder, VAE and CLIP vision."""
    clip, vae, seen = "umt5_xxl_fp8_e4m3fn_scaled.safetensors", "wan_2.1_vae.safetensors", "clip_vision_h.safetensors"
    nodes = {
        "clip": Node(
            "CLIPLoader",
            (40, top),
            (320, 110),
            {"clip_name": clip, "type": "wan"},
            models=[file(clip, "text_encoders", f"{WAN21}/text_encoders")],
        ),
        "vae": Node(
            "VAELoader", (40, top + 150), (320, 60), {"vae_name": vae}, models=[file(vae, "vae", f"{vae_base}/vae")]
        ),
    }
    if vision:
        nodes["clip_vision"] = Node(
            "CLIPVisionLoader",
            (40, top + 250),
            (320, 60),
            {"clip_name": seen},
            models=[file(seen, "clip_vision", f"{WAN21}/clip_vision")],
        )
    return nodes


def picture(top: int, title: str = "", left: int = 400) -> Node:
    return Node("LoadImage", (left, top), (280, 320), {"image": "example.png"}, title=title)


def clip(top: int, title: str = "", left: int = 40) -> tuple[Node, Node]:
    """A video, and its frames beside it."""
    load = Node("LoadVideo", (left, top), (320, 320), {"file": "video.mp4"}, title=title)
    parts = Node("GetVideoComponents", (left + 360, top), (260, 80), {}, {"video": (load, "VIDEO")})
    return load, parts


def knobs(run_name: str, frames: bool = False, **values) -> tuple[Node, Node]:
    """Settings, and where chunks are kept."""
    settings = Node("WanMotionSettings", (760, 120), (380, 400), values)
    keep = Node("WanMotionKeepRun", (760, 580), (380, 270), {"run_name": run_name, "frames_in_memory": frames})
    return settings, keep


def video(nodes: dict[str, Node], keep: tuple[Node, Node], values: dict, **links) -> Node:
    """Long Video, with the nodes of :func:`around` and :func:`knobs`; ``links`` are the rest, its model among them."""
    settings, run = keep
    links = {
        "vae": (nodes["vae"], "VAE"),
        "clip": (nodes["clip"], "CLIP"),
        "settings": (settings, "settings"),
        "run": (run, "run"),
        **links,
    }
    if "clip_vision" in nodes:
        links["clip_vision"] = (nodes["clip_vision"], "CLIP_VISION")
    values = {"length": 20.0, "prompt": PROMPT, "negative_prompt": NEGATIVE} | values
    return Node("WanMotionLongVideo", (1200, 120), (400, 1240), values, links)


def result(made: Node, prefix: str) -> list[Node]:
    save = Node("SaveVideo", (1660, 120), (420, 420), {"filename_prefix": prefix}, {"video": (made, "video")})
    return [save, Node("PreviewAny", (1660, 600), (420, 320), {}, {"source": (made, "report")})]


def notes(text: str, height: int, above: list[Node], others: list[Node] | None = None) -> list[Node]:
    """What to do, under some nodes, and the links of the models that these and others load."""
    steps = note((40, below(above)), (640, height), text)
    models = {each["name"]: each for node in (*above, *(others or ())) for each in node.models}.values()
    lines = ["## Model links"]
    for folder in dict.fromkeys(each["directory"] for each in models):
        lines += ["", f"**models/{folder}**", ""]
        lines += [f"- [{each['name']}]({each['url']})" for each in models if each["directory"] == folder]
    return [steps, note((40, below([steps])), (640, 60 + 14 * len(lines)), "\n".join(lines), "Model links")]


class FewSteps:
    """Bypassed nodes which, when they are not, put a LoRA on each model and take over some of Long Video's numbers:
    the oldest host of this pack has no node that switches between two values."""

    def __init__(self, base: str):
        self._base = base
        self._loras: list[Node] = []
        self._numbers: list[Node] = []

    @property
    def nodes(self) -> list[Node]:
        return [*self._loras, *self._numbers]

    def lora(self, model: Node, name: str, which: str = "", strength: float = 1.0) -> Node:
        made = lora(model, name, self._base, (760 + 420 * len(self._loras), 1470), which, strength)
        made.bypassed = True
        self._loras.append(made)
        return made

    def number(self, name: str, value: float, own: float) -> tuple[Node, str]:
        """The output of a number that stands in for a node's own, which the front end shows no more."""
        kind = "Int" if isinstance(value, int) else "Float"
        place = (760 + 260 * len(self._numbers), 1620)
        made = Node(
            f"Primitive{kind}", place, (220, 90), {"value": value}, title=f"{name} ({own:g} if off)", bypassed=True
        )
        self._numbers.append(made)
        return made, kind.upper()
