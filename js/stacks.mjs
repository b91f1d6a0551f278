/** The prompt stack that a node is connected to. */

import { isLinked, sourceOf, widgetOf } from "./graph.mjs";
import { plain } from "./schedule.mjs";

export const STACKS = ["WanMotionPromptStack", "WanMotionConditioningStack"];

/** The nodes that make it, the last one first; up to one that is none of ours, and null for one that was there already. */
export function* stacked(node) {
    const seen = new Set();
    for (let at = node; at === node || STACKS.includes(at?.comfyClass); ) {
        if (!isLinked(at, "prompt_stack")) return;
        at = sourceOf(at, "prompt_stack");
        if (seen.has(at)) at = null;
        seen.add(at);
        yield at;
    }
}

/** The widget that a prompt of a stack is typed into, found by what a run read in it; undefined without one, or with several. */
export function stackedPrompt(node, told) {
    const widgets = [...stacked(node)].map((each) => each && widgetOf(each, "positive"));
    const found = widgets.filter((widget) => typeof widget?.value === "string" && plain(widget.value) === told?.trim());
    return found.length === 1 ? found[0] : undefined;
}
