/** Where a node's values come from, through the borders of subgraphs. */

import { app } from "../../scripts/app.js";

/** The graph that is open, whichever of its subgraphs is shown. */
export const root = () => app.rootGraph ?? app.graph;

/** The node that the host calls so: `5`, or `3:5` for node 5 of the subgraph that node 3 is. */
export function nodeOf(id) {
    const path = String(id).split(":");
    const last = path.pop();
    let graph = root();
    for (const step of path) graph = graph?.getNodeById(step)?.subgraph;
    return graph?.getNodeById(last) ?? null;
}

/** The node that a graph is the inside of; the first where there are several. */
function holder(graph, within = root()) {
    for (const node of within?.nodes ?? []) {
        if (!node.subgraph) continue;
        const found = node.subgraph === graph ? node : holder(graph, node.subgraph);
        if (found) return found;
    }
    return null;
}

export function isLinked(node, name) {
    const slot = node.findInputSlot(name);
    return Boolean(node.graph) && slot >= 0 && node.isInputConnected(slot); // one that is being copied is in none yet
}

/** The input of a subgraph's node that an input inside is connected to; null for any other. */
function outside(node, name) {
    const slot = node.findInputSlot(name);
    const { graph } = node;
    const link = slot < 0 || node.inputs[slot].link == null ? null : graph?.getLink?.(node.inputs[slot].link);
    if (!link || !graph.inputNode || link.origin_id !== graph.inputNode.id) return null;
    const found = holder(graph);
    const outer = graph.inputs[link.origin_slot]?.name;
    return found && outer ? [found, outer] : null;
}

/** The node that an input is connected to; null without one. */
export function sourceOf(node, name) {
    const outer = outside(node, name);
    if (outer) return sourceOf(...outer);
    return isLinked(node, name) ? node.getInputNode(node.findInputSlot(name)) : null;
}

/** The widget that an input's value is typed into; undefined where it comes from elsewhere. */
export function widgetOf(node, name) {
    const outer = outside(node, name);
    if (outer) return widgetOf(...outer);
    return isLinked(node, name) ? undefined : node.widgets?.find((widget) => widget.name === name);
}

/** What it holds. */
export const valueOf = (node, name) => widgetOf(node, name)?.value;

/** Have something done behind a method or a callback, with what that is given. */
export function chain(object, name, then) {
    const before = object[name];
    object[name] = function (...parameters) {
        const result = before?.apply(this, parameters);
        then(...parameters);
        return result;
    };
}

/** Have a set hold things while a node is in a graph: copying makes another of each node, which is in none. */
export function whileAdded(node, held, things) {
    const add = () => things.forEach((thing) => held.add(thing));
    if (node.graph) add();
    chain(node, "onAdded", add);
    chain(node, "onRemoved", () => things.forEach((thing) => held.delete(thing)));
}
