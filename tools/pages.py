"""Help pages and translations, written from what the nodes say of themselves; ``python dev.py pages``.

A help page is its node's description, what ``docs/nodes`` adds by hand, and tables of its inputs and outputs. The
English words are the nodes' own. Those of another language are in its folder's ``words.json`` by node, input and
output, each text beside the English that it was translated from: where the node says something else by now, it is
stale, which a test tells.
"""

from __future__ import annotations

import json
from pathlib import Path

from . import interface
from .server import Server
from .workflow import WIDGETS, type_of

ROOT = Path(__file__).resolve().parents[1]
PAGES, NOTES, LOCALES = ROOT / "js" / "docs", ROOT / "docs" / "nodes", ROOT / "locales"
PREFIX = "WanMotion"
RUNS = "run_name"
"""The input that lists runs, of Load Run."""


def main(arguments: list[str]) -> int:
    with Server() as server:
        object_info = server.get("/object_info")
    for path, text in build(object_info).items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    print(f"Written: {PAGES.relative_to(ROOT)} and {LOCALES.relative_to(ROOT)}")
    for problem in interface.extend(interface.describe(object_info)):
        print(f"{interface.PATH.relative_to(ROOT)}: {problem}")
    english = define_all(object_info)
    for path in translations():
        for problem in stale(json.loads(path.read_text(encoding="utf-8")), english):
            print(f"{path.relative_to(ROOT)}: {problem}")
    return 0


def build(object_info: dict) -> dict[Path, str]:
    """Every generated file and its text."""
    files = {PAGES / f"{name}.md": page(name, info) for name, info in _ours(object_info).items()}
    definitions = {"en": define_all(object_info)}
    for path in translations():
        definitions[path.parent.name] = translate(json.loads(path.read_text(encoding="utf-8")), definitions["en"])
    for language, content in definitions.items():
        files[LOCALES / language / "nodeDefs.json"] = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
    return files


def translations() -> list[Path]:
    """The words of every language but English."""
    return sorted(LOCALES.glob("*/words.json"))


def _ours(object_info: dict) -> dict:
    return {name: info for name, info in sorted(object_info.items()) if name.startswith(PREFIX)}


def page(name: str, info: dict) -> str:
    """A node's help in Markdown: what it does and what to know first, then two columns, which fit the sidebar."""
    lines = [f"# {info['display_name']}", "", info["description"]]
    notes = NOTES / f"{name}.md"
    if notes.exists():
        lines += ["", notes.read_text(encoding="utf-8").strip()]
    rows = [
        (key, " ".join(filter(None, (_ended(options.get("tooltip", "")), _limits(key, kind, options, needed)))))
        for key, kind, options, needed in inputs(info)
    ]
    lines += _table("Input", rows) if rows else []
    outputs = zip(info["output_name"], info["output_tooltips"], info["output"], strict=True)
    lines += _table("Output", [(key, f"{_ended(tooltip)} *{kind}*") for key, tooltip, kind in outputs])
    return "\n".join(lines) + "\n"


def _table(title: str, rows: list[tuple[str, str]]) -> list[str]:
    return [
        "",
        f"## {title}s",
        "",
        f"| {title} | |",
        "|---|---|",
        *(f"| `{key}` | {_cell(text)} |" for key, text in rows),
    ]


def _ended(text: str) -> str:
    return text if text.endswith((".", "?", "!", ":")) or not text else f"{text}."


def _limits(key: str, kind, options: dict, needed: str) -> str:
    """The type, or the choices or limits, of an input, and whether it may be left out."""
    parts = [_range(key, kind, options) if type_of(kind) in WIDGETS else type_of(kind)]
    if needed == "No" and type_of(kind) not in WIDGETS:
        parts.append("optional")
    text = "; ".join(filter(None, parts))
    return f"*{text}*" if text else ""


def define_all(object_info: dict) -> dict:
    """The English ``nodeDefs.json``."""
    return {name: define(info) for name, info in _ours(object_info).items()}


def define(info: dict) -> dict:
    """A node's entry in the front end's ``nodeDefs.json``."""
    outputs = zip(info["output_name"], info["output_tooltips"], strict=True)
    return {
        "display_name": info["display_name"],
        "description": info["description"],
        "inputs": {key: {"name": key, "tooltip": options["tooltip"]} for key, _, options, _ in inputs(info)},
        "outputs": {str(index): {"name": name, "tooltip": tooltip} for index, (name, tooltip) in enumerate(outputs)},
    }


def translate(words: dict, english: dict) -> dict:
    """``nodeDefs.json`` of a language. What it has no words for is left out, where the front end shows the node's own;
    a stale translation stays until it is mended."""
    given, found = dict(_words(words)), {}
    for place, named, _ in _texts(english):
        if named in given:
            *parents, key = place
            entry = found
            for parent in parents:
                entry = entry.setdefault(parent, {})
            word = given[named]
            entry[key] = word if isinstance(word, str) else word["translation"]
    return found


def stale(words: dict, english: dict) -> list[str]:
    """What is wrong with a language's words, each by its node and input or output: missing, made from another English
    text than the node has now, or left over."""
    given, wanted = dict(_words(words)), {named: text for _, named, text in _texts(english)}
    problems = []
    for named, text in wanted.items():
        word = given.get(named)
        if word is None:
            problems.append(f"{'.'.join(named)} has no translation: {text!r}")
        elif not isinstance(word, str) and word["english"] != text:
            problems.append(f"{'.'.join(named)} is {text!r} now, but was translated from {word['english']!r}")
    return problems + [f"{'.'.join(named)} is not there any more" for named in given if named not in wanted]


def _texts(english: dict):
    """Where each text is in ``nodeDefs.json``; where in ``words.json``, in which outputs go by name; and the text."""
    for node, definition in english.items():
        for key in ("display_name", "description"):
            yield (node, key), (node, key), definition[key]
        for group in ("inputs", "outputs"):
            for key, entry in definition[group].items():
                for part, text in entry.items():
                    yield (node, group, key, part), (node, group, entry["name"], part), text


def _words(words: dict, place: tuple[str, ...] = ()):
    """Where each entry of ``words.json`` is, and the entry: a name, or a translation beside its English."""
    for key, value in words.items():
        if isinstance(value, str) or "translation" in value:
            yield (*place, key), value
        else:
            yield from _words(value, (*place, key))


def inputs(info: dict):
    """Key, kind, options, and whether it is required, of each input."""
    for group in ("required", "optional"):
        for key, (kind, *rest) in info["input"].get(group, {}).items():
            yield key, kind, rest[0] if rest else {}, "Yes" if group == "required" else "No"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _range(key: str, kind, options: dict) -> str:
    if key == RUNS and options.get("default") is None:
        return "a run"  # which ones there are depends on the host
    choices = kind if isinstance(kind, list) else options.get("options")
    if choices is not None and all("." in str(choice) for choice in choices):
        return "a file"  # which ones is the host's to say
    if choices:
        return ", ".join(map(str, choices)) if len(choices) < 12 else f"{len(choices)} choices"
    if "min" in options and "max" in options:
        return f"{options['min']} to {options['max']}, default {options.get('default')}"
    return f"default {options['default']}" if options.get("default") not in (None, "") else ""
