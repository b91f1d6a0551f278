/** Elements of the page; what they say is always set as text, never as markup. */

export function element(tag, className, parent) {
    const made = document.createElement(tag);
    made.className = className;
    parent?.append(made);
    return made;
}

export function button(className, words, parent, then) {
    const made = element("button", className, parent);
    made.type = "button";
    made.textContent = words;
    made.addEventListener("click", then);
    return made;
}

/** Show an element, or hide it. */
export function reveal(shown, ...elements) {
    for (const each of elements) each.hidden = !shown;
}
