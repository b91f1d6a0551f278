"""Help pages and translations, written from what the nodes say of themselves; ``python dev.py pages``.

A help page is its node's description and tables of its inputs and outputs, then what ``docs/nodes`` adds by hand. The
English names are the nodes' own; ``locales/zh/words.json`` has the Chinese ones, by the English.
"""

from __future__ import annotations

import json
from pathlib import Path

from .server import Server
from .workflow import type_of

ROOT = Path(__file__).resolve().parents[1]
PAGES, NOTES, LOCALES = ROOT / "js" / "docs", ROOT / "docs" / "nodes", ROOT / "locales"
PREFIX = "WanMotion"


def main(arguments: list[str]) -> int:
    with Server() as server:
        files = build(server.get("/object_info"))
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    print(f"{len(files)} files in {PAGES.relative_to(ROOT)} and {LOCALES.relative_to(ROOT)}")
    return 0


def build(object_info: dict) -> dict[Path, str]:
    """Every generated file and its text."""
    ours = {name: info for name, info in sorted(object_info.items()) if name.startswith(PREFIX)}
    words = json.loads((LOCALES / "zh" / "words.json").read_text(encoding="utf-8"))
    files = {PAGES / f"{name}.md": page(name, info) for name, info in ours.items()}
    for language, translate in (("en", lambda text: text), ("zh", lambda text: words[text])):
        definitions = {name: define(info, translate) for name, info in ours.items()}
        files[LOCALES / language / "nodeDefs.json"] = json.dumps(definitions, indent=1, ensure_ascii=False) + "\n"
    return files


def page(name: str, info: dict) -> str:
    """A node's help in Markdown, in the style of the host's own."""
    lines = [f"# {info['display_name']}", "", info["description"], ""]
    rows = [
        (f"`{key}`", _cell(options.get("tooltip", "")), f"`{type_of(kind)}`", needed, _range(kind, options))
        for key, kind, options, needed in inputs(info)
    ]
    if rows:
        lines += [
            "## Inputs",
            "",
            "| Parameter | Description | Data Type | Required | Range |",
            "|---|---|---|---|---|",
        ]
        lines += [f"| {' | '.join(row)} |" for row in rows]
        lines.append("")
    lines += ["## Outputs", "", "| Output | Description | Data Type |", "|---|---|---|"]
    outputs = zip(info["output_name"], info["output_tooltips"], info["output"], strict=True)
    lines += [f"| `{key}` | {_cell(tooltip)} | `{kind}` |" for key, tooltip, kind in outputs]
    notes = NOTES / f"{name}.md"
    if notes.exists():
        lines += ["", "## Notes", "", notes.read_text(encoding="utf-8").strip()]
    return "\n".join(lines) + "\n"


def define(info: dict, translate) -> dict:
    """A node's entry in the front end's ``nodeDefs.json``."""

    def told(name: str, tooltip: str) -> dict:
        return {"name": translate(name), "tooltip": translate(tooltip)}

    outputs = zip(info["output_name"], info["output_tooltips"], strict=True)
    return {
        "display_name": translate(info["display_name"]),
        "description": translate(info["description"]),
        "inputs": {key: told(key, options["tooltip"]) for key, _, options, _ in inputs(info)},
        "outputs": {str(index): told(*output) for index, output in enumerate(outputs)},
    }


def inputs(info: dict):
    """Key, kind, options, and whether it is required, of each input."""
    for group in ("required", "optional"):
        for key, (kind, *rest) in info["input"].get(group, {}).items():
            yield key, kind, rest[0] if rest else {}, "Yes" if group == "required" else "No"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _range(kind, options: dict) -> str:
    choices = kind if isinstance(kind, list) else options.get("options")
    if choices is not None and all("." in str(choice) for choice in choices):
        return "a file"  # which ones is the host's to say
    if choices:
        return ", ".join(map(str, choices)) if len(choices) < 12 else f"{len(choices)} choices"
    if "min" in options and "max" in options:
        return f"{options['min']} to {options['max']}, default {options.get('default')}"
    return f"default {options['default']}" if options.get("default") not in (None, "") else ""
