/** What widgets show: "preset" for a number that Settings leaves to it, and room for the prompt. */

import { app } from "../../scripts/app.js";
import { chain, whileAdded } from "./graph.mjs";

const SETTINGS = "WanMotionSettings";
const LEFT = { overlap_frames: 0, motion_weight: -1, mask_sigma: -1, blend_strength: -1 }; // as nodes/settings.py has it
const WORD = "preset";
const TOLD = ["WanMotionLongVideo", "WanMotionBridgeClips"];
const TALL = 120; // pixels of a prompt at least; of other texts the front end takes 50

/** Every widget that may say so, for as long as its node is there. */
const shown = new Set();

const isLeft = (widget) => Number(widget.value) === LEFT[widget.name];

/** The canvas draws what a widget says of its value; Nodes 2.0 shows the value itself, and its label beside. */
function label(widget, vue = window.LiteGraph.vueNodesMode) {
    const word = vue && isLeft(widget) ? `${widget.plainLabel ?? widget.name} (${WORD})` : widget.plainLabel;
    if (widget.label !== word) widget.label = word;
}

function sayPreset(widget) {
    const drawn = (prototype) => prototype && (Object.getOwnPropertyDescriptor(prototype, "_displayValue") ?? drawn(Object.getPrototypeOf(prototype)));
    const plain = drawn(Object.getPrototypeOf(widget));
    if (plain?.get) {
        Object.defineProperty(widget, "_displayValue", {
            configurable: true,
            get() {
                return isLeft(this) && !this.computedDisabled ? WORD : plain.get.call(this);
            },
        });
    }
    widget.plainLabel = widget.label;
    chain(widget, "callback", () => label(widget));
    label(widget);
}

app.registerExtension({
    name: "wanmotionchunks.settings",
    setup() {
        app.ui.settings.addEventListener("Comfy.VueNodes.Enabled.change", ({ detail }) => {
            for (const widget of shown) label(widget, detail.value);
        });
    },
    nodeCreated(node) {
        if (TOLD.includes(node.comfyClass)) {
            const prompt = node.widgets?.find((widget) => widget.name === "prompt");
            if (prompt?.options) prompt.options.getMinHeight = () => TALL;
            node.setSize?.(node.computeSize());
        }
        if (node.comfyClass !== SETTINGS) return;
        const widgets = (node.widgets ?? []).filter((widget) => widget.name in LEFT);
        widgets.forEach(sayPreset);
        whileAdded(node, shown, widgets);
        chain(node, "onConfigure", () => widgets.forEach((widget) => label(widget)));
    },
});
