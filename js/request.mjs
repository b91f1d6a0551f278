/** What a node's widgets ask for, before anything has run. */

import { isLinked, sourceOf, valueOf } from "./graph.mjs";
import { PRESET_OVERLAP, countFrames, diskBytes, planChunks } from "./plan.mjs";

export const SETTINGS = "WanMotionSettings";
export const STACKS = ["WanMotionPromptStack", "WanMotionConditioningStack"];
export const PLAN = ["length", "length_unit", "fps", "chunk_frames"];
export const SETTINGS_PLAN = ["preset", "overlap_frames", "continuity"];
export const PLAN_SOCKETS = ["settings", "prompt_stack", "end_image", "source", "run"];
export const STACK_SOCKETS = ["prompt_stack", "start_image", "end_image", "chunk_frames"];
export const SIZE = ["width", "height"];
const FIXED_OVERLAP = { last_frame: 1, svi: 5 }; // of levels that take no other

/** Whether some prompt of a stack ends with a picture; undefined where the chunks depend on the prompts. */
function stackEnds(node) {
    let ends = false;
    const seen = new Set();
    for (let at = node; isLinked(at, "prompt_stack"); ) {
        at = sourceOf(at, "prompt_stack");
        const plain = STACKS.includes(at?.comfyClass) && valueOf(at, "chunk_frames") === 0 && !isLinked(at, "start_image");
        if (!plain || seen.has(at)) return undefined;
        seen.add(at);
        ends ||= isLinked(at, "end_image");
    }
    return ends;
}

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
    const [width, height] = SIZE.map((name) => valueOf(node, name));
    return { total, fps, chunks, follows: preset === "Auto", bytes: diskBytes(chunks, width, height, isLinked(node, "run") ? 2 : 4) };
}
