/** The chosen chunk: its film, its prompt, its seam, and what can be done about it. */

import { holdSeed, keepOf, queue, set, stop, write } from "./actions.mjs";
import { button, element, reveal } from "./element.mjs";
import { isLinked, widgetOf } from "./graph.mjs";
import { Player } from "./player.mjs";
import { isEncoded } from "./request.mjs";
import { writeLine } from "./schedule.mjs";
import { stackedPrompt } from "./stacks.mjs";
import { choose, redo, stopAfter } from "./takes.mjs";
import { chunkWords, origin, seamWords } from "./track.mjs";

const NO_KEEP = "connect Keep Run to make chunks again, to choose takes, and to stop and go on";
const ELSEWHERE = "the prompt comes from another node: change it there";
const EARLIER = "the prompt begins with an earlier chunk: choose that to change it";
const CHANGED = "The prompt is not what that run was told: change it in the widget.";
const CHOOSE = "Choose a chunk or a seam to see it.";
const AROUND = "the frames around the seam: two before the gap, two behind it";

/** A take as a person tells it from others. */
function takeWords({ number, seed, variation, grade }, used) {
    const drawn = seed ? `seed ${seed}${variation ? `, variation ${variation}` : ""}` : "";
    return [`take ${number}${used ? " (in use)" : ""}`, drawn, grade].filter(Boolean).join(": ");
}

export class Panel {
    constructor(parent, node) {
        this.node = node;
        this.index = null;
        const view = element("div", "view", parent);
        this.player = new Player(view);
        this.words = element("div", "words", view);
        this.words.setAttribute("role", "status");
        this.prompt = element("textarea", "", parent);
        this.prompt.setAttribute("aria-label", "Prompt of the chosen chunk, and of those behind it up to the next line");
        this.actions = element("div", "actions", parent);
        const act = (words, then) => button("", words, this.actions, then);
        this.again = act("redo with another seed", () => this.redo(false));
        this.only = act("redo only this one", () => this.redo(true));
        this.edit = act("use this prompt", () => this.write());
        this.take = element("select", "", this.actions);
        this.take.setAttribute("aria-label", "Take of the chosen chunk");
        this.take.addEventListener("change", () => this.player.film(this.wanted));
        this.use = act("use take", () => this.run(choose(this.chunk, this.plan.pinned, this.wanted.number)));
        this.here = act("stop here", () => this.halt());
        this.on = act("go on", () => this.run(stopAfter(this.plan.made)));
        this.film = act("video so far", () => this.player.all());
        this.clear();
    }

    clear() {
        this.index = null;
        this.player.clear();
        reveal(false, this.prompt, ...this.actions.children);
    }

    /** Show what is known of the video by now; what plays goes on. */
    update(plan, running) {
        this.plan = plan;
        this.running = running;
        this.player.update(plan.chunks);
        if (this.index !== null && !this.chunk) this.clear();
        if (this.index === null) this.words.textContent = plan.summary ? `${plan.summary} ${CHOOSE}` : "";
        else {
            this.fill();
            this.describe();
        }
        this.offer();
    }

    /** Show a chunk, or the seam before it. */
    choose(index, seam) {
        this.index = index;
        this.seam = seam;
        this.player.clear();
        this.filled = "";
        this.fill();
        this.describe();
        this.offer();
    }

    /** Show the film, the prompt and the takes of the chosen chunk, as soon as there are others. */
    fill() {
        const { chunk } = this;
        const known = JSON.stringify([chunk.film, chunk.picture, chunk.take, chunk.takes, this.told]);
        if (known === this.filled) return;
        this.filled = known;
        if (this.seam) this.player.picture(chunk.picture, AROUND);
        else if (!this.player.playsAll) this.player.film(chunk);
        if (document.activeElement !== this.prompt) this.prompt.value = this.told ?? ""; // else it is being written
        this.take.replaceChildren();
        for (const take of chunk.takes ?? []) {
            const option = element("option", "", this.take);
            const used = take.number === chunk.take; // asked of the option, the first would say so of itself too
            option.value = take.number;
            option.selected = used;
            option.textContent = takeWords(take, used);
        }
    }

    describe() {
        const { chunk } = this;
        const became = origin(chunk, this.plan.made, this.running);
        const parts = [this.seam ? "" : chunkWords(chunk, became), chunk.seam ? seamWords(chunk) : ""];
        this.words.textContent = [...parts.filter(Boolean), chunk.words ?? ""].join(". ");
    }

    /** The chosen chunk; undefined without one, or where the plan has no such chunk any more. */
    get chunk() {
        return this.plan.chunks.find((chunk) => chunk.index === this.index);
    }

    /** The take of the chosen chunk that is selected, in use or not. */
    get wanted() {
        return this.chunk.takes.find(({ number }) => number === Number(this.take.value));
    }

    /** What the chosen chunk was told, as far as that is known. */
    get told() {
        const { prompt } = this.chunk;
        return this.plan.prompts?.[(prompt ?? 1) - 1] ?? null;
    }

    offer() {
        const { chunks, count, made = 0, run } = this.plan;
        const { chunk } = this;
        const keep = keepOf(this.node);
        const finished = Boolean(chunk?.take);
        reveal(finished, this.again, this.only);
        reveal(chunk?.takes?.length > 1, this.take, this.use);
        reveal(this.running || (chunk && !finished), this.here);
        reveal(!this.running && run && made < count, this.on);
        reveal(chunks.length === count && chunks.some((each) => each.film), this.film);
        reveal(chunk && this.told !== null, this.prompt, this.edit);
        for (const each of [this.again, this.only, this.use, this.on]) {
            each.disabled = !keep;
            each.title = keep ? "" : NO_KEEP;
        }
        this.only.disabled ||= this.index + 1 >= made;
        this.here.disabled = !this.running && !keep;
        this.here.title = this.running ? "interrupts; finished chunks are kept" : keep ? "makes the chunks up to this one" : NO_KEEP;
        if (!chunk) return;
        this.prompt.readOnly = this.edit.disabled = !this.promptWidget || (this.ofStack && !chunk.first);
        this.edit.title = this.editWords;
    }

    get ofStack() {
        return isLinked(this.node, "prompt_stack");
    }

    /** Where the prompt of the chosen chunk is typed into; undefined where that is nowhere to be found. */
    get promptWidget() {
        if (this.ofStack) return stackedPrompt(this.node, this.told);
        return isEncoded(this.node) ? undefined : widgetOf(this.node, "prompt");
    }

    get editWords() {
        if (!this.promptWidget) return ELSEWHERE;
        if (!this.ofStack) return "writes it into the prompt of the node, from this chunk on";
        return this.chunk.first ? "writes it into the stack" : EARLIER;
    }

    redo(only) {
        const keep = keepOf(this.node);
        const now = { vary_from: widgetOf(keep, "vary_from")?.value ?? 0, variation: widgetOf(keep, "variation")?.value ?? 0 };
        this.run(redo(this.chunk, this.plan.pinned, only, now));
    }

    /** Make the chunks up to the chosen one; while it runs, interrupt. */
    halt() {
        if (this.running) return stop(this.running);
        this.run(stopAfter(this.plan.made ?? 0, this.index));
    }

    write() {
        if (this.ofStack) {
            write(this.promptWidget, this.prompt.value.trim());
            return this.submit(this.node, {});
        }
        const { fps, source = 0, prompts } = this.plan;
        const { first, seam } = this.chunk;
        const prompt = (this.chunk.prompt ?? 1) - 1;
        const seconds = (seam - source) / fps;
        const text = writeLine(this.promptWidget.value, prompts, { prompt, first, seconds }, this.prompt.value);
        if (text === null) this.words.textContent = CHANGED;
        else this.submit(this.node, { prompt: text });
    }

    run(values) {
        this.submit(keepOf(this.node), values);
    }

    submit(node, values) {
        const linked = set(node, values);
        if (linked) {
            this.words.textContent = `${linked} comes from another node: change it there.`;
            return;
        }
        holdSeed(this.node, this.plan.seed);
        queue();
    }
}
