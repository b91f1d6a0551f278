"""What the front end makes of our inputs: widgets that take links of two types, and prompts that expand."""

import pytest

LINK = """async ([vue, source]) => {
    const { app, LiteGraph } = window;
    await app.extensionManager.setting.set("Comfy.VueNodes.Enabled", vue);
    app.graph.clear();
    const number = LiteGraph.createNode(source);
    const node = LiteGraph.createNode("WanMotionPlanVideo");
    app.graph.add(number);
    app.graph.add(node);
    const widget = node.widgets.find((each) => each.name === "length");
    widget.value = 33;
    const read = async () => {
        const nodes = Object.values((await app.graphToPrompt()).output);
        return nodes.find((each) => each.class_type === "WanMotionPlanVideo").inputs.length;
    };
    const typed = await read();
    const joined = Boolean(number.connect(0, node, node.findInputSlot("length")));
    const saved = JSON.parse(JSON.stringify(app.graph.serialize()));
    const slots = saved.nodes.flatMap((each) => each.inputs ?? []).filter((each) => each.name === "length");
    const [{ type, widget: of }] = slots;
    slots[0].type = "FLOAT";
    await app.loadGraphData(saved, true, false);
    const [linked] = await read();
    return { kind: widget.type, typed, joined, type, of, linked, source: String(app.graph.nodes[0].id) };
}"""
EXPAND = """async ([text, names]) => {
    const { app, LiteGraph } = window;
    app.graph.clear();
    for (const name of Object.keys(names)) {
        const node = LiteGraph.createNode(name);
        app.graph.add(node);
        for (const widget of node.widgets) if (names[name].includes(widget.name)) widget.value = text;
    }
    const { output } = await app.graphToPrompt();
    return Object.values(output).flatMap((node) => names[node.class_type].map((name) => node.inputs[name]));
}"""


@pytest.mark.parametrize("vue", [False, True], ids=["canvas", "nodes 2.0"])
@pytest.mark.parametrize("source", ["PrimitiveInt", "PrimitiveFloat"])
def test_a_length_is_typed_in_or_comes_from_either_kind_of_number(page, source, vue):
    found = page.evaluate(LINK, [vue, source])
    assert found["kind"] == "number"
    assert found["typed"] == 33
    assert found["joined"]
    assert found["type"] == "FLOAT,INT"
    assert found["of"] == {"name": "length"}
    # Also from a workflow that was saved when the input took a FLOAT only.
    assert found["linked"] == found["source"]
    assert page.errors == [], "\n".join(sorted(set(page.errors)))


def test_prompts_and_schedules_expand_as_in_the_hosts_text_encode(page):
    text = "// by chunk\n1: a {red|red} ball /* or\nnot */ moves\n3: {a|a} \\{dog\\} // runs"
    names = {"CLIPTextEncode": ["text"], "WanMotionLongVideo": ["prompt", "negative_prompt"]}
    names |= {"WanMotionPromptStack": ["positive", "negative"]}
    found = page.evaluate(EXPAND, [text, names])
    assert found == ["\n1: a red ball  moves\n3: a {dog} "] * 5
