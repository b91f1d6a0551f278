"""The timeline as an editor where a take is gone, prompts come from a stack, others use the run too, or it is inside
a subgraph."""

from wan_motion_chunks.tests.browser.editor import PROMPT
from wan_motion_chunks.tests.browser.scripts import SEE, TYPE

STACK = """(prompts) => {
    const { graph } = window.app;
    const node = graph.nodes.find((each) => each.type === "WanMotionLongVideo");
    const made = prompts.map(([text, start]) => {
        const each = window.LiteGraph.createNode("WanMotionPromptStack");
        graph.add(each);
        for (const [name, value] of Object.entries({ positive: text, start })) {
            const widget = each.widgets.find((one) => one.name === name);
            widget.value = value;
            widget.callback?.(value);
        }
        return each;
    });
    made.forEach((each, at) => at && made[at - 1].connect(0, each, each.findInputSlot("prompt_stack")));
    made.at(-1).connect(0, node, node.findInputSlot("prompt_stack"));
}"""
STACKED = """() => {
    const made = window.app.graph.nodes.filter((each) => each.type === "WanMotionPromptStack");
    return made.map((each) => each.widgets.find((one) => one.name === "positive").value);
}"""


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


def test_a_prompt_of_a_stack_is_changed_where_it_is_typed_and_where_it_begins(editor):
    later, changed = "a green circle moves up", "a green circle moves left"
    editor.page.evaluate(STACK, [[PROMPT, 1], [later, 2]])
    editor.kept_run()
    prompt = editor.root.locator("textarea")
    editor.pick(3)
    assert (prompt.input_value(), prompt.is_editable()) == (later, False)
    editor.pick(2)
    prompt.fill(changed)
    editor.press("use this prompt")
    editor.wait_until(["kept", "made", "made"])
    assert editor.page.evaluate(STACKED) == [PROMPT, changed]
    assert editor.widgets("prompt", of="WanMotionLongVideo") == [PROMPT]


def test_two_browsers_work_on_one_run(editor, other):
    editor.kept_run()
    other.page.evaluate(TYPE, ["WanMotionKeepRun", "takes_to_keep", 9])  # else the host has it cached, and runs nothing
    other.queue()
    other.wait_until(["kept"] * 3)
    editor.wait_until(["made"] * 3)  # what one does is not shown to the other
    other.pick(2)
    other.press("redo with another seed")
    editor.queue()  # while the other's run is being made
    other.wait_until(["kept", "made", "made"])
    editor.wait_until(["kept"] * 3)
    assert editor.takes() == [1, 1, 1]
    editor.pick(2)
    assert editor.root.locator("select option").count() == 2
    editor.root.locator("select").select_option("2")
    editor.press("use take")
    editor.wait_until(["kept", "chosen", "kept"])
    assert editor.takes() == [1, 2, 2]
