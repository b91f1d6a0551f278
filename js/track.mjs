/** The chunks of a video to scale: what became of each, its still, and its seam as a button. */

import { api } from "../../scripts/api.js";
import { button, element } from "./element.mjs";
import { CELL } from "./style.mjs";

export const DRAWN = 300; // chunks drawn one by one, and seams that have a button
const GRADES = { clean: "as real video", near: "a little out", out: "out" };
const ORIGINS = { made: "made now", kept: "kept", chosen: "the take that was chosen", making: "being made", planned: "not made yet" };

export const viewUrl = (file) => api.apiURL(`/view?${new URLSearchParams(file)}`);

/** How a seam measures: a score of 1 or less looks uncut, 2 is twice as far out. */
function grade(score) {
    if (score === null || score === undefined) return "";
    return score <= 1 ? "clean" : score <= 2 ? "near" : "out";
}

/** How many seams have each grade, in words; empty before a run. */
export function summary(chunks) {
    const count = Object.keys(GRADES).map((name) => [chunks.filter((chunk) => grade(chunk.score) === name).length, GRADES[name]]);
    const counted = count.filter(([number]) => number).map(([number, words]) => `${number} ${words}`);
    return counted.length ? `Seams: ${counted.join(", ")}. Choose a chunk or a seam to see it.` : "";
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

/** What became of a chunk. */
export function origin(chunk, index, made, running) {
    if (chunk.origin) return chunk.origin;
    return running && index === made ? "making" : "planned";
}

export function seamWords(chunk) {
    const measured = chunk.score === null || chunk.score === undefined ? "" : `, seam score ${chunk.score.toFixed(2)}`;
    return `seam before frame ${chunk.seam}${measured}`;
}

export function chunkWords(chunk, index, became) {
    const takes = chunk.takes?.length > 1 ? `, take ${chunk.take} of ${chunk.takes.length}` : "";
    return `chunk ${index + 1}: frames ${chunk.start} to ${chunk.stop - 1}, ${ORIGINS[became]}${takes}`;
}

export class Track {
    /** @param {(index: number, seam: boolean) => void} choose told of the chunk, or the seam before it, that is chosen */
    constructor(parent, choose) {
        this.choose = choose;
        this.root = element("div", "track", parent);
        this.lane = element("div", "lane", this.root);
        this.lane.setAttribute("role", "group");
        this.lane.setAttribute("aria-label", "Chunks and seams of the video");
    }

    /**
     * @param {{total: number, chunks: object[], source?: number, made?: number}} plan
     * @param {boolean} running whether its next chunk is being made
     */
    draw({ total, chunks, source = 0, made = 0 }, running) {
        const focused = this.lane.contains(document.activeElement) ? document.activeElement.dataset.at : null;
        this.lane.replaceChildren();
        this.lane.style.width = chunks.length <= DRAWN ? `${CELL * chunks.length}px` : "100%";
        const place = (frame) => `${(100 * frame) / total}%`;
        for (const { first, last } of groups(chunks)) {
            const [chunk, end] = [chunks[first], chunks[last]];
            const became = origin(chunk, first, made, running);
            const bar = button(`chunk ${became}`, "", this.lane, () => this.choose(first, false));
            // Where more than half of a chunk is known, the next but one begins before it ends, in the same row.
            const from = first === last ? Math.max(chunk.start, chunks[first - 2]?.stop ?? 0) : chunk.start;
            bar.style.left = place(from);
            bar.style.width = place(end.stop - from);
            bar.dataset.at = `c${first}`;
            bar.title = first === last ? chunkWords(chunk, first, became) : `chunks ${first + 1} to ${last + 1}: frames ${chunk.start} to ${end.stop - 1}`;
            bar.setAttribute("aria-label", bar.title);
            if (first !== last) continue;
            if (chunk.still) {
                const still = element("img", "", bar);
                still.alt = "";
                still.loading = "lazy";
                still.addEventListener("error", () => still.remove()); // the host empties its temporary folder when it starts
                still.src = viewUrl(chunk.still);
            }
            element("span", "", bar).textContent = chunk.prompt ? `${first + 1} (prompt ${chunk.prompt})` : `${first + 1}`;
        }
        if (source > 0) {
            const bar = element("div", "source", this.lane);
            bar.style.left = place(0);
            bar.style.width = place(source);
            bar.title = `source: frames 0 to ${source - 1}`;
            bar.textContent = "source";
        }
        for (const index of choosable(chunks, source)) {
            const seam = button(`seam ${grade(chunks[index].score)}`.trim(), "", this.lane, () => this.choose(index, true));
            seam.style.left = place(chunks[index].seam);
            seam.dataset.at = `s${index}`;
            seam.title = seamWords(chunks[index]);
            seam.setAttribute("aria-label", `${seam.title}, to chunk ${index + 1}`);
        }
        if (focused) this.lane.querySelector(`[data-at="${focused}"]`)?.focus();
    }

    /** Mark what is chosen. */
    mark(index, seam) {
        const at = index === null ? null : `${seam ? "s" : "c"}${index}`;
        for (const each of this.lane.querySelectorAll("button")) each.setAttribute("aria-pressed", each.dataset.at === at);
    }
}
