/** Films of chunks, one after the other, or the picture of a seam. */

import { element } from "./element.mjs";
import { viewUrl } from "./track.mjs";

export class Player {
    constructor(parent) {
        this.root = element("div", "media", parent);
        this.chunks = [];
        this.at = null; // the chunk that "video so far" has come to
        this.shown = ""; // what is in the page, so that it is not begun again while it plays
    }

    /** What there is to play by now; goes on where "video so far" has waited for it. */
    update(chunks) {
        this.chunks = chunks;
        if (this.waits) this.next();
    }

    get playsAll() {
        return this.at !== null;
    }

    clear() {
        this.at = null;
        this.waits = false;
        this.shown = "";
        this.root.replaceChildren();
    }

    /** Show the film of a chunk, over and over; its still where there is no film. */
    film(chunk) {
        if (!chunk?.film) return this.clear();
        if (this.at === null && this.shown === chunk.film.filename) return;
        this.at = null;
        this.play(chunk).loop = true;
    }

    /** Play all finished chunks, and those that are finished meanwhile. */
    all() {
        this.at = -1;
        this.next();
    }

    next() {
        const coming = this.chunks[this.at + 1];
        this.waits = !coming?.film;
        if (this.waits) return;
        this.at += 1;
        const video = this.play(coming);
        const at = this.at;
        for (const end of ["ended", "error"]) video.addEventListener(end, () => this.at === at && this.next());
    }

    play(chunk) {
        const video = element("video", "", null);
        Object.assign(video, { muted: true, autoplay: true, controls: true, playsInline: true, src: viewUrl(chunk.film) });
        if (chunk.still) video.poster = viewUrl(chunk.still);
        video.addEventListener("error", () => video.removeAttribute("controls"));
        this.shown = chunk.film.filename;
        this.root.replaceChildren(video);
        return video;
    }

    /** The frames around a seam; the picture opens larger. */
    picture(file, words) {
        this.clear();
        if (!file) return;
        const link = element("a", "", this.root);
        link.href = viewUrl(file);
        link.target = "_blank";
        const image = element("img", "", link);
        image.addEventListener("error", () => link.remove()); // the host empties its temporary folder when it starts
        image.src = link.href;
        image.alt = words;
    }
}
