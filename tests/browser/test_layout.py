"""Where nodes are, as both renderers draw them, in every template, and after a run in those of the tiny models."""

import json
from itertools import combinations

import pytest
from wan_motion_chunks.tests.browser.scripts import SHOW
from wan_motion_chunks.tools.workflow import EXAMPLES

NAMES = sorted(path.stem for path in EXAMPLES.glob("*.json"))
RUN = ("Tiny_first_run", "Tiny_prompts", "Tiny_load_a_kept_run", "Tiny_optical_flow", "Tiny_split_nodes")
"""In this order: the third shows what the first one keeps."""
GROWS = "PreviewAny"
"""Nodes 2.0 makes it as tall as what it shows, past the end of its group: a report has no end that is known before."""
SLACK = 1
"""Pixels by which a box may be off from rounding."""
LOAD = """async ([workflow, name]) => {
    await window.app.loadGraphData(workflow, true, true, name);
    const { graph, canvas } = window.app;
    const boxes = [...graph.groups, ...graph.nodes].map(({ pos, size }) => [...pos, ...size]);
    const [left, top] = [0, 1].map((at) => Math.min(...boxes.map((box) => box[at])) - 50);
    const [right, bottom] = [0, 1].map((at) => Math.max(...boxes.map((box) => box[at] + box[at + 2])) + 50);
    const { width, height } = canvas.canvas.getBoundingClientRect();
    canvas.ds.scale = Math.min(width / (right - left), height / (bottom - top));
    canvas.ds.offset = [-left, -top];
    canvas.setDirty(true, true);
}"""
BOXES = """(vue) => {
    const { graph, canvas } = window.app;
    const { scale, offset } = canvas.ds, frame = canvas.canvas.getBoundingClientRect();
    const boxOf = (node) => {
        if (!vue) return [...node.getBounding()];
        const box = document.querySelector(`[data-node-id="${node.id}"]`)?.getBoundingClientRect();
        return box && [
            (box.left - frame.left) / scale - offset[0], (box.top - frame.top) / scale - offset[1],
            box.width / scale, box.height / scale,
        ];
    };
    return {
        nodes: graph.nodes.map((node) => [node.title, node.type, boxOf(node)]),
        groups: graph.groups.map((group) => [...group.pos, ...group.size]),
    };
}"""
QUEUE = """async () => {
    const { app } = window;
    for (const node of app.graph.nodes) {
        for (const widget of node.widgets ?? []) {
            if (widget.name === "steps") widget.value = 2;
        }
    }
    const done = new Promise((resolve, reject) => {
        app.api.addEventListener("execution_success", resolve, { once: true });
        app.api.addEventListener("execution_error", ({ detail }) => reject(detail.exception_message), { once: true });
    });
    await app.queuePrompt(0);
    await done;
}"""


def load(page, name):
    page.evaluate(LOAD, [json.loads((EXAMPLES / f"{name}.json").read_text(encoding="utf-8")), name])


def settled(page, vue):
    """The boxes, once they stay: previews load and widgets grow after the graph is there."""
    before = None
    for _ in range(40):
        page.wait_for_timeout(250)
        found = page.evaluate(BOXES, vue)
        if found == before:
            break
        before = found
    return found


def apart(one, other):
    """Whether two boxes, left, top, width and height, have no part in common."""
    return any(
        one[at] + one[at + 2] <= other[at] + SLACK or other[at] + other[at + 2] <= one[at] + SLACK for at in (0, 1)
    )


def within(inner, outer):
    return all(
        outer[at] - SLACK <= inner[at] and inner[at] + inner[at + 2] <= outer[at] + outer[at + 2] + SLACK
        for at in (0, 1)
    )


def check(found):
    """No two nodes on each other, and each but a note in a group."""
    assert all(box for _, _, box in found["nodes"])
    assert [pair for pair in combinations(found["nodes"], 2) if not apart(pair[0][2], pair[1][2])] == []
    for title, kind, box in found["nodes"]:
        around = [within(box, group) for group in found["groups"]]
        beside = [apart(box, group) for group in found["groups"]]
        if kind == GROWS:
            around = [within([*box[:3], 0], group) for group in found["groups"]]
            assert beside.count(False) == 1, (title, box)
        assert any(around) or (kind == "MarkdownNote" and all(beside)), (title, box)


@pytest.mark.parametrize("vue", [False, True], ids=["canvas", "nodes 2.0"])
@pytest.mark.parametrize("name", NAMES)
def test_no_two_nodes_overlap_and_each_is_in_its_group(page, name, vue):
    page.evaluate(SHOW, vue)
    load(page, name)
    check(settled(page, vue))


def test_nor_do_they_after_a_run(page):
    for name in RUN:
        page.evaluate(SHOW, False)
        load(page, name)
        page.evaluate(QUEUE)
        check(settled(page, False))
        page.evaluate(SHOW, True)
        check(settled(page, True))
