/** A prompt written into the text of a prompt widget, as a line of its schedule. */

import { COMMENTS, LINE_END, ScheduleError, readWidget } from "./prompts.mjs";

const oneLine = (text) => text.split(/\s*\n\s*/).join(" ").trim();
/** A text as the host reads it. */
export const plain = (text) => text.replace(COMMENTS, "").trim();

/** A line of a text with what stands in it changed, a comment at its end kept; null where the text is not all behind its mark. */
function rewrite(line, before, wanted) {
    const bare = line.replace(COMMENTS, "").trimEnd();
    if (!line.startsWith(bare) || !bare.endsWith(before)) return null;
    return bare.slice(0, bare.length - before.length) + wanted + line.slice(bare.length);
}

/** A text that is one prompt, changed, with its comments kept; null where one stands within the prompt. */
function replaceAlone(text, before, wanted) {
    const comments = text.match(COMMENTS) ?? [];
    const parts = text.split(COMMENTS);
    if (parts.filter((part) => part.trim()).length > 1) return null;
    const at = Math.max(0, parts.findIndex((part) => part.trim()));
    parts[at] = parts[at].replace(before, () => wanted);
    return parts.map((part, index) => part + (comments[index] ?? "")).join("");
}

/** Of a schedule's entries the one that a run took for a prompt; null where that cannot be told. */
function entryOf(entries, told, prompt) {
    const same = entries.filter(({ text }) => text.trim() === told[prompt].trim());
    if (same.length < 2) return same[0] ?? null;
    const timed = entries.filter(({ start }) => start > 0);
    const ordered = [...entries].sort((one, other) => one.start - other.start);
    const read = ordered.length === told.length && ordered.every(({ text }, at) => text.trim() === told[at]?.trim());
    return read && timed.every(({ unit }) => unit === timed[0].unit) ? ordered[prompt] : null;
}

/** The entries of a text by its own lines; none where it cannot be read, or a comment hides the end of a line. */
function entriesOf(text) {
    if (text.match(COMMENTS)?.some((comment) => LINE_END.test(comment))) return [];
    try {
        return readWidget(text);
    } catch (error) {
        if (error instanceof ScheduleError) return [];
        throw error;
    }
}

/**
 * @param {string} text what the widget holds
 * @param {(string | null)[]} told the prompts that a run read in it, in the order in which they begin
 * @param {{prompt: number, first: boolean, seconds: number}} chunk its prompt by index, whether it is that prompt's
 *     first chunk, and where it begins
 * @param {string} wanted what it is told, and all behind it up to the next line
 * @returns {string | null} null where the text is not what the run read, or its line cannot be told
 */
export function writeLine(text, told, { prompt, first, seconds }, wanted) {
    if (typeof told[prompt] !== "string") return null;
    const before = told[prompt].trim();
    const line = `${Number(seconds.toFixed(3))}s: ${oneLine(wanted)}`;
    const entries = entriesOf(text);
    if (entries.length < 2 && plain(text) === before) {
        if (first) return replaceAlone(text, before, wanted.trim());
        return `0s: ${oneLine(plain(text))}\n${line}`;
    }
    const entry = entryOf(entries, told, prompt);
    if (!entry) return null;
    const lines = text.split(LINE_END);
    if (!first) lines.splice(entry.last, 0, line);
    else if (entry.line !== entry.last) return null;
    else {
        const found = rewrite(lines[entry.line - 1], before, oneLine(wanted));
        if (found === null) return null;
        lines[entry.line - 1] = found;
    }
    return lines.join("\n");
}
