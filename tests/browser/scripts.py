"""JavaScript that tests run in the page."""

OPEN = """async (name) => {
    const answer = await fetch(`/api/workflow_templates/wan-motion-chunks/${name}.json`);
    await window.app.loadGraphData(await answer.json(), true, true, name);
    return window.app.graph.nodes.map((node) => ({
        type: node.type,
        title: node.title,
        missing: Boolean(node.has_errors) || node.constructor?.name === "MissingNode",
        size: [...node.computeSize()],
        widgets: Object.fromEntries((node.widgets ?? []).map((widget) => [widget.name, widget.value])),
    }));
}"""
SEE = """() => {
    const { canvas } = window.app;
    const { graph } = canvas; // the one that is open
    canvas.ds.scale = 0.8;
    canvas.centerOnNode(graph.nodes.find((each) => each.type === "WanMotionLongVideo"));
    canvas.setDirty(true, true);
}"""
"""Front ends hide the widgets of nodes that are out of sight or small, and what is hidden takes no focus."""
OPEN_SHORT = """async () => {
    const answer = await fetch("/api/workflow_templates/wan-motion-chunks/Tiny_first_run.json");
    await window.app.loadGraphData(await answer.json(), true, true, "short");
    const { graph } = window.app;
    graph.remove(graph.nodes.find((node) => node.type === "WanMotionKeepRun"));
    const node = graph.nodes.find((each) => each.type === "WanMotionLongVideo");
    for (const [name, value] of Object.entries({ length: 49, chunk_frames: 17 })) {
        const widget = node.widgets.find((each) => each.name === name);
        widget.value = value;
        widget.callback(value);
    }
    const pause = () => new Promise((done) => setTimeout(done, 300));
    await pause(); // the front end chooses a view by itself
    (SEE)();
    await pause();
}""".replace("SEE", SEE)
"""The first run with five short chunks, which are not kept; its timeline in sight."""
TYPE = """([type, name, value]) => {
    const node = window.app.graph.nodes.find((each) => each.type === type);
    const widget = node.widgets.find((each) => each.name === name);
    widget.value = value;
    widget.callback(value);
}"""
LINK_LENGTH = """() => {
    const { graph } = window.app;
    const node = graph.nodes.find((each) => each.type === "WanMotionLongVideo");
    const number = window.LiteGraph.createNode("PrimitiveFloat");
    graph.add(number);
    number.connect(0, node, node.findInputSlot("length"));
}"""
SHOW = "async (vue) => window.app.extensionManager.setting.set('Comfy.VueNodes.Enabled', vue)"
