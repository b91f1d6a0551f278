/** What a node's widgets ask for, before anything has run. */

import { isLinked, sourceOf, valueOf } from "./graph.mjs";
import { PRESET_OVERLAP, countFrames, covering, diskBytes, planChunks } from "./plan.mjs";
import { ScheduleError, promptsOfChunks, readWidget } from "./prompts.mjs";
import { STACKS, stacked } from "./stacks.mjs";

export const SETTINGS = "WanMotionSettings";
export const PLAN = ["length", "length_unit", "fps", "chunk_frames"];
export const SETTINGS_PLAN = ["preset", "overlap_frames", "continuity"];
export const PLAN_SOCKETS = ["settings", "prompt_stack", "end_image", "source", "run"];
export const PROMPTS = ["prompt", "options"];
export const OPTIONS = "WanMotionOptions";
export const STACK_WIDGETS = ["start", "unit", "chunk_frames"];
export const STACK_SOCKETS = ["prompt_stack", "start_image", "end_image", ...STACK_WIDGETS];
export const SIZE = ["width", "height"];
const DEFAULT_SIZE = [832, 480]; // as wan/size.py has it
const DRAWN = 300; // bars of the timeline at most
const FIXED_OVERLAP = { last_frame: 1, svi: 5 }; // of levels that take no other

/** Whether some prompt of a stack ends with a picture; undefined where the chunks depend on the prompts. */
function stackEnds(node) {
    let ends = false;
    for (const each of stacked(node)) {
        const own = STACKS.includes(each?.comfyClass) && valueOf(each, "chunk_frames") === 0 && !isLinked(each, "start_image");
        if (!own) return undefined;
        ends ||= isLinked(each, "end_image");
    }
    return ends;
}

/** Whether the prompt comes encoded, from Options. */
export function isEncoded(node) {
    const options = sourceOf(node, "options");
    return options?.comfyClass === OPTIONS && isLinked(options, "positive");
}

/** The prompts of a stack, as far as widgets say when they start; null where one is linked. */
function stackPrompts(node) {
    const prompts = [];
    for (const each of stacked(node)) {
        const [start, unit] = [valueOf(each, "start"), valueOf(each, "unit")];
        const least = unit === "chunks" ? 1 : 0; // chunks count from 1 where they are typed
        if (unit === undefined || !(start >= least) || (least && !Number.isInteger(start))) return null;
        prompts.unshift({ start: start - least, unit });
    }
    return prompts;
}

/** The plan with the prompt of each chunk, where there are several and their starts are known; else with why not. */
function withPrompts(node, plan, chunkFrames, overlap) {
    try {
        const written = valueOf(node, "prompt");
        const ofText = isEncoded(node) || typeof written !== "string" ? [] : readWidget(written);
        const prompts = isLinked(node, "prompt_stack") ? stackPrompts(node) : ofText;
        if (!plan.chunks.length || !prompts || prompts.length < 2) return plan;
        const found = promptsOfChunks(plan.chunks, prompts, { ...plan, chunkFrames, overlap: covering(overlap) });
        return { ...plan, chunks: plan.chunks.map((chunk, index) => ({ ...chunk, prompt: found[index] + 1 })) };
    } catch (error) {
        if (!(error instanceof ScheduleError)) throw error;
        return { ...plan, note: error.message };
    }
}

/** Chunks as the timeline draws them: of very many every so many, and without a seam that can be chosen. */
function drawable(chunks) {
    const step = Math.max(1, Math.ceil(chunks.length / DRAWN));
    const told = chunks.map((chunk, index) => ({ ...chunk, index })).filter(({ index }) => index % step === 0);
    const seams = step > 1 ? [] : told.filter(({ seam }) => seam > 0).map(({ index }) => index);
    return { count: chunks.length, step, chunks: told, seams };
}

/** Width and height; where both are left to a picture, the default ones, of as many pixels. */
function size(node) {
    const [width, height] = SIZE.map((name) => valueOf(node, name));
    return width === 0 && height === 0 ? DEFAULT_SIZE : [width, height];
}

/** What of a plan depends on the prompt. */
export const toldBy = (plan) => JSON.stringify([plan?.note, plan?.chunks.map((chunk) => chunk.prompt)]);

/** The plan in numbers; null where that comes from other nodes. */
export function planned(node) {
    const [length, unit, fps, chunkFrames] = PLAN.map((name) => valueOf(node, name));
    const settings = sourceOf(node, "settings");
    const [preset, overlapFrames, continuity] = SETTINGS_PLAN.map((name) => (settings ? valueOf(settings, name) : null));
    const unknown = isLinked(node, "settings") && settings?.comfyClass !== SETTINGS;
    const ends = stackEnds(node);
    if (unknown || [length, unit, fps, chunkFrames, preset, overlapFrames, continuity, ends].includes(undefined)) return null;
    const total = countFrames(length, unit, fps);
    const overlap = FIXED_OVERLAP[continuity] ?? (overlapFrames || PRESET_OVERLAP[preset ?? "Standard"]);
    const toPicture = ends || isLinked(node, "end_image");
    const chunks = planChunks(total, chunkFrames, overlap, toPicture, isLinked(node, "source"));
    const bytes = diskBytes(chunks, ...size(node), isLinked(node, "run") ? 2 : 4);
    const plan = withPrompts(node, { total, fps, chunks, follows: preset === "Auto", bytes }, chunkFrames, overlap);
    return { ...plan, ...drawable(plan.chunks) };
}
