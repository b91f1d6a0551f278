"""What templates send to the host: with their switch off, and on."""

import json

import pytest
from wan_motion_chunks.tests.browser.scripts import OPEN
from wan_motion_chunks.tools.workflow import BYPASSED, EXAMPLES, RUNS, to_prompt

SWITCHED = sorted(
    path.stem for path in EXAMPLES.glob("*.json") if f'"mode": {BYPASSED}' in path.read_text(encoding="utf-8")
)
PROMPT = """async (mode) => {
    for (const node of window.app.graph.nodes) if (node.mode === 4) node.mode = mode;
    return (await window.app.graphToPrompt()).output;
}"""


@pytest.mark.parametrize("mode", [BYPASSED, RUNS], ids=["off", "on"])
@pytest.mark.parametrize("name", SWITCHED)
def test_bypassed_nodes_leave_long_video_its_own_numbers(page, server, name, mode):
    page.evaluate(OPEN, name)
    sent = page.evaluate(PROMPT, mode)
    workflow = json.loads((EXAMPLES / f"{name}.json").read_text(encoding="utf-8"))
    for node in workflow["nodes"]:
        node["mode"] = mode if node["mode"] == BYPASSED else node["mode"]
    for key, node in to_prompt(workflow, server.get("/object_info")).items():
        same = {input: value for input, value in sent[key]["inputs"].items() if input in node["inputs"]}
        assert same == {input: value for input, value in node["inputs"].items() if input in same}
        assert {input for input, value in node["inputs"].items() if isinstance(value, list)} <= same.keys()
    assert sent.keys() == to_prompt(workflow, server.get("/object_info")).keys()
    assert page.errors == [], "\n".join(sorted(set(page.errors)))
