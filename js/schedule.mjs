/** A prompt written into the text of a prompt widget, as a line of its schedule. */

const COMMENT = /\/\*[\s\S]*?\*\/|\/\/.*/g; // which the front end takes out before it sends a prompt
const MARK = /^\s*\[?[\d０-９]/;

const oneLine = (text) => text.split(/\s*\n\s*/).join(" ").trim();
/** A text as the host reads it. */
export const plain = (text) => text.replace(COMMENT, "").trim();

/** What stands before a text in a line that ends with it, where that can be a start; null elsewhere. */
function markBefore(line, text) {
    const bare = line.replace(COMMENT, "").trimEnd();
    if (!bare.endsWith(text)) return null;
    const mark = bare.slice(0, bare.length - text.length);
    return MARK.test(mark) ? mark : null;
}

/**
 * @param {string} text what the widget holds
 * @param {(string | null)[]} told the prompts that a run read in it, in the order in which they begin
 * @param {{prompt: number, first: boolean, seconds: number}} chunk its prompt by index, whether it is that prompt's
 *     first chunk, and where it begins
 * @param {string} wanted what it is told, and all behind it up to the next line
 * @returns {string | null} null where the text is not what the run read
 */
export function writeLine(text, told, { prompt, first, seconds }, wanted) {
    const before = told[prompt];
    if (typeof before !== "string") return null;
    const line = `${Number(seconds.toFixed(3))}s: ${oneLine(wanted)}`;
    if (told.length === 1 && plain(text) === before.trim()) {
        return first ? wanted.trim() : `0s: ${oneLine(plain(text))}\n${line}`;
    }
    const lines = text.split(/\r?\n/);
    const fitting = lines.map((each, at) => at).filter((at) => markBefore(lines[at], before.trim()) !== null);
    const marked = lines.map((each, at) => at).filter((at) => MARK.test(lines[at]));
    const at = fitting.includes(marked[prompt]) ? marked[prompt] : fitting[0];
    if (at === undefined) return null;
    if (first) lines[at] = markBefore(lines[at], before.trim()) + oneLine(wanted);
    else lines.splice(at + 1, 0, line);
    return lines.join("\n");
}
