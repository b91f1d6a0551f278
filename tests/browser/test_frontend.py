"""What a newcomer sees: templates, every node in both renderers, a first run from template to video."""

import json
import re

import pytest
from wan_motion_chunks.tests.browser.scripts import LINK_LENGTH, OPEN, OPEN_SHORT, SEE, SHOW, TYPE
from wan_motion_chunks.tools.browser import LOADED
from wan_motion_chunks.tools.environment import HOST_VERSION
from wan_motion_chunks.tools.examples import BLUEPRINTS
from wan_motion_chunks.tools.workflow import EXAMPLES, WIDGETS, type_of

NAMES = sorted(path.stem for path in EXAMPLES.glob("*.json"))
PROBE = """async ([types, vue]) => {
    await window.app.extensionManager.setting.set("Comfy.VueNodes.Enabled", vue);
    window.app.graph.clear();
    const made = {};
    for (const type of types) {
        const node = window.LiteGraph.createNode(type);
        window.app.graph.add(node);
        for (const widget of node.widgets ?? []) {
            const options = widget.options ?? {};
            if (["control_after_generate", "timeline"].includes(widget.name)) continue;
            if (widget.type === "number") widget.value = Math.min(options.max ?? 1, Math.max(options.min ?? 0, 1));
            else if (widget.type === "combo") widget.value = (options.values ?? [])[options.values?.length - 1];
            else if (widget.type === "toggle") widget.value = !widget.value;
            else if (typeof widget.value === "string") widget.value = "1: words";
        }
        made[type] = {
            inputs: (node.inputs ?? []).filter((slot) => !slot.widget).map((slot) => slot.name),
            outputs: (node.outputs ?? []).map((slot) => slot.name),
            size: [...node.computeSize()],
        widgets: Object.fromEntries((node.widgets ?? []).map((widget) => [widget.name, widget.value])),
        };
    }
    const saved = JSON.parse(JSON.stringify(window.app.graph.serialize()));
    await window.app.loadGraphData(saved, true, false);
    const again = {};
    for (const node of window.app.graph.nodes) {
        again[node.type] = Object.fromEntries((node.widgets ?? []).map((widget) => [widget.name, widget.value]));
    }
    return [made, again];
}"""


@pytest.mark.parametrize("name", NAMES)
def test_a_template_opens_without_errors_and_keeps_its_values(page, server, name):
    reference = server.get("/system_stats")["system"]["comfyui_version"] == HOST_VERSION
    nodes = page.evaluate(OPEN, name)
    saved = json.loads((EXAMPLES / f"{name}.json").read_text(encoding="utf-8"))
    assert sorted(node["type"] for node in nodes) == sorted(node["type"] for node in saved["nodes"])
    assert not [node for node in nodes if node["missing"]]
    for shown, kept in zip(nodes, saved["nodes"], strict=True):
        if reference or kept["type"].startswith("WanMotion"):  # the host's own nodes have more widgets elsewhere
            assert all(need <= given for need, given in zip(shown["size"], kept["size"], strict=True)), (
                kept["type"],
                shown["size"],
                kept["size"],
            )
        named = kept.get("widgets_values_named", {})
        same = {key: value for key, value in named.items() if key in shown["widgets"] and key != "upload"}
        assert {key: shown["widgets"][key] for key in same} == same, kept["type"]
    assert page.errors == [], "\n".join(sorted(set(page.errors)))


@pytest.mark.parametrize("vue", [False, True], ids=["canvas", "nodes 2.0"])
def test_every_node_mounts_and_survives_save_and_reload(page, server, vue):
    info = {name: found for name, found in server.get("/object_info").items() if name.startswith("WanMotion")}
    made, again = page.evaluate(PROBE, [sorted(info), vue])
    page.wait_for_timeout(500)
    for name, found in info.items():
        declared = {**found["input"].get("required", {}), **found["input"].get("optional", {})}
        plain = [key for key, (kind, *_) in declared.items() if type_of(kind) not in WIDGETS]
        assert sorted(made[name]["inputs"]) == sorted(plain), name
        assert made[name]["outputs"] == found["output_name"], name
        assert again[name] == made[name]["widgets"], name
    if vue:
        assert page.locator("[data-node-id]").count() == len(info)
    assert page.errors == [], "\n".join(sorted(set(page.errors)))


@pytest.mark.parametrize("make", BLUEPRINTS)
def test_a_blueprint_is_one_node_whose_widgets_reach_the_nodes_inside(page, make):
    blueprint = make()
    shown, prompt = page.evaluate(
        """async (blueprint) => {
            await window.app.loadGraphData(blueprint, true, true, "blueprint");
            const [node] = window.app.graph.nodes;
            const shown = Object.fromEntries(node.widgets.map((widget) => [widget.name, widget.value]));
            node.widgets.find((widget) => widget.name === "length").value = 33;
            return [shown, (await window.app.graphToPrompt()).output];
        }""",
        json.loads(blueprint.path.read_text(encoding="utf-8")),
    )
    assert set(shown) == set(blueprint.inputs) - {"start_image"}
    (inside,) = (node["inputs"] for node in prompt.values() if node["class_type"] == "WanMotionLongVideo")
    node, _ = blueprint.inputs["length"]
    assert inside["length"] == 33
    assert {key: inside[key] for key in node.values if key != "length"} == {
        key: value for key, value in node.values.items() if key != "length"
    }
    assert inside["width"] == 832
    assert len(prompt) == len(blueprint.workflow.nodes)
    assert page.errors == [], "\n".join(sorted(set(page.errors)))


@pytest.mark.parametrize("vue", [False, True], ids=["canvas", "nodes 2.0"])
def test_a_newcomer_gets_from_the_template_browser_to_a_video(fresh_page, vue):
    fresh_page.evaluate(SHOW, vue)
    fresh_page.evaluate("() => window.app.extensionManager.command.execute('Comfy.BrowseTemplates')")
    fresh_page.get_by_text("wan-motion-chunks", exact=False).first.click()
    fresh_page.get_by_text("Tiny_first_run", exact=False).first.click()
    fresh_page.wait_for_function("() => window.app.graph.nodes.some((node) => node.type === 'WanMotionLongVideo')")
    fresh_page.evaluate(TYPE, ["WanMotionLongVideo", "seed", int(vue)])  # the host would not make the same video again
    fresh_page.evaluate(TYPE, ["WanMotionLongVideo", "steps", 10])
    fresh_page.evaluate(
        """() => {
            window.wanMotionSeen = [];
            window.app.api.addEventListener("progress", ({ detail }) => window.wanMotionSeen.push(detail));
        }"""
    )
    fresh_page.evaluate("() => window.app.extensionManager.command.execute('Comfy.QueuePrompt')")
    fresh_page.wait_for_function(
        "() => window.app.graph.nodes.some((node) => node.type === 'SaveVideo' && window.app.nodeOutputs[node.id])",
        timeout=180_000,
    )
    report = fresh_page.evaluate(
        "() => window.app.graph.nodes.find((node) => node.type === 'PreviewAny').widgets.map((w) => w.value).join()"
    )
    assert re.search(r"\b105 frames .*3 .*41", report)
    steps = [
        (seen["value"], seen["max"]) for seen in fresh_page.evaluate("() => window.wanMotionSeen") if seen["max"] > 1
    ]
    assert steps == sorted(steps)
    assert len(set(steps)) > 20
    (whole,) = {largest for _, largest in steps}  # one bar over all chunks
    assert steps[-1] == (whole, whole)
    video = fresh_page.locator("video").first
    video.wait_for()
    fresh_page.wait_for_function("() => document.querySelector('video').duration > 0")
    assert video.evaluate("(shown) => shown.duration") == pytest.approx(105 / 16, abs=0.1)
    fresh_page.evaluate(SEE)
    timeline = fresh_page.locator(".wan-motion-timeline")
    assert timeline.locator(".head").text_content() == "105 frames, 6.6 s, 3 chunks"
    seams, words = timeline.locator(".seam"), timeline.locator(".words")
    assert seams.count() == 2
    for index in range(2):
        assert seams.nth(index).get_attribute("class").split()[1] in ("looks-uncut", "visible", "obvious")
    seams.first.wait_for()  # what is hidden takes no focus
    seams.first.focus()
    fresh_page.keyboard.press("Enter")
    assert words.text_content().startswith("seam before frame 41: ")
    assert "chunk 2/3: 32 " in words.text_content()
    picture = timeline.locator(".media img")
    picture.wait_for()
    # Four frames of 64 x 64 and a gap of 8.
    assert picture.evaluate("(image) => image.decode().then(() => [image.naturalWidth, image.naturalHeight])") == [
        264,
        64,
    ]
    assert fresh_page.errors == [], "\n".join(sorted(set(fresh_page.errors)))


@pytest.mark.parametrize("vue", [False, True], ids=["canvas", "nodes 2.0"])
def test_the_timeline_shows_the_plan_as_it_is_changed(page, vue):
    page.evaluate(SHOW, vue)
    page.evaluate(OPEN_SHORT)
    head, bars = page.locator(".wan-motion-timeline .head"), page.locator(".wan-motion-timeline .chunk")
    for node, name, value, expected, chunks in (
        ("WanMotionLongVideo", "fps", 16, "49 frames, 3.1 s", 5),
        ("WanMotionSettings", "continuity", "last_frame", "49 frames, 3.1 s", 3),
        ("WanMotionSettings", "continuity", "auto", "49 frames, 3.1 s", 5),
        ("WanMotionSettings", "overlap_frames", 4, "49 frames, 3.1 s", 4),
        ("WanMotionLongVideo", "chunk_frames", 33, "49 frames, 3.1 s", 2),
        ("WanMotionSettings", "overlap_frames", 0, "49 frames, 3.1 s", 2),
        ("WanMotionSettings", "preset", "Fast motion", "49 frames, 3.1 s", 3),
        ("WanMotionLongVideo", "length", 97, "97 frames, 6.1 s", 9),
        ("WanMotionLongVideo", "fps", 8, "97 frames, 12.1 s", 9),
        ("WanMotionLongVideo", "length_unit", "seconds", "776 frames, 97.0 s", 94),
    ):
        page.evaluate(TYPE, [node, name, value])
        assert head.text_content() == f"{expected}, {chunks} chunks", (node, name, value)
        assert bars.count() == chunks
    assert page.errors == [], "\n".join(sorted(set(page.errors)))


def test_the_timeline_of_an_opened_workflow_is_of_its_settings_wherever_they_stand(page):
    page.evaluate(OPEN_SHORT)
    page.evaluate(TYPE, ["WanMotionSettings", "continuity", "last_frame"])
    page.evaluate(
        """async () => {
            const saved = JSON.parse(JSON.stringify(window.app.graph.serialize()));
            saved.nodes.reverse();
            await window.app.loadGraphData(saved, true, true, "reversed");
        }"""
    )
    assert page.locator(".wan-motion-timeline .head").text_content() == "49 frames, 3.1 s, 3 chunks"


def test_the_timeline_does_not_guess_what_comes_from_elsewhere(page):
    page.evaluate(OPEN_SHORT)
    page.evaluate(LINK_LENGTH)
    page.get_by_text("the plan depends on what is connected; it is shown after a run", exact=True).wait_for(
        state="attached"
    )


def test_the_nodes_help_is_the_packs_own(page):
    text = page.evaluate("async () => (await fetch('/extensions/wan-motion-chunks/docs/WanMotionSettings.md')).text()")
    assert text.startswith("# Settings (Wan Motion)")
    assert "**Fast motion**" in text


def test_chinese_words_are_shown(fresh_page, request):
    if request.node.callspec.params["server"] == "own":
        pytest.skip("its front end, 1.32.9, loads its own Chinese words over those of packs")
    try:
        fresh_page.evaluate("() => window.app.extensionManager.setting.set('Comfy.Locale', 'zh')")
        fresh_page.reload()
        fresh_page.wait_for_function(LOADED)
        fresh_page.wait_for_function(
            "(title) => window.LiteGraph.registered_node_types.WanMotionLongVideo?.title === title",
            arg="\u957f\u89c6\u9891 (Wan Motion)",
        )
        label = fresh_page.evaluate(
            """() => {
                const node = window.LiteGraph.createNode("WanMotionLongVideo");
                return node.widgets.find((widget) => widget.name === "width").label;
            }"""
        )
        assert label == "\u5bbd\u5ea6"
    finally:
        fresh_page.evaluate("() => window.app.extensionManager.setting.set('Comfy.Locale', 'en')")
