"""The pack in a running ComfyUI, over its HTTP API."""

import json
import time

import pytest
from wan_motion_chunks.tests.log_lines import CONDITIONED, PREPARED, PREPARING, shape_line
from wan_motion_chunks.tests.reports import read_report

PREFIX = "WanMotion"


@pytest.fixture(scope="module")
def object_info(server):
    return server.get("/object_info")


@pytest.fixture(scope="module")
def prompt(object_info):
    """The first run with five short chunks, which are not kept."""
    from wan_motion_chunks.tools.workflow import EXAMPLES, load_prompt

    prompt = load_prompt(EXAMPLES / "Tiny_first_run.json", object_info)
    short = {key: node for key, node in prompt.items() if node["class_type"] != "WanMotionKeepRun"}
    inputs = node_of(short, "WanMotionLongVideo")["inputs"]
    del inputs["run"]
    inputs.update(length=49.0, chunk_frames=17)
    return short


def shown_inputs(info):
    return [group for kind, group in info["input"].items() if kind != "hidden"]  # which the host adds to output nodes


def node_of(prompt, class_type):
    return next(node for node in prompt.values() if node["class_type"] == class_type)


def changed(prompt, class_type="WanMotionLongVideo", **inputs):
    copy = json.loads(json.dumps(prompt))
    node_of(copy, class_type)["inputs"].update(inputs)
    return copy


def test_every_node_is_known_and_every_input_and_output_is_explained(object_info):
    ours = {name: info for name, info in object_info.items() if name.startswith(PREFIX)}
    left_to_the_host = {"WanMotionLoadOpticalFlow"} if "OpticalFlowLoader" in object_info else set()
    assert set(ours) | left_to_the_host == {
        "WanMotionLongVideo",
        "WanMotionLongVideoCustom",
        "WanMotionSettings",
        "WanMotionOptions",
        "WanMotionKeepRun",
        "WanMotionLoadRun",
        "WanMotionPromptStack",
        "WanMotionConditioningStack",
        "WanMotionLoraStack",
        "WanMotionPlanVideo",
        "WanMotionGuideNextChunk",
        "WanMotionFinishChunk",
        "WanMotionAssembleVideo",
        "WanMotionBridgeClips",
        "WanMotionJoinClips",
        "WanMotionMatchColor",
        "WanMotionMeasureSeams",
        "WanMotionGaussianBlendMask",
        "WanMotionSlowRope",
        "WanMotionEstimateFlow",
        "WanMotionFlowToImage",
        "WanMotionLoadOpticalFlow",
        "WanMotionPredictMotion",
        "WanMotionWarpLatent",
        "WanMotionTinyModels",
        "WanMotionTinyScene",
    }
    for name, info in ours.items():
        assert info["description"], name
        for group in shown_inputs(info):
            for key, declared in group.items():
                assert declared[1].get("tooltip"), f"{name}.{key} has no tooltip"
        assert all(info["output_tooltips"]), name
        assert all(output.islower() for output in info["output_name"]), name


def test_what_is_for_experts_is_marked_for_the_front_end_to_fold_away(object_info):
    marked = {
        name: {key for group in shown_inputs(info) for key, declared in group.items() if declared[1].get("advanced")}
        for name, info in object_info.items()
        if name.startswith(PREFIX)
    }
    assert marked["WanMotionLongVideo"] == marked["WanMotionBridgeClips"] == {"cfg_low_noise"}
    assert marked["WanMotionSettings"] == {"lora_at_rest", "lora_in_motion", "estimator"}
    assert not marked["WanMotionKeepRun"]


def test_help_pages_and_translations_are_those_of_the_nodes(reference_host, object_info):
    from wan_motion_chunks.tools.pages import build

    stale = [path.name for path, text in build(object_info).items() if path.read_text(encoding="utf-8") != text]
    assert not stale, f"{stale} differ from the nodes: run python dev.py pages"


def test_the_examples_are_what_their_source_says(reference_host, object_info):
    from wan_motion_chunks.tools.examples import BLUEPRINTS, WORKFLOWS
    from wan_motion_chunks.tools.workflow import EXAMPLES

    for make in BLUEPRINTS:
        saved = json.loads(make().path.read_text(encoding="utf-8"))
        assert saved == json.loads(json.dumps(make().build(object_info))), "run python dev.py examples"
    for make in WORKFLOWS:
        workflow = make()
        saved = json.loads((EXAMPLES / f"{workflow.name}.json").read_text(encoding="utf-8"))
        assert saved == json.loads(json.dumps(workflow.build(object_info))), "run python dev.py examples"
    assert {make().name for make in WORKFLOWS} == {path.stem for path in EXAMPLES.glob("*.json")}


def test_the_host_serves_a_help_page_and_the_translations(server):
    page = server.text("/extensions/wan-motion-chunks/docs/WanMotionLongVideo.md")
    assert page.splitlines()[0] == "# Long Video (Wan Motion)"
    words = server.get("/i18n")
    assert words["zh"]["nodeDefs"]["WanMotionLongVideo"]["display_name"] == "\u957f\u89c6\u9891 (Wan Motion)"


def test_the_examples_are_listed_as_templates(server):
    from wan_motion_chunks.tools.workflow import EXAMPLES

    listed = server.get("/workflow_templates")["wan-motion-chunks"]
    assert set(listed) == {path.stem for path in EXAMPLES.glob("*.json")}


def test_the_blueprints_are_listed(server):
    from wan_motion_chunks.tools.examples import BLUEPRINTS

    listed = server.get("/global_subgraphs").values()
    ours = {entry["name"] for entry in listed if entry["info"]["node_pack"].endswith("wan-motion-chunks")}
    assert ours == {make().path.stem for make in BLUEPRINTS}


def test_the_optical_flow_example_shows_its_pictures(server, object_info):
    from wan_motion_chunks.tools.workflow import EXAMPLES, load_prompt

    outputs = server.execute(load_prompt(EXAMPLES / "Tiny_optical_flow.json", object_info))
    assert [len(output["images"]) for output in outputs.values() if "images" in output] == [16, 16, 16]


def test_measure_seams_runs_with_no_node_behind_it(server):
    picture = {"class_type": "EmptyImage", "inputs": {"width": 64, "height": 64, "batch_size": 9, "color": 0x204060}}
    measure = {"class_type": "WanMotionMeasureSeams", "inputs": {"images": ["picture", 0], "seams": "4"}}
    assert len(server.execute({"picture": picture, "measure": measure})["measure"]["images"]) == 1


def test_a_first_run_makes_a_video_of_five_chunks(server, prompt):
    outputs = server.execute(prompt)
    report = next(output["text"][0] for output in outputs.values() if "text" in output)
    rows = read_report(report).rows
    assert [int(row[0]) for row in rows] == [1, 2, 3, 4, 5]
    assert [row[1].split()[0] for row in rows] == ["0", "17", "25", "33", "41"]
    assert report.count("level motion") + report.count("level overlap_pinned") == 4
    assert report.count("level motion") >= 2
    saved = next(output["images"][0] for output in outputs.values() if "images" in output)
    assert (server.base / "output" / saved["subfolder"] / saved["filename"]).stat().st_size > 1000


def test_an_equal_prompt_is_answered_from_the_hosts_cache(server, prompt):
    server.execute(prompt)
    entry = server.wait(server.queue(prompt))
    cached = next(data["nodes"] for event, data in entry["status"]["messages"] if event == "execution_cached")
    long_video = next(key for key, node in prompt.items() if node["class_type"] == "WanMotionLongVideo")
    assert long_video in cached


def test_a_wrong_input_fails_with_our_message(server, prompt):
    from wan_motion_chunks.tools.server import HostError

    with pytest.raises(HostError, match=r"^WanMotionLongVideo: ValueError: overlap_frames .*17"):
        server.execute(changed(prompt, "WanMotionSettings", overlap_frames=17))


def test_an_interrupt_ends_the_run_as_interrupted(server, prompt):
    from wan_motion_chunks.tools.server import failure

    before = server.log_text().count(PREPARED)
    prompt_id = server.queue(changed(prompt, seed=99, length=100000.0))
    deadline = time.monotonic() + 120
    while server.log_text().count(PREPARED) == before:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    server.post("/interrupt")
    assert failure(server.wait(prompt_id, 60)) == "WanMotionLongVideo: interrupted"


def test_the_seeds_lines_are_in_the_hosts_log(server, prompt):
    before = len(server.log_text())
    server.execute(changed(prompt, seed=5))
    log = server.log_text()[before:]
    for line in (PREPARING, PREPARED, shape_line(1, 16, 5, 8, 8), CONDITIONED):
        assert line in log
