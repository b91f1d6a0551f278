import { api } from "../../scripts/api.js";
import { app } from "../../scripts/app.js";
import { PRESET_OVERLAP, countFrames, covering, planChunks } from "./plan.mjs";
import { ScheduleError, promptsOfChunks, readWidget } from "./prompts.mjs";

const NODES = ["WanMotionLongVideo", "WanMotionLongVideoCustom"];
const SETTINGS = "WanMotionSettings";
const STACKS = ["WanMotionPromptStack", "WanMotionConditioningStack"];
const PLAN = ["length", "length_unit", "fps", "chunk_frames"];
const SETTINGS_PLAN = ["preset", "overlap_frames", "continuity"];
const PROMPTS = ["prompt", "positive"];
const PLAN_SOCKETS = ["settings", "prompt_stack", "end_image", "source"];
const FIXED_OVERLAP = { last_frame: 1, svi: 5 }; // of levels that take no other
const STACK_WIDGETS = ["start", "unit", "chunk_frames"];
const STACK_SOCKETS = ["prompt_stack", "start_image", "end_image", ...STACK_WIDGETS];
const INPUT = 1; // as the front end tells the sides of a connection apart
const DRAWN = 300; // chunks drawn one by one, and seams that have a button
const HEIGHT = 142;
const MARGIN = 10; // which the canvas leaves above and below a DOM widget
const STYLE = `
.wan-motion-timeline { contain: layout; box-sizing: border-box; width: 100%; height: ${HEIGHT}px; padding: 4px 8px;
    font: 11px sans-serif; color: var(--input-text, #ddd); }
.wan-motion-timeline .track { position: relative; height: 34px; margin: 2px 0 4px;
    background: var(--comfy-input-bg, #222); border: 1px solid var(--border-color, #4e4e4e); border-radius: 4px; }
.wan-motion-timeline .chunk { position: absolute; height: 14px; box-sizing: border-box; border-radius: 3px;
    background: #3f789e; border: 1px solid #0006; overflow: hidden; padding-left: 9px; color: #fff; line-height: 12px; white-space: nowrap; }
.wan-motion-timeline .chunk:nth-child(even) { top: 17px; background: #8a5a9e; }
.wan-motion-timeline .chunk:nth-child(odd) { top: 2px; }
.wan-motion-timeline .source { position: absolute; top: 2px; height: 29px; box-sizing: border-box; border-radius: 3px;
    border: 1px dashed #9999; overflow: hidden; padding-left: 4px; line-height: 27px; white-space: nowrap; }
.wan-motion-timeline button { position: absolute; top: 0; width: 9px; height: 100%; margin-left: -4px; padding: 0;
    border: 0; border-radius: 2px; background: #9996; cursor: pointer; }
.wan-motion-timeline button.clean { background: #2fae66; }
.wan-motion-timeline button.near { background: #e0a82e; }
.wan-motion-timeline button.out { background: #e0442e; }
.wan-motion-timeline button[aria-pressed=true] { box-shadow: 0 0 0 1px var(--input-text, #fff); }
.wan-motion-timeline button:focus-visible { outline: 2px solid var(--input-text, #fff); outline-offset: 1px; }
.wan-motion-timeline .words { height: 28px; overflow: auto; line-height: 13px; user-select: text; }
.wan-motion-timeline .frames { height: 60px; margin-top: 4px; }
.wan-motion-timeline .frames img { max-width: 100%; height: 100%; object-fit: contain; object-position: left; }
`;

const GRADES = { clean: "as real video", near: "a little out", out: "out" };

/** How a seam measures: a score of 1 or less looks uncut, 2 is twice as far out. */
function grade(score) {
    if (score === null || score === undefined) return "";
    return score <= 1 ? "clean" : score <= 2 ? "near" : "out";
}

/** How many seams have each grade, in words; empty before a run. */
function summary(chunks) {
    const count = Object.keys(GRADES).map((name) => [chunks.filter((chunk) => grade(chunk.score) === name).length, GRADES[name]]);
    const counted = count.filter(([number]) => number).map(([number, words]) => `${number} ${words}`);
    return counted.length ? `Seams: ${counted.join(", ")}. Choose one to see it.` : "";
}

/** Chunks side by side in as many groups as are drawn, of one each where that is possible. */
function groups(chunks) {
    const size = Math.ceil(chunks.length / DRAWN);
    const starts = chunks.map((_, index) => index).filter((index) => index % size === 0);
    return starts.map((first) => ({ first, last: Math.min(first + size, chunks.length) - 1 }));
}

/**
 * Indices of the chunks whose seams have a button: all but the first, unless that goes on from a given video, or of very
 * many those that stand out most.
 */
function choosable(chunks, source) {
    const seams = chunks.map((_, index) => index).slice(source ? 0 : 1);
    if (chunks.length <= DRAWN) return seams;
    const out = seams.filter((index) => chunks[index].score > 1);
    return out.sort((a, b) => chunks[b].score - chunks[a].score).slice(0, DRAWN).sort((a, b) => a - b);
}

function element(tag, className, parent) {
    const made = document.createElement(tag);
    made.className = className;
    parent?.append(made);
    return made;
}

/** The chunks of a video to scale, its seams as buttons, and a line of words. */
class Timeline {
    constructor() {
        this.root = element("div", "wan-motion-timeline");
        element("style", "", this.root).textContent = STYLE;
        this.head = element("div", "head", this.root);
        this.track = element("div", "track", this.root);
        this.track.setAttribute("role", "group");
        this.track.setAttribute("aria-label", "Chunks and seams of the video");
        this.words = element("div", "words", this.root);
        this.words.setAttribute("role", "status");
        this.frames = element("div", "frames", this.root);
    }

    /**
     * @param {{total: number, fps: number, chunks: object[], source?: number} | null} plan null where it cannot be known
     *     yet; `source` counts the frames of a given video before it
     */
    show(plan) {
        const known = plan && Number.isFinite(plan.total) && Number.isFinite(plan.fps);
        const { total, fps, chunks, source = 0 } = known ? plan : { chunks: [] };
        const place = (frame) => `${(100 * frame) / total}%`;
        this.head.textContent = chunks.length
            ? `${total} frames, ${(total / fps).toFixed(1)} s, ${chunks.length} chunk${chunks.length > 1 ? "s" : ""}`
            : plan
              ? "no plan: see length, chunk_frames and the overlap of Settings"
              : "the plan depends on what is connected; it is shown after a run";
        this.words.textContent = plan?.note ?? summary(chunks);
        this.track.replaceChildren();
        this.frames.replaceChildren();
        for (const { first, last } of groups(chunks)) {
            const { start, prompt } = chunks[first];
            const { stop } = chunks[last];
            const bar = element("div", "chunk", this.track);
            bar.style.left = place(start);
            bar.style.width = place(stop - start);
            bar.title = `${first === last ? `chunk ${first + 1}` : `chunks ${first + 1} to ${last + 1}`}: frames ${start} to ${stop - 1}`;
            if (first === last) bar.textContent = prompt ? `${first + 1} (prompt ${prompt})` : `${first + 1}`;
        }
        if (source > 0 && chunks.length) {
            const bar = element("div", "source", this.track);
            bar.style.left = place(0);
            bar.style.width = place(source);
            bar.title = `source: frames 0 to ${source - 1}`;
            bar.textContent = "source";
        }
        for (const index of choosable(chunks, source)) {
            const chunk = chunks[index];
            const seam = element("button", grade(chunk.score), this.track);
            const measured = chunk.score === null || chunk.score === undefined ? "" : `, seam score ${chunk.score.toFixed(2)}`;
            seam.type = "button";
            seam.setAttribute("aria-pressed", "false");
            seam.style.left = place(chunk.seam);
            seam.title = `seam before frame ${chunk.seam}${measured}`;
            seam.setAttribute("aria-label", `${seam.title}, to chunk ${index + 1}`);
            seam.addEventListener("click", () => this.choose(seam, chunk));
        }
    }

    /** A seam in words, and the two frames before and behind it; the picture opens larger. */
    choose(seam, chunk) {
        for (const each of this.track.querySelectorAll("button")) each.setAttribute("aria-pressed", each === seam);
        this.words.textContent = `${seam.title}. ${chunk.words ?? ""}`;
        this.frames.replaceChildren();
        if (!chunk.picture) return;
        const link = element("a", "", this.frames);
        link.href = api.apiURL(`/view?${new URLSearchParams(chunk.picture)}`);
        link.target = "_blank";
        const image = element("img", "", link);
        image.addEventListener("error", () => link.remove()); // the host empties its temporary folder when it starts
        image.src = link.href;
        image.alt = `the frames around the seam before frame ${chunk.seam}: two before the gap, two behind it`;
    }
}

function isLinked(node, name) {
    const slot = node.findInputSlot(name);
    return slot >= 0 && node.isInputConnected(slot);
}

/** What a widget holds; undefined where the value comes from elsewhere. */
function value(node, name) {
    return isLinked(node, name) ? undefined : node.widgets?.find((widget) => widget.name === name)?.value;
}

/** Whether some prompt of a stack ends with a picture; undefined where the chunks depend on the prompts. */
function stackEnds(node) {
    let ends = false;
    const seen = new Set();
    for (let at = node; isLinked(at, "prompt_stack"); ) {
        at = at.getInputNode(at.findInputSlot("prompt_stack"));
        const plain = STACKS.includes(at?.comfyClass) && value(at, "chunk_frames") === 0 && !isLinked(at, "start_image");
        if (!plain || seen.has(at)) return undefined;
        seen.add(at);
        ends ||= isLinked(at, "end_image");
    }
    return ends;
}

/** The prompts of a stack, as far as widgets say when they start; null where one is linked. */
function stackPrompts(node) {
    const prompts = [];
    for (let at = node; isLinked(at, "prompt_stack"); ) {
        at = at.getInputNode(at.findInputSlot("prompt_stack"));
        const [start, unit] = [value(at, "start"), value(at, "unit")];
        const least = unit === "chunks" ? 1 : 0; // chunks count from 1 where they are typed
        if (unit === undefined || !(start >= least) || (least && !Number.isInteger(start))) return null;
        prompts.unshift({ start: start - least, unit });
    }
    return prompts;
}

/** The plan with the prompt of each chunk, where there are several and their starts are known; else with why not. */
function withPrompts(node, plan, chunkFrames, overlap) {
    try {
        const written = value(node, "prompt");
        const ofText = isLinked(node, "positive") || typeof written !== "string" ? [] : readWidget(written);
        const prompts = isLinked(node, "prompt_stack") ? stackPrompts(node) : ofText;
        if (!plan.chunks.length || !prompts || prompts.length < 2) return plan;
        const found = promptsOfChunks(plan.chunks, prompts, { ...plan, chunkFrames, overlap: covering(overlap) });
        return { ...plan, chunks: plan.chunks.map((chunk, index) => ({ ...chunk, prompt: found[index] + 1 })) };
    } catch (error) {
        if (!(error instanceof ScheduleError)) throw error;
        return { ...plan, note: error.message };
    }
}

/** What of a plan depends on the prompt. */
const toldBy = (plan) => [plan?.note, plan?.chunks.map((chunk) => chunk.prompt)];

/** What the widgets ask for, before anything has run; null where that comes from other nodes. */
function planned(node) {
    const [length, unit, fps, chunkFrames] = PLAN.map((name) => value(node, name));
    const settings = isLinked(node, "settings") ? node.getInputNode(node.findInputSlot("settings")) : null;
    const [preset, overlapFrames, continuity] = SETTINGS_PLAN.map((name) => (settings ? value(settings, name) : null));
    const unknown = isLinked(node, "settings") && settings?.comfyClass !== SETTINGS;
    const ends = stackEnds(node);
    if (unknown || [length, unit, fps, chunkFrames, preset, overlapFrames, continuity, ends].includes(undefined)) return null;
    const total = countFrames(length, unit, fps);
    const overlap = FIXED_OVERLAP[continuity] ?? (overlapFrames || PRESET_OVERLAP[preset ?? "Standard"]);
    const toPicture = ends || isLinked(node, "end_image");
    const chunks = planChunks(total, chunkFrames, overlap, toPicture, isLinked(node, "source"));
    return withPrompts(node, { total, fps, chunks }, chunkFrames, overlap);
}

/** What each node's last run showed: opening a workflow again, or undoing, makes its nodes anew. */
const results = new Map();

const identity = (node) => `${node.graph?.id}:${node.id}`;

function chain(object, name, then) {
    const before = object[name];
    object[name] = function (...parameters) {
        const result = before?.apply(this, parameters);
        then(...parameters);
        return result;
    };
}

/** What shows a node's plan anew. */
const refreshers = new WeakMap();

/** Show anew the plan of every node that a node's output reaches, through stacks too. */
function refreshBelow(node, seen = new Set()) {
    if (seen.has(node)) return;
    seen.add(node);
    for (const target of node.getOutputNodes(0) ?? []) {
        refreshers.get(target)?.refresh();
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
    const timeline = new Timeline();
    let told = "";
    const refresh = () => {
        const plan = planned(node);
        told = JSON.stringify(toldBy(plan));
        timeline.show(plan);
    };
    /** What a run showed stays until another line of the prompt begins elsewhere. */
    const refreshPrompts = () => {
        if (told !== JSON.stringify(toldBy(planned(node)))) refresh();
    };
    refreshers.set(node, {
        refresh,
        /** The last run's seams, while the plan that they are of still stands. */
        restore() {
            const plan = planned(node);
            const shown = results.get(identity(node));
            timeline.show(shown && (!plan || plan.total === shown.total - shown.source) ? shown : plan);
        },
    });
    whenTyped(node, PLAN, refresh);
    whenTyped(node, PROMPTS, refreshPrompts);
    chain(node, "onConfigure", refresh);
    whenConnected(node, [...PLAN, ...PROMPTS, ...PLAN_SOCKETS], refresh);
    chain(node, "onExecuted", (message) => {
        const shown = message?.wan_motion_timeline?.[0];
        if (!shown) return;
        results.set(identity(node), shown);
        timeline.show(shown);
    });
    const widget = node.addDOMWidget("timeline", "wan_motion_timeline", timeline.root, {
        serialize: false,
        getMinHeight: () => HEIGHT + 2 * MARGIN,
    });
    widget.serialize = false;
    refresh();
}

app.registerExtension({
    name: "wanmotionchunks.timeline",
    nodeCreated(node) {
        if (NODES.includes(node.comfyClass)) addTimeline(node);
        const below = () => refreshBelow(node);
        if (node.comfyClass === SETTINGS) whenTyped(node, SETTINGS_PLAN, below);
        if (!STACKS.includes(node.comfyClass)) return;
        whenTyped(node, STACK_WIDGETS, below);
        whenConnected(node, STACK_SOCKETS, below);
    },
    /** Once all nodes have their values, those that others stand for too. */
    loadedGraphNode(node) {
        refreshers.get(node)?.restore();
    },
});
