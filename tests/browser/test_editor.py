"""The timeline as an editor: chunks fill in, play, and are made again, told something else, chosen, stopped."""

import json
import re
import time

import pytest
from wan_motion_chunks.tests.browser.scripts import LINK_LENGTH, OPEN_SHORT, SEE, SHOW, TYPE

PROMPT = "an orange square moves down"
SET_UP = """([name, prompt]) => {
    const { graph } = window.app;
    const node = graph.nodes.find((each) => each.type === "WanMotionLongVideo");
    const keep = window.LiteGraph.createNode("WanMotionKeepRun");
    graph.add(keep);
    keep.widgets.find((each) => each.name === "run_name").value = name;
    keep.connect(0, node, node.findInputSlot("run"));
    node.disconnectInput(node.findInputSlot("prompt"));
    node.widgets.find((each) => each.name === "prompt").value = prompt;
    window.wanMotionSeen = [];
    window.app.api.addEventListener("progress_text", ({ detail }) => window.wanMotionSeen.push(detail));
}"""
WIDGETS = """(type) => {
    const node = window.app.graph.nodes.find((each) => each.type === type);
    const plain = node.widgets.filter((widget) => widget.name !== "timeline");
    return Object.fromEntries(plain.map((widget) => [widget.name, widget.value]));
}"""
SAVE = """() => {
    const saved = JSON.stringify(window.app.graph.serialize());
    window.sessionStorage.setItem("wanMotionSaved", saved);
}"""
OPEN_SAVED = """async () => {
    const saved = JSON.parse(window.sessionStorage.getItem("wanMotionSaved"));
    await window.app.loadGraphData(saved, true, true, "again");
}"""
OPEN_COPY = """async () => {
    const saved = JSON.parse(window.sessionStorage.getItem("wanMotionSaved"));
    await window.app.loadGraphData({ ...saved, id: crypto.randomUUID() }, true, true, "copy");
}"""
QUEUE = "() => window.app.extensionManager.command.execute('Comfy.QueuePrompt')"
ONE_MADE = """() => {
    const root = document.querySelector(".wan-motion-timeline");
    const origins = [...root.querySelectorAll(".chunk")].map((bar) => bar.classList[1]);
    return origins.filter((each) => each === "made").length === 1 && [root.querySelector(".now").textContent, origins];
}"""
LOOK_BACK = "**/api/history?max_items=16"
SECONDS = 90
ORIGINS = "(bars) => bars.map((bar) => bar.classList[1])"
STANDS = """(root) => {
    const bars = [...root.querySelectorAll(".chunk")];
    return root.querySelector(".now").textContent || bars.map((bar) => bar.classList[1]);
}"""
"""How far a run is, else its chunks: both at once, since a run of kept chunks may begin between two questions."""


class Editor:
    """A long video of three chunks, 17 frames and 12 more each, kept as a run."""

    def __init__(self, page, server, name):
        self.page, self.name = page, name
        self.folder = server.base / "output" / "wan_motion_runs" / name
        self.root = page.locator(".wan-motion-timeline")
        self.chunks, self.words = self.root.locator(".chunk"), self.root.locator(".words")
        page.evaluate(OPEN_SHORT)
        for node, values in (
            ("WanMotionSettings", {"overlap_frames": 4}),
            ("WanMotionLongVideo", {"length": 41, "steps": 3, "seed": 5}),
        ):
            for widget, value in values.items():
                page.evaluate(TYPE, [node, widget, value])
        page.evaluate(SET_UP, [name, PROMPT])
        page.evaluate(SEE)

    def queue(self):
        self.page.evaluate(QUEUE)

    def reload(self):
        self.page.reload()
        loaded = "() => window.app?.graph && window.app?.extensionManager?.workflow?.activeWorkflow"
        self.page.wait_for_function(loaded)
        self.page.wait_for_timeout(1000)

    def hold_answers(self):
        """Load the page anew, and hold back what the host tells it of earlier runs."""
        self.answers = []
        self.page.unroute_all()
        self.page.route(LOOK_BACK, lambda route: self.answers.append(route))
        self.reload()

    def let_answers_through(self):
        self.page.wait_for_timeout(500)
        assert self.answers
        self.page.errors.clear()  # what the front end logs by itself while it starts
        with self.page.expect_response(LOOK_BACK):
            for route in self.answers:
                route.continue_()
        self.page.wait_for_timeout(500)

    def pick(self, number):
        self.chunks.nth(number - 1).focus()
        self.page.keyboard.press("Enter")

    def press(self, words):
        self.root.get_by_role("button", name=words, exact=True).focus()
        self.page.keyboard.press("Enter")

    def wait_until(self, origins):
        """Wait until a run has ended with each chunk as it is called here."""
        found, deadline = None, time.monotonic() + SECONDS
        while found != origins and time.monotonic() < deadline:
            self.page.wait_for_timeout(200)
            found = self.root.evaluate(STANDS)
        assert found == origins, (found, self.words.text_content(), self.widgets("vary_from", "use_takes"))

    def widgets(self, *names, of="WanMotionKeepRun"):
        found = self.page.evaluate(WIDGETS, of)
        return [found[name] for name in names]

    def takes(self):
        """Of each chunk of the video the take that makes it, as the run's manifest says."""
        return [chunk["take"] for chunk in json.loads((self.folder / "run.json").read_text())["chunks"]]

    def kept_run(self):
        """Make the video once."""
        self.queue()
        self.wait_until(["made"] * 3)


@pytest.fixture(params=[False, True], ids=["canvas", "nodes 2.0"])
def editor(page, server, request):
    page.evaluate(SHOW, request.param)
    name = re.sub(r"\W+", "-", request.node.name.removeprefix("test_"))[-60:].strip("-")
    yield Editor(page, server, name)
    assert page.errors == [], "\n".join(sorted(set(page.errors)))


def test_chunks_fill_in_while_the_video_is_made_and_play_then(editor):
    page = editor.page
    page.evaluate(TYPE, ["WanMotionLongVideo", "steps", 12])  # so that there is time to look
    assert editor.root.locator(".disk").text_content()
    editor.queue()
    words, origins = page.wait_for_function(ONE_MADE, timeout=60_000).json_value()
    assert origins == ["made", "making", "planned"]
    assert re.fullmatch(r"\D+2\D+3, \d+ s \w+", words)
    still = editor.chunks.first.locator("img")
    assert still.evaluate("(image) => image.decode().then(() => image.naturalWidth)") == 64
    page.evaluate(
        """() => {
            window.wanMotionPlayed = [];
            const note = ({ target }) => window.wanMotionPlayed.push(new URL(target.src).searchParams.get("filename"));
            document.addEventListener("play", note, true);
        }"""
    )
    editor.press("video so far")
    editor.wait_until(["made"] * 3)
    page.wait_for_function("() => window.wanMotionPlayed.length === 3", timeout=30_000)
    assert [name[:10] for name in page.evaluate("() => window.wanMotionPlayed")] == [f"chunk_000{n}" for n in (1, 2, 3)]
    editor.pick(2)
    film = editor.root.locator("video")
    page.wait_for_function("() => document.querySelector('.wan-motion-timeline video').currentTime > 0")
    assert film.evaluate("(video) => [video.muted, video.loop, video.controls]") == [True, True, True]
    assert film.evaluate("(video) => video.duration") == pytest.approx(12 / 16, abs=0.02)
    node = page.evaluate("() => String(window.app.graph.nodes.find((each) => each.type === 'WanMotionLongVideo').id)")
    seen = page.evaluate("() => window.wanMotionSeen")
    assert {each["nodeId"] for each in seen} == {node}
    assert [re.findall(r"\d+", each["text"])[:2] for each in seen] == [["1", "3"], ["2", "3"], ["3", "3"]]
    assert "$$node-text-preview" not in page.evaluate(WIDGETS, "WanMotionLongVideo")


def test_a_chunk_is_made_again_alone_or_with_all_behind_it_and_a_take_is_chosen(editor):
    editor.kept_run()
    editor.pick(2)
    editor.press("redo with another seed")
    editor.wait_until(["kept", "made", "made"])
    assert editor.widgets("vary_from", "variation", "keep_later", "use_takes") == [2, 1, False, ""]
    assert editor.takes() == [1, 2, 2]
    assert "chunk_0002_take_02" in editor.root.locator("video").get_attribute("src")
    takes = editor.root.locator("select option").all_text_contents()
    assert ["(in use)" in words for words in takes] == [False, True]
    editor.press("redo only this one")
    editor.wait_until(["kept", "made", "chosen"])
    assert editor.widgets("vary_from", "variation", "keep_later", "use_takes") == [2, 2, True, "2: 2, 3: 2"]
    assert editor.takes() == [1, 3, 2]
    editor.pick(2)
    editor.root.locator("select").select_option("1")
    editor.press("use take")
    editor.wait_until(["kept", "chosen", "kept"])
    assert editor.widgets("vary_from", "keep_later", "use_takes") == [0, False, "2: 1"]
    assert editor.takes() == [1, 1, 1]


def test_a_chunk_is_told_something_else_from_there_on(editor):
    editor.kept_run()
    editor.pick(2)
    prompt = editor.root.locator("textarea")
    assert prompt.input_value() == PROMPT
    prompt.fill("it moves up\nand turns blue")
    editor.press("use this prompt")
    editor.wait_until(["kept", "made", "made"])
    told = f"0s: {PROMPT}\n1.063s: it moves up and turns blue"
    assert editor.widgets("prompt", of="WanMotionLongVideo") == [told]
    editor.pick(3)
    assert prompt.input_value() == "it moves up and turns blue"


def test_a_video_is_stopped_at_a_chunk_and_goes_on(editor):
    editor.page.evaluate(TYPE, ["WanMotionLongVideo", "steps", 150])  # so that there is time to stop
    editor.pick(1)
    editor.press("stop here")
    editor.wait_until(["made", "planned", "planned"])
    assert editor.widgets("stop_after") == [1]
    editor.press("go on")
    assert editor.widgets("stop_after") == [0]
    editor.page.wait_for_function("() => document.querySelector('.wan-motion-timeline .making')")
    editor.press("stop here")
    editor.page.wait_for_function("() => !document.querySelector('.wan-motion-timeline .making')", timeout=60_000)
    editor.page.keyboard.press("Escape")
    origins = editor.chunks.evaluate_all(ORIGINS)
    assert "planned" in origins
    left = origins.count("planned")
    editor.press("go on")
    editor.wait_until(["kept"] * (3 - left) + ["made"] * left)
    assert editor.takes() == [1, 1, 1]


def test_after_a_reload_the_timeline_shows_what_it_did_unless_the_plan_was_changed_since(editor):
    editor.page.evaluate(TYPE, ["WanMotionLongVideo", "length", 17])
    editor.queue()
    editor.wait_until(["made"])
    shown = editor.chunks.first.get_attribute("title")
    editor.page.evaluate(SAVE)
    editor.reload()
    editor.page.evaluate(OPEN_SAVED)
    editor.page.wait_for_function("() => document.querySelector('.wan-motion-timeline .made')")
    assert editor.chunks.first.get_attribute("title") == shown

    editor.hold_answers()
    editor.page.evaluate(OPEN_SAVED)
    editor.page.evaluate(LINK_LENGTH)
    editor.let_answers_through()
    assert editor.chunks.count() == 0

    editor.hold_answers()
    editor.page.evaluate(OPEN_SAVED)
    editor.page.evaluate(OPEN_COPY)
    editor.let_answers_through()
    assert editor.chunks.evaluate_all(ORIGINS) == ["planned"]


def test_a_take_that_is_gone_is_named_and_the_timeline_stays(editor):
    editor.kept_run()
    editor.pick(3)
    editor.press("redo with another seed")
    editor.wait_until(["kept", "kept", "made"])
    for path in editor.folder.glob("chunk_0003_take_01_*"):
        path.unlink()
    editor.root.locator("select").select_option("1")
    editor.press("use take")
    # Of the host: front ends show what failed in different ways.
    failed = "async () => (await (await fetch('/history')).text()).includes('use_takes: chunk 3')"
    editor.page.wait_for_function(failed)
    editor.wait_until(["kept", "kept", "made"])
    editor.page.errors.clear()  # the front end logs what the host refused


def test_a_node_inside_a_subgraph_has_a_timeline_that_fills_in(editor):
    editor.page.evaluate(
        """async () => {
            const { graph, canvas } = window.app;
            const types = ["WanMotionLongVideo", "WanMotionKeepRun", "WanMotionSettings"];
            const inside = graph.nodes.filter((node) => types.includes(node.type));
            const { subgraph, node } = graph.convertToSubgraph(new Set(inside));
            // As a person opens it, once the page has changed: the front end draws a node of the same id in its place
            // else, with what the one that is gone has put into the page.
            await new Promise((done) => setTimeout(done, 500));
            canvas.openSubgraph(subgraph, node);
        }"""
    )
    editor.page.evaluate(SEE)
    editor.page.wait_for_selector(".wan-motion-timeline .chunk", state="attached")
    editor.kept_run()
    editor.pick(2)
    editor.page.wait_for_function("() => document.querySelector('.wan-motion-timeline video').currentTime > 0")
    editor.press("redo with another seed")
    editor.wait_until(["kept", "made", "made"])
    assert editor.takes() == [1, 2, 2]
    # What the front end logs of a subgraph that its own menu did not open.
    editor.page.errors[:] = [error for error in editor.page.errors if "raph" not in error]
