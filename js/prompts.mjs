/** Prompts by time, as wan/prompt_text.py reads them: the grammar stands there, and a test holds the two together. */

const UNITS = ["chunks", "seconds"];
const LATEST = 100_000;
const SECONDS = ["s", "sec", "secs", "second", "seconds", "秒"];
const LOOSE = [...SECONDS, "over", "to", "chunk", "m", "min", "mins", "minute", "minutes", "h"];
const HEAD_WORDS = [
    ...["chunk", "chunks", "prompt", "prompts", "schedule", "text", "timeline"],
    ...["at", "s", "sec", "second", "seconds", "start", "starts", "time", "when"],
];
export const LINE_END = /\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]/;
const BLANK = "\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000"; // as Python has it
const EDGES = new RegExp(`^[${BLANK}]+|[${BLANK}]+$`, "g");
const SPACE = /[ \t\xa0\u2000-\u200a\u202f]*/y;
const NUMBER = /[0-9]+(?:\.[0-9]+)?/y;
const CLOCK = /([0-9]+):([0-5][0-9])(?::([0-5][0-9]))?(\.[0-9]+)?(?![0-9])/y;
const WORD = /[A-Za-z]+|秒/y;
const HALF_DAY = /[ap]\.?m(?![A-Za-z])/iy;
const LOOSE_HEAD = /(?:[0-9 .+~*#()[\]-]|\t)+|[A-Za-z]+|秒/y;
const LIST = /^([0-9]{1,6})[ \t]*[.)=|-][ \t]/;
const HEADING = /^[A-Za-z \t:,|/()-]{1,60}$/;

/** What the front end leaves out of a prompt before it queues it. */
export const COMMENTS = /\/\*[\s\S]*?\*\/|\/\/.*/g;

const strip = (text) => text.replace(EDGES, "");
const isDigit = (text) => /^[0-9]/.test(text);

function asAscii(text) {
    const one = (code) => {
        if (code >= 0xff01 && code <= 0xff5e) return code - 0xfee0;
        if (code >= 0x660 && code <= 0x669) return code - 0x660 + 0x30;
        if (code >= 0x6f0 && code <= 0x6f9) return code - 0x6f0 + 0x30;
        if ((code >= 0x2010 && code <= 0x2015) || code === 0x2212) return 0x2d;
        return { 0x301c: 0x7e, 0x3010: 0x5b, 0x3011: 0x5d, 0x3000: 0x20 }[code] ?? code;
    };
    return text.replace(/[^\0-\x7f]/g, (sign) => String.fromCharCode(one(sign.charCodeAt(0))));
}

function match(pattern, text, place) {
    pattern.lastIndex = place;
    return pattern.exec(text);
}

/** Goes through one line; what it does not take stays for the next try. */
class Scanner {
    constructor(line) {
        this.line = asAscii(line);
        this.place = 0;
    }

    space() {
        const before = this.place;
        this.place += match(SPACE, this.line, before)[0].length;
        return this.place > before;
    }

    sign(...signs) {
        const before = this.place;
        this.space();
        const found = signs.includes(this.line[this.place]);
        this.place = found ? this.place + 1 : before;
        return found;
    }

    word(...words) {
        const before = this.place;
        this.space();
        const found = match(WORD, this.line, this.place)?.[0] ?? "";
        const taken = words.includes(found.toLowerCase());
        this.place = taken ? this.place + found.length : before;
        return taken;
    }

    time() {
        this.space();
        const clock = match(CLOCK, this.line, this.place);
        if (clock) {
            this.place += clock[0].length;
            const parts = clock.slice(1, 4).filter((part) => part !== undefined);
            const value = parts.reduceRight((sum, part, index) => sum + Number(part) * 60 ** (parts.length - 1 - index), 0);
            return { value: value + Number(clock[4] ?? 0), seconds: true, close: true, clock: true };
        }
        const number = match(NUMBER, this.line, this.place)?.[0];
        if (number === undefined) return null;
        this.place += number.length;
        const behind = this.place;
        const seconds = this.word(...SECONDS);
        const close = seconds && ["s", "秒"].includes(this.line.slice(behind, this.place).toLowerCase());
        return { value: Number(number), seconds, close, clock: false };
    }
}

/** The mark of a line and the text behind it; null where it begins with none. */
function readMark(line) {
    const scan = new Scanner(line);
    const bracket = scan.sign("[");
    const named = scan.word("chunk");
    const start = scan.time();
    if (!start) return null;
    let last = start;
    let end = null;
    const before = scan.place;
    if (scan.sign("-", "~") || scan.word("to")) {
        end = scan.time();
        if (!end) scan.place = before; // a dash in front of the text
        last = end ?? last;
    }
    let over = null;
    if (scan.word("over")) {
        over = last = scan.time();
        if (!over) return null;
    }
    if (bracket && !scan.sign("]")) return null;
    const seconds = start.seconds || Boolean(end?.seconds);
    let form = "sure";
    if (scan.sign(":")) {
        const plain = !(bracket || named || seconds || end || over);
        if (plain && isDigit(scan.line.slice(scan.place))) return null; // a ratio
    } else if (!bracket) {
        const apart = scan.space() || scan.place === scan.line.length;
        if (!(last.close && seconds && apart) || match(HALF_DAY, scan.line, scan.place)) return null;
        form = start.clock ? "clock" : "seconds";
        scan.sign("-");
    }
    const number = start.value;
    return {
        start: number,
        unit: seconds ? "seconds" : "chunks",
        end: end?.value,
        transition: over?.value ?? 0,
        transitionUnit: over && (over.seconds ? "seconds" : "chunks"),
        form,
        clock: start.clock,
        decade: form === "seconds" && number % 10 === 0 && ((number >= 20 && number < 100) || (number >= 1800 && number < 2100)),
        text: strip(line.slice(scan.place)),
    };
}

/** Whether a line without a mark begins with something that was meant for one. */
function resemblesMark(line) {
    const plain = [...asAscii(strip(line))].slice(0, 80).join("");
    const colon = plain.indexOf(":");
    const head = plain.slice(0, Math.max(0, colon));
    if (colon < 0 || !/[0-9]/.test(head) || match(WORD, head, 0)) return false;
    if (isDigit(plain.slice(colon + 1))) return /^0*$/.test(strip(head));
    for (let place = 0; place < head.length; ) {
        const found = match(LOOSE_HEAD, head, place)?.[0];
        if (found === undefined || (match(WORD, found, 0) && !LOOSE.includes(found.toLowerCase()))) return false;
        place += found.length;
    }
    return true;
}

/** The marks of a text's lines, without those that read as prose where they stand. */
function chooseMarks(marks) {
    const found = marks.filter((mark) => mark);
    if (!found.length) return marks;
    const loose = marks.every((mark) => mark?.form === "seconds");
    const listed = loose && marks.length > 1 && !found.every((mark) => mark.decade);
    const atOnce = marks[0]?.start === 0;
    if (!(listed || atOnce || found.some((mark) => mark.form === "sure"))) return marks.map(() => null);
    let earliest = Infinity;
    let earliestClock = Infinity;
    return marks.map((mark, index) => {
        if (mark && mark.form !== "sure" && !(index === 0 && atOnce)) {
            const behind = mark.form === "clock" ? earliestClock : mark.decade ? earliest : -1;
            if (!(mark.start > behind)) return null;
        }
        if (mark?.unit === "seconds") {
            earliest = Math.min(earliest, mark.start);
            if (mark.clock) earliestClock = Math.min(earliestClock, mark.start);
        }
        return mark;
    });
}

function checkProse(lines) {
    const numbers = lines.map(([, line]) => LIST.exec(asAscii(strip(line)))?.[1]).map((digits) => digits && Number(digits));
    const counted = numbers.every((number, index) => number === numbers[0] + index);
    if (numbers.length > 1 && [0, 1].includes(numbers[0]) && counted) refuse(lines[1][0]);
    for (const [number, line] of lines.slice(1)) {
        const mark = readMark(line);
        if (mark?.form === "seconds" && !mark.decade) refuse(number);
    }
}

function isHeading(line, begun) {
    const bare = asAscii(strip(line));
    const words = bare.toLowerCase().match(/[a-z]+/g) ?? [];
    const known = HEADING.test(bare) && words.length > 0 && words.every((word) => HEAD_WORDS.includes(word));
    return bare.startsWith("#") || known || (begun && bare.endsWith(":"));
}

/** A line of a prompt that looks like one of a schedule and cannot be read. */
export class ScheduleError extends Error {}

/** @param {number} line that cannot be read */
function refuse(line) {
    throw new ScheduleError(`prompt, line ${line} cannot be read; a run says why`);
}

function startOf({ start, unit }, base) {
    return unit === "chunks" ? start - base : start;
}

function checkEntries(entries, base) {
    const seen = new Set();
    for (const { number, mark } of entries) {
        const { start, unit, end = start, transition, transitionUnit } = mark;
        const whole = unit === "seconds" || [start, end].every((time) => time > LATEST || Number.isInteger(time));
        if ((transitionUnit && transitionUnit !== unit) || !whole) refuse(number);
        if (startOf(mark, base) > LATEST || Math.max(start, end) > LATEST + 1 || transition > LATEST) refuse(number);
        if (end < start || (mark.end === start && unit === "seconds")) refuse(number);
        const key = startOf(mark, base) === 0 ? "0" : `${startOf(mark, base)} ${unit}`;
        if (seen.has(key)) refuse(number);
        seen.add(key);
    }
    for (const unit of UNITS) {
        const ordered = entries.filter(({ mark }) => mark.unit === unit).sort((a, b) => a.mark.start - b.mark.start);
        ordered.forEach(({ number, mark }, index) => {
            const expected = mark.end + (unit === "chunks" ? 1 : 0);
            if (mark.end !== undefined && ordered[index + 1] && ordered[index + 1].mark.start !== expected) refuse(number);
        });
    }
}

/**
 * @param {string} written in the prompt
 * @returns {{text: string, start: number, unit: "chunks" | "seconds", transition: number, line: number, last: number}[]}
 *     chunks count from 0; the lines that it stands on, with its mark, from 1
 * @throws {ScheduleError} if a line cannot be read
 */
export function readSchedule(written) {
    const text = written.replace(/^\ufeff/, "");
    const lines = text.split(LINE_END).map((line, index) => [index + 1, line]).filter(([, line]) => strip(line));
    const marks = chooseMarks(lines.map(([, line]) => readMark(line)));
    lines.forEach(([number, line], index) => {
        if (!marks[index] && resemblesMark(line)) refuse(number);
    });
    const whole = { text, start: 0, unit: "chunks", transition: 0, line: lines[0]?.[0], last: lines.at(-1)?.[0] };
    if (!marks.some((mark) => mark)) {
        checkProse(lines);
        return [whole];
    }
    const begin = marks.findIndex((mark) => mark);
    const entries = [];
    lines.slice(begin).forEach(([number, line], index) => {
        const mark = marks[begin + index];
        if (mark) entries.push({ number, last: number, mark, texts: mark.text ? [mark.text] : [] });
        else if (entries.at(-1).mark.text) refuse(number);
        else Object.assign(entries.at(-1), { last: number }).texts.push(strip(line));
    });
    const base = entries.some(({ mark }) => mark.unit === "chunks" && mark.start === 0) ? 0 : 1;
    const begun = entries.some(({ mark }) => startOf(mark, base) === 0);
    const before = lines.slice(0, begin);
    if (before.length && isHeading(before[0][1], begun)) before.shift();
    if (before.length && begun) refuse(before[0][0]);
    checkEntries(entries, base);
    const first = before.map(([, line]) => line).join("\n");
    const unmarked = { ...whole, text: first, line: before[0]?.[0], last: before.at(-1)?.[0] };
    const rest = entries.map(({ number, last, mark: { unit, transition, ...mark }, texts }) => {
        return { text: texts.join("\n"), start: startOf({ ...mark, unit }, base), unit, transition, line: number, last };
    });
    return before.length ? [unmarked, ...rest] : rest;
}

/** The same of what a widget holds, whose comments the front end leaves out of what it queues. */
export const readWidget = (written) => readSchedule(written.replace(COMMENTS, ""));

/**
 * Which prompt each chunk has, as wan/layout.py begins them: the nearest seam, and a chunk for each.
 *
 * @param {{seam: number, stop: number}[]} chunks of a plan whose prompts change neither lengths nor cuts
 * @param {{start: number, unit: string}[]} prompts chunks count from 0
 * @param {{total: number, fps: number, chunkFrames: number, overlap: number}} plan
 * @returns {number[]} which of the prompts each chunk has, from 0, in the order in which they begin
 */
export function promptsOfChunks(chunks, prompts, { total, fps, chunkFrames, overlap }) {
    const queues = UNITS.map((unit) => prompts.filter((each) => each.unit === unit).sort((a, b) => a.start - b.start));
    const inFrames = ({ start, unit }) =>
        unit === "seconds" || start === 0 ? start * fps : overlap + start * (chunkFrames - overlap);
    const earliest = (candidates, moment) =>
        candidates.reduce((best, queue) => (moment(queue[0]) < moment(best[0]) ? queue : best));
    earliest(queues.filter((queue) => queue.length), inFrames).shift();
    let now = 0;
    return chunks.map(({ seam, stop }, at) => {
        if (at === 0) return now;
        const isDue = ({ start, unit }) => {
            if (unit === "chunks") return start <= at;
            if (stop >= total) return start * fps < total;
            return Math.abs(start * fps - seam) <= Math.abs(start * fps - stop);
        };
        const due = queues.filter((queue) => queue.length && isDue(queue[0]));
        const moment = ({ start, unit }) => (unit === "seconds" ? start * fps : start < at ? chunks[start].seam : seam);
        if (!due.length) return now;
        earliest(due, moment).shift();
        return ++now;
    });
}
