/** What the timeline's buttons do: they set widgets that anybody can see, and queue. */

import { api } from "../../scripts/api.js";
import { app } from "../../scripts/app.js";
import { sourceOf, widgetOf } from "./graph.mjs";

const KEEP = "WanMotionKeepRun";

/** The Keep Run of a node; null without one. */
export function keepOf(node) {
    const found = sourceOf(node, "run");
    return found?.comfyClass === KEEP ? found : null;
}

/** Set a widget as if a person had typed it. */
export function write(widget, value) {
    widget.value = value;
    widget.callback?.(value);
}

/** Set widgets of a node, all or none; returns the name of an input whose value comes from elsewhere. */
export function set(node, values) {
    const widgets = Object.keys(values).map((name) => [name, widgetOf(node, name)]);
    const linked = widgets.find(([, widget]) => !widget);
    if (linked) return linked[0];
    for (const [name, widget] of widgets) write(widget, values[name]);
    node.setDirtyCanvas?.(true, true);
    return null;
}

/** Let a node have the seed of its last run, where the front end draws another for each: kept chunks are found by it. */
export function holdSeed(node, seed) {
    const control = node.widgets?.find((widget) => widget.name === "control_after_generate");
    if (!control || control.value === "fixed" || seed === null || seed === undefined) return;
    set(node, { seed });
    control.value = "fixed";
}

export const queue = () => app.queuePrompt(0);

/** Interrupt the run that a timeline shows, and no other. */
export const stop = (promptId) => api.interrupt(promptId);
