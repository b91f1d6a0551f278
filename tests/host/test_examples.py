"""Every example workflow in the running host: the tiny ones as they are, the others with tiny weights in disguise."""

import json
import re
import shutil

import av
import numpy
import pytest
import torch
from wan_motion_chunks.tests.host.weights import random_vace
from wan_motion_chunks.tests.reports import read_report
from wan_motion_chunks.tools.examples import WORKFLOWS
from wan_motion_chunks.tools.workflow import EXAMPLES, SWITCH, switch, to_prompt

SAVED = {make().name: json.loads((EXAMPLES / f"{make().name}.json").read_text(encoding="utf-8")) for make in WORKFLOWS}
FULL_SIZE = sorted(name for name in SAVED if name.startswith("Wan2"))
SWITCHED = [name for name in SAVED if any(group["title"].endswith(SWITCH) for group in SAVED[name]["groups"])]
MAKING = ("WanMotionLongVideo", "WanMotionBridgeClips")
CLIP = 30
"""Frames of the video that stands in for any."""
TINY = {"width": 32, "height": 32, "length": 25.0, "length_unit": "frames", "chunk_frames": 17, "steps": 2}
OFFICIAL = {
    "Wan21_long_video": (20, 6.0, "uni_pc", 0, 8.0, 832, 480),
    "Wan21_first_last_frame": (20, 3.0, "uni_pc", 0, 8.0, 720, 1280),
    "Wan21_VACE": (20, 6.0, "uni_pc", 0, 8.0, 512, 512),
    "Wan22_4_step_long_video": (20, 3.5, "euler", 8, 5.0, 640, 640),
    "Wan22_first_last_frame": (20, 4.0, "euler", 10, 8.0, 640, 640),
    "Wan22_SVI_long_video": (20, 4.0, "euler", 8, 5.0, 640, 640),
    "Wan22_extend_a_video": (20, 3.5, "euler", 8, 5.0, 640, 640),
    "Wan22_bridge_two_clips": (20, 4.0, "euler", 10, 8.0, None, None),
}
"""Steps, cfg, sampler, first step of the second expert, shift, width and height, as the host's own templates have them,
but for that step at shift 5: by the noise level of the model's authors it is 8, there 10. Those of Wan2.1 I2V 480p with
the size that the model is made for, SVI as its authors run it. Bridged clips have a size of their own."""
FEW = {
    "Wan21_VACE": (6, 1.0, "uni_pc", 0, 8.0),
    "Wan22_4_step_long_video": (4, 1.0, "euler", 2, 5.0),
    "Wan22_first_last_frame": (4, 1.0, "euler", 2, 5.0),
    "Wan22_SVI_long_video": (6, 1.0, "euler", 3, 5.0),
    "Wan22_extend_a_video": (4, 1.0, "euler", 2, 5.0),
    "Wan22_bridge_two_clips": (4, 1.0, "euler", 2, 5.0),
}
"""The same, with few steps."""


@pytest.fixture(scope="module")
def files(server, comfy):
    """Tiny weights under the names of the large ones, a LoRA, a picture and a video, where the host looks for them."""
    import comfy.utils
    from wan_motion_chunks.tiny import TRANSFORMER, VAE

    weights = comfy.utils.load_torch_file(str(TRANSFORMER))
    plain = {name: value for name, value in weights.items() if not re.search(r"img_emb|[kv]_img", name)}
    prefix = next(name for name in weights if name.endswith("img_emb.proj.0.bias")).removesuffix("img_emb.proj.0.bias")
    disguises = {
        "flf2v": weights | {f"{prefix}img_emb.emb_pos": torch.zeros(1, 514, 1280)},
        "vace": random_vace(),
        "wan2.2": plain,
        "": weights,
    }
    key = next(name for name in weights if name.endswith("blocks.0.self_attn.v.weight")).removesuffix(".weight")
    out, into = weights[f"{key}.weight"].shape
    layer = f"diffusion_model.{key}"
    lora = {f"{layer}.lora_up.weight": torch.ones(out, 1) * 0.01, f"{layer}.lora_down.weight": torch.ones(1, into)}
    for workflow in SAVED.values():
        for node in workflow["nodes"]:
            for model in node["properties"].get("models", ()):
                path = server.base / "models" / model["directory"] / model["name"]
                path.parent.mkdir(parents=True, exist_ok=True)
                if model["directory"] == "vae":
                    shutil.copy(VAE, path)
                elif model["directory"] == "diffusion_models":
                    kind = next(kind for kind in disguises if kind in path.name)
                    comfy.utils.save_torch_file(disguises[kind], str(path))
                elif model["directory"] == "loras":
                    comfy.utils.save_torch_file(lora, str(path))
                else:
                    path.touch()  # only its name is looked at; see below
    frames = (numpy.random.default_rng(0).random((CLIP, 64, 64, 3)) * 255).astype("uint8")
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


def prompt_of(name, object_info, on):
    """What is queued of a template whose switch, if it has one, is on or off."""
    return to_prompt(switch(SAVED[name], on), object_info)


def inputs_of(info):
    for group in ("required", "optional"):
        yield from info["input"].get(group, {}).items()


@pytest.mark.parametrize("name", SAVED)
def test_values_are_such_as_the_nodes_take(object_info, name):
    for node in prompt_of(name, object_info, on=True).values():
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
            noise = re.search("high|low", model["name"].lower()) if name.startswith("Wan22") else None
            if noise:
                assert node["title"].endswith(f"{noise[0]} noise)")
            if model["directory"] == "vae":
                assert ("Wan_2.2" in model["url"]) == name.startswith("Wan22")


@pytest.mark.parametrize("name", SAVED)
def test_no_two_nodes_lie_on_each_other(name):
    boxes = [(*node["pos"], *node["size"]) for node in SAVED[name]["nodes"]]
    for index, (x, y, width, height) in enumerate(boxes):
        for left, top, across, down in boxes[index + 1 :]:
            title = 40  # pixels above a node
            apart = x + width <= left or left + across <= x or y + height <= top - title or top + down <= y - title
            assert apart, ((x, y), (left, top))


@pytest.mark.parametrize("name", ["Tiny_first_run", "Tiny_prompts", "Tiny_split_nodes"])
def test_a_tiny_workflow_makes_its_video(server, object_info, name):
    prompt = to_prompt(SAVED[name], object_info)
    outputs = server.execute(prompt)
    report = next(output["text"][0] for output in outputs.values() if "text" in output)
    rows = read_report(report).rows
    assert [row[0] for row in rows] == [str(number + 1) for number in range(len(rows))]
    if name == "Tiny_prompts":
        assert [re.findall("[0-9]+ %", row[2]) for row in rows[2:4]] == [["75 %", "25 %"], ["25 %", "75 %"]]
    saved = {key for key, node in prompt.items() if node["class_type"] == "SaveVideo"}
    assert [output["images"][0]["filename"].endswith(".mp4") for key, output in outputs.items() if key in saved] == [
        True
    ]


@pytest.mark.parametrize(("on", "lengths"), [(False, [105]), (True, [105, 105 + 64])], ids=["look", "go on"])
def test_a_kept_run_is_shown_saved_and_continued(server, object_info, on, lengths):
    server.execute(to_prompt(SAVED["Tiny_first_run"], object_info))
    outputs = server.execute(prompt_of("Tiny_load_a_kept_run", object_info, on))
    saved = [output["images"][0] for output in outputs.values() if "images" in output]
    found = []
    for file in saved:
        if file["filename"].endswith(".mp4"):
            with av.open(str(server.base / "output" / file["subfolder"] / file["filename"])) as container:
                found.append(sum(1 for _ in container.decode(video=0)))
    assert sorted(found) == lengths


@pytest.mark.parametrize("name", ["Measure_any_video", "Join_two_clips"])
def test_a_workflow_of_videos_runs_on_any_video(server, object_info, name):
    assert server.execute(to_prompt(SAVED[name], object_info))


def takes_over(shift, steps):
    """The first step below the noise level 0.9, of the host's schedule simple."""
    levels = [1 - step / steps for step in range(steps)]
    return sum(shift * level / (1 + (shift - 1) * level) >= 0.9 for level in levels)


@pytest.mark.parametrize("few", [False, True], ids=["many steps", "few steps"])
@pytest.mark.parametrize("name", OFFICIAL)
def test_a_template_is_set_as_the_official_one(object_info, name, few):
    prompt = prompt_of(name, object_info, few)

    def value(node, key):
        found = node["inputs"][key]
        return prompt[found[0]]["inputs"]["value"] if isinstance(found, list) else found

    made = next(node for node in prompt.values() if node["class_type"] in MAKING)
    shifts = {value(node, "shift") for node in prompt.values() if node["class_type"] == "ModelSamplingSD3"}
    steps, cfg, sampler = (value(made, key) for key in ("steps", "cfg", "sampler_name"))
    switch = takes_over(*shifts, steps) if "model_low_noise" in made["inputs"] else 0
    found = (steps, cfg, sampler, switch, *shifts, *map(made["inputs"].get, ("width", "height")))
    expected = OFFICIAL[name]
    assert found == (FEW.get(name, expected[:5]) if few else expected[:5]) + expected[5:]
    assert made["inputs"]["scheduler"] == "simple"
    assert made["inputs"]["negative_prompt"].startswith("\u8272\u8c03\u8273\u4e3d")


@pytest.mark.parametrize("few", [False, True], ids=["many steps", "few steps"])
@pytest.mark.parametrize("name", FULL_SIZE)
def test_a_full_size_workflow_runs_with_tiny_weights(server, object_info, name, few):
    if few and name not in SWITCHED:
        pytest.skip("has no switch")
    prompt = prompt_of(name, object_info, few)
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
        if node["class_type"] in MAKING:
            node["inputs"].update(TINY if "length" in node["inputs"] else {"frames": 8, "steps": 2})
            if "source" in node["inputs"]:
                node["inputs"]["length"] = 16.0
        if node["class_type"] == "WanMotionSettings":
            node["inputs"]["overlap_frames"] = 0 if "SVI" in name else 8
        if node["class_type"] == "WanMotionPromptStack":
            node["inputs"]["start"] /= 8
            node["inputs"]["transition"] = 0.0
    for key in encoders:
        del prompt[key]
    outputs = server.execute(prompt)
    report = next(output["text"][0] for output in outputs.values() if "text" in output)
    chunks, total = {"bridge": (1, CLIP + 8 + CLIP), "extend": (2, CLIP + 16)}.get(name.split("_")[1], (2, 25))
    read = read_report(report)
    assert len(read.rows) == chunks
    assert any(detail.startswith(f"chunk {chunks}/{chunks}: {16 if chunks == 1 else 8} ") for detail in read.details)
    assert ("level svi" in report) == ("SVI" in name)
    assert [int(word) for word in re.findall("[0-9]+", read.summary)[:2]] == [chunks, chunks]
    assert any("model_low_noise" in detail for detail in read.details) == name.startswith("Wan22")
    made = next(output["images"][0] for output in outputs.values() if "images" in output)
    with av.open(str(server.base / "output" / made["subfolder"] / made["filename"])) as container:
        assert sum(1 for _ in container.decode(video=0)) == total
        assert "prompt" in container.metadata
