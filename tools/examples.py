"""The example workflows; ``python dev.py examples`` writes them anew from the nodes of a running host."""

from __future__ import annotations

from .graph import Node, Workflow
from .server import Server

TINY_SIZE = {"width": 64, "height": 64, "length_unit": "frames", "chunk_frames": 17}
TINY_SAMPLING = {"steps": 20, "cfg": 2.0, "sampler_name": "euler", "scheduler": "simple"}


def main(arguments: list[str]) -> int:
    with Server() as server:
        object_info = server.get("/object_info")
    for workflow in (first_run(), optical_flow()):
        print(workflow.write(object_info))
    return 0


def tiny_models(left: int = 40) -> tuple[Node, Node, Node]:
    """The bundled models, their shift, and a scene."""
    models = Node("WanMotionTinyModels", (left, 120), (260, 90))
    shift = Node("ModelSamplingSD3", (left + 300, 120), (240, 60), {"shift": 3.0}, {"model": (models, "model")})
    scene = Node("WanMotionTinyScene", (left, 280), (260, 110))
    return models, shift, scene


def note(pos: tuple[int, int], size: tuple[int, int], text: str) -> Node:
    return Node("MarkdownNote", pos, size, {"text": text})


def tiny_video(models: Node, shift: Node, scene: Node, pos: tuple[int, int], values: dict, **links) -> Node:
    """Long Video around the bundled models."""
    links = {"model": (shift, "MODEL"), "vae": (models, "vae"), "clip": (models, "clip"), **links}
    links["start_image"] = (scene, "image")
    return Node("WanMotionLongVideo", pos, (360, 700), TINY_SIZE | TINY_SAMPLING | values, links)


def saved(frames: tuple[Node, str], left: int, prefix: str) -> list[Node]:
    """Frames enlarged and saved as a video."""
    values = {"upscale_method": "bicubic", "width": 256, "height": 256, "crop": "disabled"}
    scale = Node("ImageScale", (left, 120), (280, 130), values, {"image": frames})
    video = Node("CreateVideo", (left, 300), (280, 80), {"fps": 16.0}, {"images": (scale, "IMAGE")})
    save = Node("SaveVideo", (left + 320, 120), (320, 360), {"filename_prefix": prefix}, {"video": (video, "VIDEO")})
    return [scale, video, save]


def first_run() -> Workflow:
    models, shift, scene = tiny_models()
    settings = Node("WanMotionSettings", (640, 120), (360, 340), {"overlap_frames": 8})
    video = tiny_video(
        models,
        shift,
        scene,
        (1040, 120),
        {"length": 49.0},
        prompt=(scene, "caption"),
        settings=(settings, "settings"),
    )
    text = """# First run

Press **Run**. The tiny Wan2.1 that comes with the pack makes 49 frames of 64 x 64 pixels in five chunks, on any \
computer and without a download.

1. **Load** gives a model, a text encoder and a VAE of the stock architecture. **Tiny Scene** draws the start image; \
another seed is another scene.
2. **Long Video** makes chunk after chunk, each continuing the last. **Settings** says how: here an overlap of 8, \
since the tiny model's chunks have 17.
3. The report says how each chunk was tied to the one before and how its seam measures.

For a real video put your own Load Diffusion Model (Wan2.1 I2V), Load CLIP and Load VAE in the place of the tiny ones, \
your picture in the place of the scene, set width, height and 81 chunk frames, and overlap_frames to 0."""
    report = Node("PreviewAny", (1460, 440), (280, 300), {}, {"source": (video, "report")})
    return Workflow(
        "wan-motion_tiny_first_run",
        [
            ("Load", [models, shift, scene, note((40, 450), (540, 330), text)]),
            ("Long video", [settings, video]),
            ("Result", [*saved((video, "frames"), 1460, "video/wan-motion_tiny"), report]),
        ],
    )


def optical_flow() -> Workflow:
    models, shift, scene = tiny_models()
    video = tiny_video(models, shift, scene, (640, 120), {"length": 17.0}, prompt=(scene, "caption"))
    values = {"upscale_method": "bicubic", "width": 256, "height": 256, "crop": "disabled"}
    scale = Node("ImageScale", (1060, 120), (280, 130), values, {"image": (video, "frames")})
    flow = Node("WanMotionEstimateFlow", (1060, 330), (280, 130), {}, {"images": (scale, "IMAGE")})
    more = {
        "colours": {"occlusion": (flow, "occlusion")},
        "arrows": {"images": (scale, "IMAGE")},
        "confidence": {},
    }
    pictures = []
    for row, (style, links) in enumerate(more.items()):
        top = 120 + 360 * row
        links = {"flow": (flow, "flow"), **links}
        shown = Node("WanMotionFlowToImage", (1420, top), (280, 130), {"style": style}, links)
        pictures += [shown, Node("PreviewImage", (1740, top), (320, 310), {}, {"images": (shown, "images")})]
    text = """# See the motion

Press **Run**. The tiny Wan2.1 that comes with the pack makes one chunk of 17 frames, and **Estimate Flow** finds how \
every pixel moves from each frame to the next.

1. *colours*: direction as hue, length as saturation; the wheel in the corner says which and how long. Red is hidden \
in the next frame.
2. *arrows*: each ends where its pixel goes.
3. *confidence*: white is trusted, black is not: even surfaces show no motion, and what is hidden has none to find.

Put Load Video and Get Video Components in the place of Long Video to look at a video of your own. For large motion \
connect Load Optical Flow Model (torchvision's RAFT, in models/optical_flow) to Estimate Flow."""
    return Workflow(
        "wan-motion_tiny_optical_flow",
        [
            ("Load", [models, shift, scene, note((40, 450), (540, 330), text)]),
            ("Long video", [video]),
            ("Flow", [scale, flow]),
            ("Pictures", pictures),
        ],
    )
