"""What templates send to the host: with their switch off, and on."""

import json

import pytest
from wan_motion_chunks.tests.browser.scripts import OPEN
from wan_motion_chunks.tools.workflow import BYPASSED, EXAMPLES, RUNS, SWITCH, switch, to_prompt

SWITCHED = sorted(path.stem for path in EXAMPLES.glob("*.json") if SWITCH in path.read_text(encoding="utf-8"))
PROMPT = """async ([ids, mode]) => {
    for (const node of window.app.graph.nodes) if (ids.includes(Number(node.id))) node.mode = mode;
    return (await window.app.graphToPrompt()).output;
}"""


@pytest.mark.parametrize("on", [False, True], ids=["off", "on"])
@pytest.mark.parametrize("name", SWITCHED)
def test_bypassed_nodes_leave_long_video_its_own_numbers(page, server, name, on):
    page.evaluate(OPEN, name)
    saved = json.loads((EXAMPLES / f"{name}.json").read_text(encoding="utf-8"))
    nodes, others = (switch(saved, way)["nodes"] for way in (True, False))
    ids = [node["id"] for node, other in zip(nodes, others, strict=True) if node["mode"] != other["mode"]]
    assert ids
    sent = page.evaluate(PROMPT, [ids, RUNS if on else BYPASSED])
    expected = to_prompt(switch(saved, on), server.get("/object_info"))
    for key, node in expected.items():
        same = {input: value for input, value in sent[key]["inputs"].items() if input in node["inputs"]}
        assert same == {input: value for input, value in node["inputs"].items() if input in same}
        assert {input for input, value in node["inputs"].items() if isinstance(value, list)} <= same.keys()
    assert sent.keys() == expected.keys()
    assert page.errors == [], "\n".join(sorted(set(page.errors)))
