"""Example workflows of the bundled tiny models, which run on any computer."""

from __future__ import annotations

from .graph import Node, Workflow, note

TINY_SIZE = {"width": 64, "height": 64, "length_unit": "frames", "chunk_frames": 17}
SEAMS = "17, 25, 33, 41, 49, 57"
"""Of 65 frames in chunks of 17 that share 9."""
TINY_SAMPLING = {"steps": 20, "cfg": 2.0, "sampler_name": "euler", "scheduler": "simple"}


def tiny_models(left: int = 40) -> tuple[Node, Node, Node]:
    """The bundled models, their shift, and a scene."""
    models = Node("WanMotionTinyModels", (left, 120), (280, 90))
    shift = Node("ModelSamplingSD3", (left + 310, 120), (240, 60), {"shift": 3.0}, {"model": (models, "model")})
    scene = Node("WanMotionTinyScene", (left, 280), (280, 130))
    return models, shift, scene


def tiny_video(models: Node, shift: Node, scene: Node, pos: tuple[int, int], values: dict, **links) -> Node:
    """Long Video around the bundled models."""
    links = {"model": (shift, "MODEL"), "vae": (models, "vae"), "clip": (models, "clip"), **links}
    links["start_image"] = (scene, "image")
    return Node("WanMotionLongVideo", pos, (360, 1240), TINY_SIZE | TINY_SAMPLING | values, links)


def saved(frames: tuple[Node, str], left: int, prefix: str) -> list[Node]:
    """Frames enlarged and saved as a video."""
    values = {"upscale_method": "bicubic", "width": 256, "height": 256, "crop": "disabled"}
    scale = Node("ImageScale", (left, 120), (280, 130), values, {"image": frames})
    video = Node("CreateVideo", (left, 300), (280, 80), {"fps": 16.0}, {"images": (scale, "IMAGE")})
    save = Node("SaveVideo", (left + 320, 120), (320, 360), {"filename_prefix": prefix}, {"video": (video, "VIDEO")})
    return [scale, video, save]


def first_run() -> Workflow:
    models, shift, scene = tiny_models()
    settings = Node("WanMotionSettings", (640, 120), (360, 368), {"overlap_frames": 8})
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

For a real video open the template **Wan21_long_video**: size, length, shift, cfg, CLIP vision and the \
output are set for the large model there."""
    report = Node("PreviewAny", (1460, 440), (280, 300), {}, {"source": (video, "report")})
    return Workflow(
        "Tiny_first_run",
        [
            ("Load", [models, shift, scene, note((40, 470), (540, 330), text)]),
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
        "colors": {"occlusion": (flow, "occlusion")},
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

1. *colors*: direction as hue, length as saturation; the wheel in the corner says which and how long. Red is hidden \
in the next frame.
2. *arrows*: each ends where its pixel goes.
3. *confidence*: white is trusted, black is not: even surfaces show no motion, and what is hidden has none to find.

Put Load Video and Get Video Components in the place of Long Video to look at a video of your own. For large motion \
connect Load Optical Flow Model (torchvision's RAFT, in models/optical_flow) to Estimate Flow."""
    return Workflow(
        "Tiny_optical_flow",
        [
            ("Load", [models, shift, scene, note((40, 470), (540, 330), text)]),
            ("Long video", [video]),
            ("Flow", [scale, flow]),
            ("Pictures", pictures),
        ],
    )


def prompts() -> Workflow:
    models, shift, scene = tiny_models()
    settings = Node("WanMotionSettings", (640, 120), (360, 368), {"overlap_frames": 8})
    there = Node("WanMotionPromptStack", (640, 540), (360, 320), {"positive": "an orange square moves left slow"})
    values = {"positive": "an orange square moves right slow", "start": 4.0, "transition": 2.0}
    link = {"prompt_stack": (there, "prompt_stack")}
    back = Node("WanMotionPromptStack", (640, 900), (360, 320), values, link)
    video = tiny_video(
        models,
        shift,
        scene,
        (1040, 120),
        {"length": 65.0},
        prompt_stack=(back, "prompt_stack"),
        settings=(settings, "settings"),
    )
    report = Node("PreviewAny", (1460, 440), (280, 300), {}, {"source": (video, "report")})
    seams = Node("WanMotionMeasureSeams", (1780, 520), (360, 400), {"seams": SEAMS}, {"images": (video, "frames")})
    text = """# Prompts by time

Press **Run**. The square goes left, and from the fourth chunk on right; the second prompt takes \
over within two chunks. The report names the prompt of each chunk, and **Measure Seams** \
has the plan's seams."""
    return Workflow(
        "Tiny_prompts",
        [
            ("Load", [models, shift, scene, note((40, 470), (540, 220), text)]),
            ("Prompts", [settings, there, back]),
            ("Long video", [video]),
            ("Result", [*saved((video, "frames"), 1460, "video/wan-motion_tiny"), report, seams]),
        ],
        scale=0.6,
    )


def split_nodes() -> Workflow:
    models, shift, scene = tiny_models()
    texts = [
        Node("CLIPTextEncode", (40, 470 + 180 * row), (260, 130), {"text": words}, {"clip": (models, "clip")})
        for row, words in enumerate(("an orange square moves left slow", ""))
    ]
    settings = Node("WanMotionSettings", (640, 120), (340, 368), {"overlap_frames": 8})
    links = {"start_image": (scene, "image"), "settings": (settings, "settings")}
    plan = Node("WanMotionPlanVideo", (640, 540), (340, 310), TINY_SIZE | {"length": 25.0}, links)
    state, chunks = plan, []
    for index in range(2):
        left = 1040 + 640 * index
        links = {"state": (state, "state"), "vae": (models, "vae"), "model": (shift, "MODEL")}
        links |= {"positive": (texts[0], "CONDITIONING"), "negative": (texts[1], "CONDITIONING")}
        guide = Node("WanMotionGuideNextChunk", (left, 120), (280, 210), {}, links)
        links = {name: (guide, name) for name in ("model", "positive", "negative")}
        links["latent_image"] = (guide, "latent")
        sampler = Node("KSampler", (left, 380), (280, 270), TINY_SAMPLING | {"seed": index}, links)
        links = {"state": (guide, "state"), "latent": (sampler, "LATENT"), "vae": (models, "vae")}
        state = Node("WanMotionFinishChunk", (left + 310, 120), (260, 110), {}, links)
        chunks.append((f"Chunk {index + 1}", [guide, sampler, state]))
    whole = Node("WanMotionAssembleVideo", (2340, 120), (280, 80), {}, {"state": (state, "state")})
    report = Node("PreviewAny", (2340, 560), (280, 240), {}, {"source": (whole, "report")})
    text = """# The loop in pieces

What Long Video does, node by node, around a sampler of your choice: **Guide Next Chunk** prepares a chunk, **Finish \
Chunk** decodes and joins it. Add a pair for each further chunk, or put one pair between loop nodes: the state is all \
that goes round. The sampler's model comes from Guide Next Chunk, which lets it follow motion."""
    return Workflow(
        "Tiny_split_nodes",
        [
            ("Load", [models, shift, scene, *texts, note((340, 470), (260, 310), text)]),
            ("Plan", [settings, plan]),
            *chunks,
            ("Result", [whole, *saved((whole, "frames"), 2660, "video/wan-motion_tiny"), report]),
        ],
        scale=0.5,
    )


WORKFLOWS = (first_run, prompts, split_nodes, optical_flow)
