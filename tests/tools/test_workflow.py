import json

import pytest
from wan_motion_chunks.tools.workflow import EXAMPLES, to_prompt

INFO = {
    "Load": {"input": {"required": {"name": [["a", "b"], {}]}}},
    "Noise": {
        "input": {
            "required": {
                "model": ["MODEL", {}],
                "seed": ["INT", {}],
                "cfg": ["FLOAT", {}],
                "text": ["STRING", {"forceInput": True}],
            },
            "optional": {"mode": ["COMBO", {"options": ["x"]}]},
        }
    },
}


def workflow(**noise):
    node = {
        "id": 2,
        "type": "Noise",
        "inputs": [{"name": "model", "link": 1}, {"name": "text", "link": None}],
        "widgets_values": [7, "randomize", 1.5, "x"],
    }
    load = {"id": 1, "type": "Load", "widgets_values": ["b"]}
    note = {"id": 3, "type": "MarkdownNote", "widgets_values": ["hello"]}
    return {"nodes": [load, node | noise, note], "links": [[1, 1, 0, 2, 0, "MODEL"]]}


def test_links_and_widgets_become_inputs():
    assert to_prompt(workflow(), INFO) == {
        "1": {"class_type": "Load", "inputs": {"name": "b"}},
        "2": {"class_type": "Noise", "inputs": {"model": ["1", 0], "seed": 7, "cfg": 1.5, "mode": "x"}},
    }


def test_widgets_are_read_by_name_where_they_have_names():
    named = {"cfg": 1.5, "mode": "x", "seed": 7, "control_after_generate": "randomize"}
    assert to_prompt(workflow(widgets_values_named=named, widgets_values=[]), INFO) == to_prompt(workflow(), INFO)


def test_a_link_stands_in_for_its_widget():
    inputs = [{"name": "cfg", "link": 1, "widget": {"name": "cfg"}}]
    assert to_prompt(workflow(inputs=inputs), INFO)["2"]["inputs"]["cfg"] == ["1", 0]


def bypassed(kind, *sockets):
    """The workflow with a bypassed node, of these inputs, between its two."""
    graph = workflow(inputs=[{"name": "cfg", "link": 2, "widget": {"name": "cfg"}}])
    outputs = [{"name": "out", "type": kind}]
    graph["nodes"].append({"id": 4, "type": "Load", "mode": 4, "inputs": list(sockets), "outputs": outputs})
    graph["links"] += [[2, 4, 0, 2, 0, kind]]
    return to_prompt(graph, INFO)["2"]["inputs"]["cfg"]


def test_a_bypassed_node_hands_on_its_input_of_the_same_type():
    assert bypassed("MODEL", {"name": "x", "type": "CLIP", "link": 9}, {"name": "m", "type": "MODEL", "link": 1}) == [
        "1",
        0,
    ]


@pytest.mark.parametrize("socket", [(), ({"name": "value", "type": "FLOAT", "link": None},)])
def test_a_widget_keeps_its_value_where_a_bypassed_node_hands_on_nothing(socket):
    assert bypassed("FLOAT", *socket) == 1.5


@pytest.mark.parametrize(
    ("changed", "message"),
    [({"type": "Gone"}, "Node 2 .*Gone"), ({"mode": 2}, r"Node 2 \(Noise\) .*muted")],
)
def test_what_cannot_run_is_refused(changed, message):
    with pytest.raises(ValueError, match=message):
        to_prompt(workflow(**changed), INFO)


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.json")), ids=lambda path: path.stem)
def test_examples_are_in_the_format_that_the_front_end_saves(path):
    example = json.loads(path.read_text(encoding="utf-8"))
    assert example["version"] == 0.4
    ids = {node["id"] for node in example["nodes"]}
    assert example["last_node_id"] == max(ids)
    assert len(ids) == len(example["nodes"])
    sockets = {
        link: (node["id"], slot)
        for node in example["nodes"]
        for slot, socket in enumerate(node["inputs"])
        if (link := socket.get("link")) is not None
    }
    for link, source, out, target, slot, kind in example["links"]:
        node = next(node for node in example["nodes"] if node["id"] == source)
        assert link in node["outputs"][out]["links"]
        assert node["outputs"][out]["type"] == kind
        assert sockets.pop(link) == (target, slot)
    assert not sockets
    for node in example["nodes"]:
        if "widgets_values" in node:
            assert list(node["widgets_values_named"].values()) == node["widgets_values"]
        if node["type"].startswith("WanMotion"):
            assert node["properties"]["cnr_id"] == "wan-motion-chunks"
