/** The chunks of a video to scale: what became of each, its still, and its seam as a button. */

import { api } from "../../scripts/api.js";
import { button, element } from "./element.mjs";
import { CELL } from "./style.mjs";

const ORIGINS = { made: "made now", kept: "kept", chosen: "the take that was chosen", making: "being made", planned: "not made yet" };

export const viewUrl = (file) => api.apiURL(`/view?${new URLSearchParams(file)}`);

/** What a grade is called in the style. */
const className = (grade) => (grade ?? "").replaceAll(" ", "-");

/** What became of a chunk. */
export function origin(chunk, made, running) {
    if (chunk.origin) return chunk.origin;
    return running && chunk.index === made ? "making" : "planned";
}

export function seamWords(chunk) {
    const measured = chunk.grade ? `: ${chunk.grade}, score ${chunk.score.toFixed(2)}` : "";
    return `seam before frame ${chunk.seam}${measured}`;
}

export function chunkWords(chunk, became) {
    const takes = chunk.takes?.length > 1 ? `, take ${chunk.take} of ${chunk.takes.length}` : "";
    return `chunk ${chunk.index + 1}: frames ${chunk.start} to ${chunk.stop - 1}, ${ORIGINS[became]}${takes}`;
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
     * @param {{total: number, count: number, step: number, chunks: object[], seams: number[], source?: number,
     *     made?: number}} plan `count` chunks, of which those are told that begin a bar, `step` of them in one, and
     *     those of the `seams` that have a button
     * @param {boolean} running whether its next chunk is being made
     */
    draw({ total, count, step, chunks, seams, source = 0, made = 0 }, running) {
        const focused = this.lane.contains(document.activeElement) ? document.activeElement.dataset.at : null;
        this.lane.replaceChildren();
        this.lane.style.width = step > 1 ? "100%" : `${CELL * count}px`;
        const place = (frame) => `${(100 * frame) / total}%`;
        const firsts = chunks.filter((chunk) => chunk.index % step === 0);
        for (const [at, chunk] of firsts.entries()) {
            const became = origin(chunk, made, running);
            const bar = button(`chunk ${became}`, "", this.lane, () => this.choose(chunk.index, false));
            // Where more than half of a chunk is known, the next but one begins before it ends, in the same row.
            const from = step > 1 ? chunk.start : Math.max(chunk.start, firsts[at - 2]?.stop ?? 0);
            const end = step > 1 ? (firsts[at + 1]?.seam ?? total) : chunk.stop;
            bar.style.left = place(from);
            bar.style.width = place(end - from);
            bar.dataset.at = `c${chunk.index}`;
            const last = Math.min(chunk.index + step, count);
            const several = `chunks ${chunk.index + 1} to ${last}: frames ${chunk.start} to ${end - 1}`;
            bar.title = last > chunk.index + 1 ? several : chunkWords(chunk, became);
            bar.setAttribute("aria-label", bar.title);
            if (step > 1) continue;
            if (chunk.still) {
                const still = element("img", "", bar);
                still.alt = "";
                still.loading = "lazy";
                still.addEventListener("error", () => still.remove()); // the host empties its temporary folder when it starts
                still.src = viewUrl(chunk.still);
            }
            const number = chunk.index + 1;
            element("span", "", bar).textContent = chunk.prompt ? `${number} (prompt ${chunk.prompt})` : `${number}`;
        }
        if (source > 0) {
            const bar = element("div", "source", this.lane);
            bar.style.left = place(0);
            bar.style.width = place(source);
            bar.title = `source: frames 0 to ${source - 1}`;
            bar.textContent = "source";
        }
        const told = new Map(chunks.map((chunk) => [chunk.index, chunk]));
        for (const chunk of seams.map((index) => told.get(index))) {
            const seam = button(`seam ${className(chunk.grade)}`.trim(), "", this.lane, () => this.choose(chunk.index, true));
            seam.style.left = place(chunk.seam);
            seam.dataset.at = `s${chunk.index}`;
            seam.title = seamWords(chunk);
            seam.setAttribute("aria-label", `${seam.title}, to chunk ${chunk.index + 1}`);
        }
        if (focused) this.lane.querySelector(`[data-at="${focused}"]`)?.focus();
    }

    /** Mark what is chosen. */
    mark(index, seam) {
        const at = index === null ? null : `${seam ? "s" : "c"}${index}`;
        for (const each of this.lane.querySelectorAll("button")) each.setAttribute("aria-pressed", each.dataset.at === at);
    }
}
