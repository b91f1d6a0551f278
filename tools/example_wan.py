"""Example workflows of the full-size models, by the names and places that the host's own templates use."""

from __future__ import annotations

from .blueprint import Blueprint
from .graph import Node, Workflow, note

HUB = "https://huggingface.co/Comfy-Org"
WAN21 = f"{HUB}/Wan_2.1_ComfyUI_repackaged/resolve/main/split_files"
WAN22 = f"{HUB}/Wan_2.2_ComfyUI_Repackaged/resolve/main/split_files"
NEGATIVE = "blurry, bad quality, distorted, static, subtitles, watermark"
KEEP = """Chunks are kept in output/wan_motion_runs under **run_name**: stop or crash, queue again, and it goes on. \
Another video: another name."""


def file(name: str, folder: str, base: str) -> dict:
    return {"name": name, "url": f"{base}/{folder}/{name}", "directory": folder}


def unet(name: str, base: str, top: int, shift: float) -> tuple[Node, Node]:
    """A diffusion model and its shift."""
    loader = Node(
        "UNETLoader", (40, top), (320, 90), {"unet_name": name}, models=[file(name, "diffusion_models", base)]
    )
    sampling = Node("ModelSamplingSD3", (400, top), (240, 60), {"shift": shift}, {"model": (loader, "MODEL")})
    return loader, sampling


def around(top: int, vision: bool) -> dict[str, Node]:
    """Text encoder, VAE, CLIP vision and a picture."""
    clip, vae, seen = "umt5_xxl_fp8_e4m3fn_scaled.safetensors", "wan_2.1_vae.safetensors", "clip_vision_h.safetensors"
    nodes = {
        "clip": Node(
            "CLIPLoader",
            (40, top),
            (320, 110),
            {"clip_name": clip, "type": "wan"},
            models=[file(clip, "text_encoders", WAN21)],
        ),
        "vae": Node("VAELoader", (40, top + 150), (320, 60), {"vae_name": vae}, models=[file(vae, "vae", WAN21)]),
        "image": Node("LoadImage", (400, top), (280, 320), {"image": "example.png"}),
    }
    if vision:
        nodes["clip_vision"] = Node(
            "CLIPVisionLoader",
            (40, top + 250),
            (320, 60),
            {"clip_name": seen},
            models=[file(seen, "clip_vision", WAN21)],
        )
    return nodes


def video(model: Node, nodes: dict[str, Node], settings: Node, run: Node, values: dict, **links) -> Node:
    links = {
        "model": (model, "MODEL"),
        "vae": (nodes["vae"], "VAE"),
        "start_image": (nodes["image"], "IMAGE"),
        "clip": (nodes["clip"], "CLIP"),
        "settings": (settings, "settings"),
        "run": (run, "run"),
        **links,
    }
    if "clip_vision" in nodes:
        links["clip_vision"] = (nodes["clip_vision"], "CLIP_VISION")
    return Node("WanMotionLongVideo", (1200, 120), (400, 1030), {"length": 20.0} | values, links)


def result(made: Node, prefix: str) -> list[Node]:
    save = Node("SaveVideo", (1660, 120), (420, 420), {"filename_prefix": prefix}, {"video": (made, "video")})
    return [save, Node("PreviewAny", (1660, 600), (420, 320), {}, {"source": (made, "report")})]


def knobs(run_name: str, preset: str = "Standard", frames: bool = False) -> tuple[Node, Node]:
    settings = Node("WanMotionSettings", (760, 120), (380, 400), {"preset": preset})
    return settings, Node(
        "WanMotionKeepRun", (760, 580), (380, 270), {"run_name": run_name, "frames_in_memory": frames}
    )


def long_video() -> Workflow:
    loader, model = unet("wan2.1_i2v_480p_14B_fp16.safetensors", WAN21, 120, 8.0)
    nodes = around(260, vision=True)
    settings, run = knobs("my-video")
    prompt = {"prompt": "A woman walks through a market, the camera follows her.", "negative_prompt": NEGATIVE}
    made = video(model, nodes, settings, run, prompt)
    text = f"""# A long video by Wan2.1 I2V 480p

1. Load the four models (links are on the loaders) and your picture.
2. Say what happens in **prompt**, how long in **length**. A change by time is a line: `0: walking`, `7.5s: running`.
3. Press **Run**. {KEEP}

For 720p load wan2.1_i2v_720p_14B_fp16.safetensors and set 1280 x 720. Less memory: an fp8 file of the same model."""
    return Workflow(
        "wan-motion_wan21_i2v_long_video",
        [
            ("Load", [loader, model, *nodes.values(), note((40, 640), (640, 300), text)]),
            ("Settings", [settings, run]),
            ("Long video", [made]),
            ("Result", result(made, "video/wan-motion")),
        ],
    )


def prompts_and_loras() -> Workflow:
    loader, model = unet("wan2.1_i2v_480p_14B_fp16.safetensors", WAN21, 120, 8.0)
    nodes = around(260, vision=True)
    settings, run = knobs("my-prompts")
    name = "lightx2v_I2V_14B_480p_cfg_step_distill_rank64_bf16.safetensors"
    lora = Node(
        "WanMotionLoraStack",
        (760, 1260),
        (380, 130),
        {"lora_name": name},
        models=[{"name": name, "url": f"{HUB}/Wan-Animate-2/resolve/main/loras/{name}", "directory": "loras"}],
    )
    stack, before = [], None
    texts = (("walking slowly", 0.0, 0.0), ("running fast", 6.0, 6.0), ("jumping high", 12.0, 6.0))
    for number, (words, start, transition) in enumerate(texts):
        values = {"positive": f"A woman in a market, {words}.", "negative": NEGATIVE, "unit": "seconds"}
        values |= {"start": start, "transition": transition}
        links = {"lora_stack": (lora, "lora_stack")} | ({"prompt_stack": (before, "prompt_stack")} if before else {})
        before = Node("WanMotionPromptStack", (760 + 420 * number, 1450), (380, 340), values, links)
        stack.append(before)
    made = video(model, nodes, settings, run, {"steps": 6, "cfg": 1.0}, prompt_stack=(before, "prompt_stack"))
    text = f"""# Prompts and LoRAs by time

1. Each **Prompt Stack** holds from the seam nearest its **start** on and takes over within its **transition**, chunk \
by chunk, LoRAs included.
2. The LoRA here lets Wan2.1 work in 6 steps at cfg 1; without it set steps 20, cfg 6. Any prompt may have its own.
3. Press **Run**. {KEEP}

Only the chunks from a changed prompt on are regenerated."""
    return Workflow(
        "wan-motion_wan21_prompts_and_loras",
        [
            ("Load", [loader, model, *nodes.values(), note((40, 640), (640, 300), text)]),
            ("Settings", [settings, run]),
            ("Long video", [made]),
            ("Prompts", [lora, *stack]),
            ("Result", result(made, "video/wan-motion")),
        ],
        scale=0.55,
    )


def two_experts() -> Workflow:
    high_loader, high = unet("wan2.2_i2v_high_noise_14B_fp8_scaled.safetensors", WAN22, 120, 8.0)
    low_loader, low = unet("wan2.2_i2v_low_noise_14B_fp8_scaled.safetensors", WAN22, 250, 8.0)
    nodes = around(390, vision=False)
    settings, run = knobs("my-wan22-video")
    values = {"prompt": "A woman walks through a market, the camera follows her.", "negative_prompt": NEGATIVE}
    values |= {"cfg": 3.5, "sampler_name": "euler"}
    made = video(high, nodes, settings, run, values, model_low_noise=(low, "MODEL"))
    text = f"""# Wan2.2 I2V A14B: two experts

1. The high-noise model begins each chunk, the low-noise model ends it, as in two KSampler (Advanced): below \
**boundary** 0.9, or from **switch_step** on. Each draws noise of its own; two KSampler (Advanced) with one seed draw \
the same noise twice, which a stochastic sampler leaves in the picture: give them two seeds.
2. Press **Run**. {KEEP}

This model also takes an end picture: connect **end_image**."""
    return Workflow(
        "wan-motion_wan22_i2v_two_experts",
        [
            ("Load", [high_loader, high, low_loader, low, *nodes.values(), note((40, 770), (640, 260), text)]),
            ("Settings", [settings, run]),
            ("Long video", [made]),
            ("Result", result(made, "video/wan-motion")),
        ],
    )


def measure_seams() -> Workflow:
    load = Node("LoadVideo", (40, 120), (320, 320), {"file": "video.mp4"})
    parts = Node("GetVideoComponents", (400, 120), (260, 80), {}, {"video": (load, "VIDEO")})
    seams = Node("WanMotionMeasureSeams", (720, 120), (540, 500), {}, {"images": (parts, "images")})
    words = Node("PreviewAny", (1320, 120), (520, 300), {}, {"source": (seams, "report")})
    text = """# How visible are the seams of a video?

Choose any video. **seams** are the numbers of the first frames behind each seam, such as 81, 145; empty: it looks for \
places that stand out.

Every place is held against real, uncut video: jumps of motion, steps of color and sharpness, frames that stand \
still, are replayed, or flash."""
    return Workflow(
        "wan-motion_measure_any_video",
        [
            ("Video", [load, parts, note((40, 480), (620, 300), text)]),
            ("Measure", [seams]),
            ("Result", [words]),
        ],
    )


def join_clips() -> Workflow:
    made = []
    for row, name in enumerate(("first", "second")):
        load = Node("LoadVideo", (40, 120 + 380 * row), (320, 320), {"file": "video.mp4"}, title=f"The {name} clip")
        link = {"video": (load, "VIDEO")}
        made += [load, Node("GetVideoComponents", (400, 120 + 380 * row), (260, 80), {}, link)]
    links = {"first": (made[1], "images"), "second": (made[3], "images")}
    joined = Node("WanMotionJoinClips", (720, 120), (340, 230), {}, links)
    rate = {"images": (joined, "frames"), "fps": (made[1], "fps")}
    video = Node("CreateVideo", (720, 420), (340, 80), {}, rate)
    save = Node("SaveVideo", (1120, 120), (420, 380), {"filename_prefix": "video/joined"}, {"video": (video, "VIDEO")})
    words = Node("PreviewAny", (1120, 560), (420, 200), {}, {"source": (joined, "report")})
    text = """# Join two clips

The last **overlap_frames** of the first clip and the first of the second should show the same: the second was made as \
the first one's continuation. Colors are matched, and the picture moves over rather than being mixed."""
    return Workflow(
        "wan-motion_join_two_clips",
        [("Clips", made), ("Join", [joined, video, note((720, 560), (340, 220), text)]), ("Result", [save, words])],
    )


def long_video_blueprint() -> Blueprint:
    """The long video as one node to put into any workflow."""
    loader, model = unet("wan2.1_i2v_480p_14B_fp16.safetensors", WAN21, 120, 8.0)
    nodes = around(260, vision=True)
    picture = nodes.pop("image")
    settings, run = knobs("long-video", frames=True)
    made = video(model, nodes | {"image": picture}, settings, run, {"negative_prompt": NEGATIVE})
    del made.links["start_image"]  # it comes from outside
    groups = [("Load", [loader, model, *nodes.values()]), ("Settings", [settings, run]), ("Long video", [made])]
    names = ("start_image", "prompt", "negative_prompt", "width", "height", "length", "seed", "steps", "cfg")
    return Blueprint(
        Workflow("Long Video from a Picture (Wan Motion)", groups),
        "Makes a long Wan2.1 video from one picture and keeps every finished chunk on disk, so that it can go on after "
        "a stop or a crash.",
        {name: (made, name) for name in names} | {"run_name": (run, "run_name")},
        {name: (made, name) for name in ("video", "frames", "report")},
    )


BLUEPRINTS = (long_video_blueprint,)
WORKFLOWS = (long_video, prompts_and_loras, two_experts, measure_seams, join_clips)
