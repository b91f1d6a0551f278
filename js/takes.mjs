/** What Keep Run's widgets hold for what one asks of a chunk; each is a plain value, which a person could type as well. */

const write = (pairs) => pairs.map(([chunk, take]) => `${chunk}: ${take}`).join(", ");

/**
 * A chunk again with a seed that it did not have.
 *
 * @param {{index: number, takes?: {number: number}[]}} chunk
 * @param {number[][]} pinned chunks, from 1, and their takes, which the widgets alone would not find again
 * @param {boolean} only whether those behind it stay
 * @param {{vary_from: number, variation: number}} now what the widgets hold
 */
export function redo({ index, takes = [] }, pinned, only, now) {
    const used = now.vary_from === index + 1 ? now.variation : 0;
    // The first take has the chunk's own seed, and each later one another: as many as there are takes are used up.
    const variation = Math.max(used + 1, ...takes.map((take) => take.number));
    return {
        vary_from: index + 1,
        variation,
        keep_later: only,
        use_takes: write(only ? pinned : pinned.filter(([chunk]) => chunk <= index)),
    };
}

/** Another take of a chunk, and what was made behind it. */
export function choose({ index }, pinned, take) {
    const before = pinned.filter(([chunk]) => chunk <= index);
    return { vary_from: 0, keep_later: false, use_takes: write([...before, [index + 1, take]]) };
}

/** How many new chunks to make: up to one of them, or, without one, all. */
export function stopAfter(made, index = null) {
    return { stop_after: index === null ? 0 : index + 1 - made };
}
