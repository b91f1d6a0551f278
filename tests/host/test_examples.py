"""Every example workflow in the running host: the tiny ones as they are, the others with tiny weights in disguise."""

import json
import re
import shutil

import av
import numpy
import pytest
import torch
from wan_motion_chunks.tools.examples import WORKFLOWS
from wan_motion_chunks.tools.workflow import EXAMPLES, to_prompt

SAVED = {make().name: json.loads((EXAMPLES / f"{make().name}.json").read_text(encoding="utf-8")) for make in WORKFLOWS}
FULL_SIZE = sorted(name for name in SAVED if "_wan2" in name)
TINY = {"width": 32, "height": 32, "length": 25.0, "length_unit": "frames", "chunk_frames": 17, "steps": 2}


@pytest.fixture(scope="module")
def files(server, comfy):
    """Tiny weights under the names of the large ones, a LoRA, a picture and a video, where the host looks for them."""
    import comfy.utils
    from wan_motion_chunks.tiny import TRANSFORMER, VAE

    weights = comfy.utils.load_torch_file(str(TRANSFORMER))
    plain = {name: value for name, value in weights.items() if not re.search(r"img_emb|[kv]_img", name)}
    key = next(name for name in weights if name.endswith("blocks.0.self_attn.v.weight")).removesuffix(".weight")
    out, into = weights[f"{key}.weight"].shape
    prefix = f"diffusion_model.{key}"
    lora = {f"{prefix}.lora_up.weight": torch.ones(out, 1) * 0.01, f"{prefix}.lora_down.weight": torch.ones(1, into)}
    for workflow in SAVED.values():
        for node in workflow["nodes"]:
            for model in node["properties"].get("models", ()):
                path = server.base / "models" / model["directory"] / model["name"]
                path.parent.mkdir(parents=True, exist_ok=True)
                if model["directory"] == "vae":
                    shutil.copy(VAE, path)
                elif model["directory"] == "diffusion_models":
                    comfy.utils.save_torch_file(plain if "wan2.2" in path.name else weights, str(path))
                elif model["directory"] == "loras":
                    comfy.utils.save_torch_file(lora, str(path))
                else:
                    path.touch()  # only its name is looked at; see below
    frames = (numpy.random.default_rng(0).random((30, 64, 64, 3)) * 255).astype("uint8")
    with av.open(str(server.base / "input" / "video.mp4"), "w") as container:
        stream = container.add_stream("h264", rate=16)
        stream.width = stream.height = 64
        stream.pix_fmt = "yuv420p"
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode(None))
    shutil.copy(server.comfyui / "input" / "example.png", server.base / "input" / "example.png")


@pytest.fixture(scope="module")
def object_info(server, files):
    return server.get("/object_info")


def inputs_of(info):
    for group in ("required", "optional"):
        yield from info["input"].get(group, {}).items()


@pytest.mark.parametrize("name", SAVED)
def test_values_are_such_as_the_nodes_take(object_info, name):
    for node in to_prompt(SAVED[name], object_info).values():
        for key, (kind, *rest) in inputs_of(object_info[node["class_type"]]):
            value, options = node["inputs"].get(key), rest[0] if rest else {}
            if isinstance(value, list) or value is None:
                continue
            choices = kind if isinstance(kind, list) else options.get("options")
            if kind == "COMFY_DYNAMICCOMBO_V3":
                choices = [choice["key"] for choice in options["options"]]
            if choices:
                assert value in choices, (node["class_type"], key)
            elif kind in ("INT", "FLOAT"):
                assert options.get("min", value) <= value <= options.get("max", value), (node["class_type"], key)
        required = object_info[node["class_type"]]["input"].get("required", {})
        assert required.keys() <= node["inputs"].keys(), node["class_type"]


@pytest.mark.parametrize("name", SAVED)
def test_a_workflow_says_where_it_comes_from_and_what_it_needs(name):
    workflow = SAVED[name]
    assert name.startswith("wan-motion_")
    assert workflow["version"] == 0.4
    assert any(node["type"] == "MarkdownNote" for node in workflow["nodes"])
    assert [group["title"][:4] for group in workflow["groups"]] == [
        f"{number} - " for number in range(1, len(workflow["groups"]) + 1)
    ]
    for node in workflow["nodes"]:
        if node["type"] == "MarkdownNote":
            continue
        own = "wan-motion-chunks" if node["type"].startswith("WanMotion") else "comfy-core"
        assert node["properties"]["cnr_id"] == own
        for model in node["properties"].get("models", ()):
            assert model["name"] in node["widgets_values"]
            assert model["url"].startswith("https://huggingface.co/")
            assert model["url"].endswith(model["name"])


@pytest.mark.parametrize("name", SAVED)
def test_no_two_nodes_lie_on_each_other(name):
    boxes = [(*node["pos"], *node["size"]) for node in SAVED[name]["nodes"]]
    for index, (x, y, width, height) in enumerate(boxes):
        for left, top, across, down in boxes[index + 1 :]:
            title = 40  # pixels above a node
            apart = x + width <= left or left + across <= x or y + height <= top - title or top + down <= y - title
            assert apart, ((x, y), (left, top))


@pytest.mark.parametrize("name", ["wan-motion_tiny_prompts", "wan-motion_tiny_split_nodes"])
def test_a_tiny_workflow_makes_its_video(server, object_info, name):
    prompt = to_prompt(SAVED[name], object_info)
    outputs = server.execute(prompt)
    report = next(output["text"][0] for output in outputs.values() if "text" in output)
    assert " new frames" in report
    if name == "wan-motion_tiny_prompts":
        assert re.search("prompt 1 75 .*prompt 2 25 ", report)
    saved = {key for key, node in prompt.items() if node["class_type"] == "SaveVideo"}
    assert [output["images"][0]["filename"].endswith(".mp4") for key, output in outputs.items() if key in saved] == [
        True
    ]


@pytest.mark.parametrize("name", ["wan-motion_measure_any_video", "wan-motion_join_two_clips"])
def test_a_workflow_of_videos_runs_on_any_video(server, object_info, name):
    assert server.execute(to_prompt(SAVED[name], object_info))


@pytest.mark.parametrize("name", FULL_SIZE)
def test_a_full_size_workflow_runs_with_tiny_weights(server, object_info, name):
    prompt = to_prompt(SAVED[name], object_info)
    prompt["tiny"] = {"class_type": "WanMotionTinyModels", "inputs": {}}
    # Neither text encoder nor CLIP vision come in small.
    encoders = [key for key, node in prompt.items() if node["class_type"] in ("CLIPLoader", "CLIPVisionLoader")]
    for node in prompt.values():
        for key, value in list(node["inputs"].items()):
            if isinstance(value, list) and value[0] in encoders:
                if key == "clip":
                    node["inputs"][key] = ["tiny", 1]
                else:
                    del node["inputs"][key]
        if node["class_type"] == "WanMotionLongVideo":
            node["inputs"].update(TINY)
        if node["class_type"] == "WanMotionSettings":
            node["inputs"]["overlap_frames"] = 8
        if node["class_type"] == "WanMotionPromptStack":
            node["inputs"]["start"] /= 8
            node["inputs"]["transition"] = 0.0
    for key in encoders:
        del prompt[key]
    outputs = server.execute(prompt)
    report = next(output["text"][0] for output in outputs.values() if "text" in output)
    assert "\nchunk 2/2: 8 " in report
    assert report.splitlines()[-1].startswith("2 chunks made")
    assert ("model_low_noise" in report) == ("two_experts" in name)
    saved = next(output["images"][0] for output in outputs.values() if "images" in output)
    with av.open(str(server.base / "output" / saved["subfolder"] / saved["filename"])) as container:
        assert sum(1 for _ in container.decode(video=0)) == 25
        assert "prompt" in container.metadata
