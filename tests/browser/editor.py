"""The timeline of a long video, worked with as a person does."""

import json
import time

from wan_motion_chunks.tests.browser.scripts import OPEN_SHORT, SEE, TYPE
from wan_motion_chunks.tools.browser import LOADED

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
QUEUE = "() => window.app.extensionManager.command.execute('Comfy.QueuePrompt')"
LOOK_BACK = "**/api/history?max_items=16"
SECONDS = 300
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
        self.page.wait_for_function(LOADED)
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
