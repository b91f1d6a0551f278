/** The chunk plan in numbers, as wan/layout.py lays it out for one prompt; a test holds the two against each other. */

/** Overlap of each preset of Settings, in frames. */
export const PRESET_OVERLAP = { Standard: 16, "Fast motion": 24, "Slow or static": 8, Auto: 16 };

/** Chunks that a plan may have. */
export const MOST_CHUNKS = 100_000;
const LONGEST_CHUNK = 16_385;
const LENGTHS = [0.01, 100_000];
const RATES = [0.01, 1000];

/** The next number of frames that Wan encodes as a whole, 4n + 1. */
export const covering = (frames) => Math.max(0, Math.ceil((frames - 1) / 4)) * 4 + 1;
const within = (number, [least, most]) => typeof number === "number" && number >= least && number <= most;

/** To the nearest whole number, and half to the even one, as Python rounds. */
function roundEven(number) {
    const up = Math.round(number);
    return up - number === 0.5 && up % 2 ? up - 1 : up;
}

/**
 * @param {number} length of the video, in the unit
 * @param {"seconds" | "frames"} unit
 * @param {number} fps
 * @returns {number} frames of the finished video; 0 where the loop refuses the numbers
 */
export function countFrames(length, unit, fps) {
    if (!within(length, LENGTHS) || !within(fps, RATES)) return 0;
    if (unit === "seconds") return Math.max(1, roundEven(length * fps));
    return Number.isInteger(length) ? length : 0;
}

/**
 * @param {number} total frames of the finished video
 * @param {number} chunkFrames frames of one chunk, 4n + 1
 * @param {number} overlapFrames frames that neighbors share; the next 4k + 1 is used
 * @param {boolean} toPicture whether the video, or a part of it, ends with a given picture
 * @param {boolean} source whether it goes on from a given video, whose last frames the first chunk shares
 * @returns {{start: number, stop: number, seam: number}[]} none where the numbers make no plan
 */
export function planChunks(total, chunkFrames, overlapFrames, toPicture = false, source = false) {
    if (![total, chunkFrames, overlapFrames].every((number) => Number.isInteger(number) && number >= 1)) return [];
    const overlap = covering(overlapFrames);
    if (chunkFrames % 4 !== 1 || Math.max(chunkFrames, overlapFrames) > LONGEST_CHUNK) return [];
    const added = chunkFrames - overlap;
    const most = MOST_CHUNKS * added + (source ? 0 : overlap);
    if ((source || total > chunkFrames) && (added < 1 || total > most)) return [];
    const chunks = [];
    let length = 0;
    let seam = 0;
    while (seam < total) {
        const first = seam === 0 && !source;
        const start = first ? 0 : seam - overlap;
        length = Math.min(chunkFrames, covering(total - start));
        const left = total - (start + length);
        // The last chunk needs frames to lead to its picture, this one to be made at all.
        if (toPicture && left > 0 && left < 4 && length - 4 >= (first ? 3 : overlap + 4)) length -= 4;
        chunks.push({ start: Math.max(0, start), stop: Math.min(start + length, total), seam });
        seam = start + length;
    }
    const known = chunks.length === 1 && !source ? 1 : overlap;
    return toPicture && known + (seam - total) > length - 2 ? [] : chunks;
}

/**
 * What the chunks of a plan take on disk, about: their frames, those that their joins change, and their latents.
 *
 * @param {{start: number, stop: number, seam: number}[]} chunks
 * @param {number} width of the video in pixels
 * @param {number} height
 * @param {number} size bytes of a number: 2 with Keep Run, 4 without
 * @returns {number} bytes; NaN where the size of the video is not known
 */
export function diskBytes(chunks, width, height, size) {
    if (!width || !height) return NaN; // a side that follows a picture
    const frames = chunks.reduce((sum, chunk) => sum + chunk.stop - chunk.start, 0);
    const latents = chunks.reduce((sum, chunk) => sum + (covering(chunk.stop - chunk.start) + 3) / 4, 0);
    return 3 * frames * width * height * size + 16 * latents * (width / 8) * (height / 8) * 4;
}
