/** The timeline of the nodes that make a whole video: its plan before a run, its chunks while they are made, and after. */

import { app } from "../../scripts/app.js";
import { keepOf } from "./actions.mjs";
import { element } from "./element.mjs";
import { chain, valueOf, whileAdded } from "./graph.mjs";
import { Panel } from "./panel.mjs";
import {
    OPTIONS, PLAN, PLAN_SOCKETS, PROMPTS, SETTINGS, SETTINGS_PLAN, SIZE, STACK_SOCKETS, STACK_WIDGETS, planned, toldBy,
} from "./request.mjs";
import { listen, recollect, remember, resultOf } from "./results.mjs";
import { STACKS } from "./stacks.mjs";
import { HEIGHT, STYLE } from "./style.mjs";
import { Track } from "./track.mjs";

const NODES = ["WanMotionLongVideo", "WanMotionLongVideoCustom"];
const INPUT = 1; // as the front end tells the sides of a connection apart
const MARGIN = 10; // which the canvas leaves above and below a DOM widget
const PROGRESS = "$$node-text-preview"; // the widget that the front end makes for the host's progress text
const NO_PLAN = { total: 0, fps: 1, count: 0, step: 1, chunks: [], seams: [] };
const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"];

function bytesWords(bytes) {
    if (!(bytes > 0 && bytes < Infinity)) return "";
    const power = Math.min(UNITS.length - 1, Math.floor(Math.log2(bytes) / 10));
    return `up to ${(bytes / 2 ** (10 * power)).toPrecision(2)} ${UNITS[power]} on disk`;
}

/** Whether a run was of a plan; where overlaps follow the motion, how many chunks that makes is known only behind it. */
function stands(plan, result) {
    return plan.total === result.total - result.source && (plan.follows || plan.count === result.count);
}

class Timeline {
    constructor(node) {
        this.node = node;
        this.running = null; // the id of the prompt that makes it
        this.changed = false; // what its plan is of, since the graph was loaded
        this.root = element("div", "wan-motion-timeline");
        element("style", "", this.root).textContent = STYLE;
        const top = element("div", "top", this.root);
        this.head = element("div", "head", top);
        this.now = element("div", "now", top);
        this.now.setAttribute("role", "status");
        this.disk = element("div", "disk", top);
        this.track = new Track(this.root, (index, seam) => this.choose(index, seam));
        this.panel = new Panel(this.root, node);
        // Nodes 2.0 would move the node instead.
        for (const name of ["pointerdown", "wheel"]) this.root.addEventListener(name, (event) => event.stopPropagation());
    }

    /** The plan as the widgets have it. */
    refresh() {
        this.changed = true;
        const plan = planned(this.node);
        this.told = toldBy(plan);
        this.panel.clear();
        this.show(plan);
    }

    /** What a run showed stays until another line of the prompt begins elsewhere. */
    refreshPrompts() {
        if (this.told !== toldBy(planned(this.node))) this.refresh();
    }

    /** The last run's chunks, while the plan that they are of still stands. */
    restore() {
        const plan = planned(this.node);
        const result = resultOf(this.node);
        const keep = keepOf(this.node);
        const kept = (keep ? valueOf(keep, "run_name") : null) === (result?.run ?? null);
        this.show(result && kept && (!plan || stands(plan, result)) ? result : plan);
    }

    /** What the host says while it runs. */
    progress({ prompt_id: promptId, words, timeline }) {
        if (!this.running) this.before = resultOf(this.node);
        this.running = promptId;
        this.now.textContent = words;
        if (timeline) remember(this.node, timeline);
        this.show(timeline ?? this.plan);
    }

    /** A prompt has ended; where it made nothing, the run before it is what there is. */
    end(promptId) {
        if (!this.running || this.running !== promptId) return;
        const idle = !this.plan?.chunks.some((chunk) => chunk.origin === "made");
        if (this.before && idle) remember(this.node, (this.plan = this.before));
        this.running = null;
        this.now.textContent = "";
        const { node } = this;
        const at = node.widgets?.findIndex((widget) => widget.name === PROGRESS) ?? -1;
        if (at >= 0) node.removeWidget(node.widgets[at]); // else it says for good how far a run was
        this.show(this.plan);
    }

    /**
     * @param {{total: number, fps: number, count: number, chunks: object[], source?: number} | null} plan null where it
     *     cannot be known yet; `source` counts the frames of a given video before it
     */
    show(plan) {
        this.plan = plan;
        const known = plan && Number.isFinite(plan.total) && Number.isFinite(plan.fps);
        const drawn = known ? plan : NO_PLAN;
        const { total, fps, count } = drawn;
        this.head.textContent = count
            ? `${total} frames, ${(total / fps).toFixed(1)} s, ${count} chunk${count > 1 ? "s" : ""}`
            : plan
              ? "no plan: see length, chunk_frames and the overlap of Settings"
              : "the plan depends on what is connected; it is shown after a run";
        if (!this.running) this.now.textContent = plan?.note ?? "";
        this.disk.textContent = this.running ? "" : bytesWords(drawn.bytes);
        this.track.draw(drawn, this.running);
        this.panel.update(drawn, this.running);
        this.track.mark(this.panel.index, this.panel.seam);
    }

    choose(index, seam) {
        this.panel.choose(index, seam);
        this.track.mark(index, seam);
    }
}

const timelines = new WeakMap();

/** Every timeline that is there, to be told when a prompt ends. */
const shown = new Set();

/** Show anew the plan of every node that a node's output reaches, through stacks too. */
function refreshBelow(node, seen = new Set()) {
    if (seen.has(node)) return;
    seen.add(node);
    for (const target of node.getOutputNodes(0) ?? []) {
        timelines.get(target)?.refresh();
        if (STACKS.includes(target.comfyClass)) refreshBelow(target, seen);
    }
}

function whenConnected(node, names, then) {
    chain(node, "onConnectionsChange", (side, slot) => {
        if (side === INPUT && names.includes(node.inputs?.[slot]?.name)) then();
    });
}

function whenTyped(node, names, then) {
    for (const widget of node.widgets ?? []) if (names.includes(widget.name)) chain(widget, "callback", then);
}

function addTimeline(node) {
    const timeline = new Timeline(node);
    const refresh = () => timeline.refresh();
    timelines.set(node, timeline);
    whileAdded(node, shown, [timeline]);
    whenTyped(node, [...PLAN, ...SIZE], refresh);
    chain(node, "onConfigure", refresh);
    whenTyped(node, PROMPTS, () => timeline.refreshPrompts());
    whenConnected(node, [...PLAN, ...PROMPTS, ...PLAN_SOCKETS], refresh);
    chain(node, "onExecuted", (message) => {
        const result = message?.wan_motion_timeline?.[0];
        if (!result) return;
        timeline.end(timeline.running);
        remember(node, result);
        timeline.show(result);
    });
    const widget = node.addDOMWidget("timeline", "wan_motion_timeline", timeline.root, {
        serialize: false,
        getMinHeight: () => HEIGHT + 2 * MARGIN,
    });
    widget.serialize = false;
    timeline.refresh();
}

app.registerExtension({
    name: "wanmotionchunks.timeline",
    setup() {
        listen(
            (node, detail) => timelines.get(node)?.progress(detail),
            (promptId) => shown.forEach((timeline) => timeline.end(promptId)),
        );
    },
    nodeCreated(node) {
        if (NODES.includes(node.comfyClass)) addTimeline(node);
        const below = () => refreshBelow(node);
        if (node.comfyClass === SETTINGS) whenTyped(node, SETTINGS_PLAN, below);
        if (node.comfyClass === OPTIONS) whenConnected(node, ["positive"], below);
        if (!STACKS.includes(node.comfyClass)) return;
        whenTyped(node, STACK_WIDGETS, below);
        whenConnected(node, STACK_SOCKETS, below);
    },
    /** Once all nodes have their values, those that others stand for too. */
    loadedGraphNode(node) {
        timelines.get(node)?.restore();
    },
    afterConfigureGraph() {
        for (const timeline of shown) timeline.changed = false;
        recollect((node) => {
            const timeline = timelines.get(node);
            if (!timeline?.changed) timeline?.restore(); // the host's answer may come after the person's first step
        });
    },
});
