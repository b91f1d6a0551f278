/** The chunk plan in numbers, as wan/chunks.py lays it out for one prompt; a test holds the two against each other. */

/** Overlap of each preset of Settings, in frames. */
export const PRESET_OVERLAP = { Standard: 16, "Fast motion": 24, "Slow or static": 8, Auto: 16 };

const covering = (frames) => Math.max(0, Math.ceil((frames - 1) / 4)) * 4 + 1;

/**
 * @param {number} total frames of the finished video
 * @param {number} chunkFrames frames of one chunk, 4n + 1
 * @param {number} overlapFrames frames that neighbours share; the next 4k + 1 is used
 * @returns {{start: number, stop: number, seam: number}[]} none where the numbers make no plan
 */
export function planChunks(total, chunkFrames, overlapFrames) {
    const overlap = covering(overlapFrames);
    if (!(total >= 1) || chunkFrames % 4 !== 1 || (overlap >= chunkFrames && total > chunkFrames)) return [];
    const chunks = [];
    for (let seam = 0; seam < total; ) {
        const start = seam === 0 ? 0 : seam - overlap;
        const stop = start + Math.min(chunkFrames, covering(total - start));
        chunks.push({ start, stop: Math.min(stop, total), seam });
        seam = stop;
    }
    return chunks;
}
