/** What Keep Run's widgets hold for what one asks of a chunk; each is a plain value, which a person could type as well. */

/** The takes that the widgets alone would not find again, as `use_takes` names them. */
function pin(chunks) {
    return chunks.filter((chunk) => chunk.pinned).map((chunk) => [chunk.index + 1, chunk.take]);
}

const write = (pairs) => pairs.map(([chunk, take]) => `${chunk}: ${take}`).join(", ");

/**
 * A chunk again with a seed that it did not have.
 *
 * @param {{take?: number, takes?: number[], pinned?: boolean}[]} chunks of the video, as they are
 * @param {number} index of the chunk
 * @param {boolean} only whether those behind it stay
 * @param {{vary_from: number, variation: number}} now what the widgets hold
 */
export function redo(chunks, index, only, now) {
    const numbered = chunks.map((chunk, at) => ({ ...chunk, index: at }));
    const used = now.vary_from === index + 1 ? now.variation : 0;
    // The first take has the chunk's own seed, and each later one another: as many as there are takes are used up.
    const variation = Math.max(used + 1, ...(chunks[index].takes ?? []));
    return {
        vary_from: index + 1,
        variation,
        keep_later: only,
        use_takes: write(pin(only ? numbered : numbered.slice(0, index))),
    };
}

/** Another take of a chunk, and what was made behind it. */
export function choose(chunks, index, take) {
    const before = chunks.slice(0, index).map((chunk, at) => ({ ...chunk, index: at }));
    return { vary_from: 0, keep_later: false, use_takes: write([...pin(before), [index + 1, take]]) };
}

/** How many new chunks to make: up to one of them, or, without one, all. */
export function stopAfter(made, index = null) {
    return { stop_after: index === null ? 0 : index + 1 - made };
}
