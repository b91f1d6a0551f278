"""Example workflows of the bundled tiny models, which run on any computer."""

from __future__ import annotations

from .graph import Group, Node, Workflow, note
from .layout import GROUP, SIDE, STAIR, bottom, column, right, row

NOTES, LEFT, TOP = 40, 580, 120
CHUNK, OVERLAP = 41, 9
"""Frames that the tiny model makes at once, and that two chunks share."""
TINY_SIZE = {"width": 64, "height": 64, "length_unit": "frames", "chunk_frames": CHUNK}
TINY_SAMPLING = {"steps": 20, "cfg": 2.0, "sampler_name": "euler", "scheduler": "simple"}
FIRST_RUN, FIRST_LENGTH = "tiny-first-run", 105.0
"""Where the chunks of the first run are kept, and how many frames it has."""


class Tiny:
    """The bundled models, their shift, and a scene."""

    def __init__(self):
        self.models = Node("WanMotionTinyModels")
        self.shift = Node("ModelSamplingSD3", {"shift": 3.0}, {"model": (self.models, "model")})
        self.scene = Node("WanMotionTinyScene")
        row(LEFT, TOP, self.models, self.shift)
        column(LEFT, bottom(self.models) + SIDE, self.scene)

    @property
    def group(self) -> Group:
        return Group("Models and picture", "models", [self.models, self.shift, self.scene])

    def video(self, values: dict, **links) -> Node:
        """Long Video around them."""
        given = {"model": (self.shift, "MODEL"), "vae": (self.models, "vae"), "clip": (self.models, "clip"), **links}
        given.setdefault("start_image", (self.scene, "image"))
        return Node("WanMotionLongVideo", TINY_SIZE | TINY_SAMPLING | values, given)


def knobs(run_name: str) -> list[Node]:
    """Settings for the overlap of the tiny model, and where chunks are kept."""
    return [
        Node("WanMotionSettings", {"overlap_frames": OVERLAP - 1}),
        Node("WanMotionKeepRun", {"run_name": run_name}),
    ]


def kept(nodes: list[Node]) -> dict:
    """The links of these to Long Video."""
    return {"settings": (nodes[0], "settings"), "run": (nodes[1], "run")}


def saved(frames: tuple[Node, str], prefix: str = "video/wan-motion-tiny") -> tuple[Node, Node, Node]:
    """Frames enlarged and saved as a video."""
    values = {"upscale_method": "bicubic", "width": 256, "height": 256, "crop": "disabled"}
    scale = Node("ImageScale", values, {"image": frames})
    video = Node("CreateVideo", {"fps": 16.0}, {"images": (scale, "IMAGE")})
    return scale, video, Node("SaveVideo", {"filename_prefix": prefix}, {"video": (video, "VIDEO")})


def shown(left: int, report: Node, save: tuple[Node, Node, Node], *more: Node) -> Group:
    """The result: what makes a video of the frames, the video, and beside it words and pictures."""
    scale, video, file = save
    row(left, TOP, scale, video, file)
    column(left, bottom(scale) + SIDE, report)
    column(file.pos[0], bottom(file) + SIDE, *more)
    return Group("Result", "result", [scale, video, file, report, *more])


def about(name: str, text: str, groups: list[Group], height: int) -> Workflow:
    words = note((460, height), text)
    words.pos = (NOTES, TOP)
    return Workflow(name, groups, [words])


def first_run() -> Workflow:
    tiny, keep = Tiny(), knobs(FIRST_RUN)
    links = {"prompt": (tiny.scene, "caption"), **kept(keep)}
    video = tiny.video({"length": FIRST_LENGTH}, **links)
    row(LEFT, bottom(tiny.scene) + GROUP, *keep, stair=STAIR)
    video.pos = (right(*keep) + 2 * SIDE, TOP)
    report = Node("PreviewAny", {}, {"source": (video, "report")})
    text = f"""# First run

Press **Run**. The tiny Wan2.1 that comes with the pack makes {FIRST_LENGTH:.0f} frames of 64 x 64 pixels in three \
chunks, on any computer and without a download.

1. **Load Tiny Wan2.1** gives a model, a text encoder and a VAE of the stock architecture. **Tiny Scene** draws the \
start picture; another seed is another scene.
2. **Long Video** makes chunk after chunk, each continuing the last. **Settings** says how: here {OVERLAP} frames are \
shared (asked for {OVERLAP - 1}; Wan overlaps by 4k + 1).
3. **Keep Run** keeps every chunk on disk.
4. The report says how each chunk was tied to the one before and how its seam measures.

## Then

- Choose a chunk in the timeline of Long Video: it plays there. *redo with another seed* makes it again, and *use \
take* brings the first one back.
- Raise **length** and press **Run**: only the new chunks are made.
- **Tiny_load_a_kept_run** shows what was kept.

For a real video open **Wan22_4_step_long_video**: size, length, shift, cfg and the output are set for the large model \
there."""
    groups = [
        tiny.group,
        Group("Settings", "video", keep),
        Group("Video", "video", [video]),
        shown(right(video) + 2 * SIDE, report, saved((video, "frames"))),
    ]
    return about("Tiny_first_run", text, groups, 900)


def prompts() -> Workflow:
    tiny, keep = Tiny(), knobs("tiny-prompts")
    # The prompt turns to the right over two chunks; the seams are those of four chunks of 41 that share 9.
    lines = "1: an orange square moves left slow\n3 over 2: an orange square moves right slow"
    video = tiny.video({"length": 137.0, "prompt": lines}, **kept(keep))
    row(LEFT, bottom(tiny.scene) + GROUP, *keep, stair=STAIR)
    video.pos = (right(*keep) + 2 * SIDE, TOP)
    report = Node("PreviewAny", {}, {"source": (video, "report")})
    seams = Node("WanMotionMeasureSeams", {"seams": "41, 73, 105"}, {"images": (video, "frames")})
    text = """# Prompts by time

Press **Run**. The square goes left, and from the third chunk on right: **prompt** of Long Video has a line for each \
change.

```
1: an orange square moves left slow
3 over 2: an orange square moves right slow
```

The second prompt takes over within two chunks. In seconds: `0s: ...`, `4.5s over 4s: ...`. The report names the \
prompt of each chunk, and **Measure Seams** has the plan's seams.

Change the second line and press **Run** again: the chunks before it are taken as they were kept."""
    groups = [
        tiny.group,
        Group("Settings", "video", keep),
        Group("Video", "video", [video]),
        shown(right(video) + 2 * SIDE, report, saved((video, "frames")), seams),
    ]
    return about("Tiny_prompts", text, groups, 460)


def optical_flow() -> Workflow:
    tiny = Tiny()
    video = tiny.video({"length": 17.0, "chunk_frames": 17}, prompt=(tiny.scene, "caption"))
    video.pos = (right(tiny.shift) + 2 * SIDE, TOP)
    values = {"upscale_method": "bicubic", "width": 256, "height": 256, "crop": "disabled"}
    scale = Node("ImageScale", values, {"image": (video, "frames")})
    flow = Node("WanMotionEstimateFlow", {}, {"images": (scale, "IMAGE")})
    column(right(video) + 2 * SIDE, TOP, scale, flow)
    more = {
        "colors": {"occlusion": (flow, "occlusion")},
        "arrows": {"images": (scale, "IMAGE")},
        "confidence": {},
    }
    pictures, top = [], TOP
    for style, links in more.items():
        drawn = Node("WanMotionFlowToImage", {"style": style}, {"flow": (flow, "flow"), **links})
        row(right(scale) + 2 * SIDE, top, drawn, preview := Node("PreviewImage", {}, {"images": (drawn, "images")}))
        pictures += [drawn, preview]
        top = bottom(preview) + SIDE
    text = """# See the motion

Press **Run**. The tiny Wan2.1 that comes with the pack makes one chunk of 17 frames, and **Estimate Flow** finds how \
every pixel moves from each frame to the next.

1. *colors*: direction as hue, length as saturation; the wheel in the corner says which and how long. Red is hidden \
in the next frame.
2. *arrows*: each ends where its pixel goes.
3. *confidence*: white is trusted, black is not: even surfaces show no motion, and what is hidden has none to find.

Put Load Video and Get Video Components in the place of Long Video to look at a video of your own. For large motion \
connect Load Optical Flow Model (torchvision's RAFT, in models/optical_flow) to Estimate Flow."""
    groups = [
        tiny.group,
        Group("Video", "video", [video]),
        Group("Flow", "video", [scale, flow]),
        Group("Pictures", "result", pictures),
    ]
    return about("Tiny_optical_flow", text, groups, 480)


def split_nodes() -> Workflow:
    tiny = Tiny()
    texts = [
        Node("CLIPTextEncode", {"text": words}, {"clip": (tiny.models, "clip")})
        for words in ("an orange square moves left slow", "")
    ]
    settings = Node("WanMotionSettings", {"overlap_frames": OVERLAP - 1})
    links = {"start_image": (tiny.scene, "image"), "settings": (settings, "settings")}
    plan = Node("WanMotionPlanVideo", TINY_SIZE | {"length": 73.0}, links)
    top = bottom(tiny.scene) + GROUP
    column(LEFT, top, *texts)
    column(LEFT, bottom(*texts) + GROUP, settings)
    plan.pos = (right(settings) + SIDE, bottom(*texts) + GROUP)
    state, chunks, left = plan, [], right(plan) + 2 * SIDE
    for index in range(2):
        links = {"state": (state, "state"), "vae": (tiny.models, "vae"), "model": (tiny.shift, "MODEL")}
        links |= {"positive": (texts[0], "CONDITIONING"), "negative": (texts[1], "CONDITIONING")}
        guide = Node("WanMotionGuideNextChunk", {}, links)
        links = {name: (guide, name) for name in ("model", "positive", "negative")}
        links["latent_image"] = (guide, "latent")
        sampler = Node("KSampler", TINY_SAMPLING | {"seed": index}, links)
        links = {"state": (guide, "state"), "latent": (sampler, "LATENT"), "vae": (tiny.models, "vae")}
        state = Node("WanMotionFinishChunk", {}, links)
        row(left, TOP, guide, sampler, state)
        chunks.append(Group(f"Chunk {index + 1}", "video", [guide, sampler, state]))
        left = right(state) + 2 * SIDE
    whole = Node("WanMotionAssembleVideo", {}, {"state": (state, "state")})
    report = Node("PreviewAny", {}, {"source": (whole, "report")})
    save = saved((whole, "frames"))
    column(left, TOP, whole)
    last = shown(right(whole) + SIDE, report, save)
    text = """# The loop in pieces

What Long Video does, node by node, around a sampler of your choice: **Guide Next Chunk** prepares a chunk, **Finish \
Chunk** decodes and joins it. Add a pair for each further chunk, or put one pair between loop nodes: the state is all \
that goes round.

The sampler's model comes from Guide Next Chunk, which lets it follow motion."""
    groups = [
        tiny.group,
        Group("Prompt", "prompt", texts),
        Group("Plan", "video", [settings, plan]),
        *chunks,
        Group("Result", "result", [whole, *last.nodes]),
    ]
    return about("Tiny_split_nodes", text, groups, 340)


def load_run() -> Workflow:
    load = Node("WanMotionLoadRun", {"run_name": FIRST_RUN})
    load.pos = (LEFT, TOP)
    report = Node("PreviewAny", {}, {"source": (load, "report")})
    look = shown(right(load) + 2 * SIDE, report, saved((load, "frames"), "video/kept-run"))
    tiny, keep = Tiny(), knobs("tiny-longer")
    top = bottom(*look.nodes) + GROUP
    for node in tiny.group.nodes:
        node.pos = (node.pos[0], node.pos[1] - TOP + top)
    links = {"source": (load, "video"), "start_image": (tiny.scene, "image"), **kept(keep)}
    video = tiny.video({"length": 64.0, "prompt": "an orange square moves left slow"}, **links)
    row(LEFT, bottom(tiny.scene) + GROUP, *keep, stair=STAIR)
    video.pos = (right(*keep) + 2 * SIDE, top)
    save = Node("SaveVideo", {"filename_prefix": "video/wan-motion-longer"}, {"video": (video, "video")})
    more = Node("PreviewAny", {}, {"source": (video, "report")})
    column(right(video) + 2 * SIDE, top, save, more)
    onward = [*tiny.group.nodes, *keep, video, save, more]
    for node in onward:
        node.bypassed = True
    text = """# What a kept run holds

Run **Tiny_first_run** once, then press **Run** here.

1. **Look**: the report says which chunks and which takes of each are kept; *frames* are those that make the video.
2. **Export**: Save Video writes them to output/video. A run that was interrupted or crashed gives what was finished. \
For a long video turn **frames_in_memory** off and save *video* of Load Run.
3. **Go on**: the group below continues the video with 64 frames. It is off: select its nodes (Ctrl and drag a box) \
and press Ctrl+B. To make a run itself longer raise **length** where it was made: its chunks then stay tied by \
latents."""
    groups = [
        Group("Kept run", "prompt", [load]),
        look,
        Group("Go on (off; on with Ctrl+B)", "video", onward),
    ]
    return about("Tiny_load_a_kept_run", text, groups, 480)


WORKFLOWS = (first_run, prompts, load_run, optical_flow, split_nodes)
