"""Reports read back by a Markdown parser: what a person sees of them."""

from __future__ import annotations

from typing import NamedTuple

from markdown_it import MarkdownIt

OURS = {
    "paragraph",
    "bullet_list",
    "list_item",
    "table",
    "thead",
    "tbody",
    "tr",
    "th",
    "td",
    "inline",
    "text",
    "strong",
}
"""What the reports are made of; a text of a user's adds nothing to it."""


class Report(NamedTuple):
    """A report without its markup."""

    summary: str
    warnings: list[str]
    rows: list[list[str]]
    """Of the table, without its head."""
    details: list[str]
    parts: set[str]
    """Kinds of markup."""


def read_report(text: str) -> Report:
    parser = MarkdownIt("commonmark").enable("table").enable("strikethrough")
    tokens = parser.parse(text)
    parts = {each.type.removesuffix("_open").removesuffix("_close") for each in tokens}
    parts |= {
        child.type.removesuffix("_open").removesuffix("_close") for each in tokens for child in each.children or ()
    }
    summary, warnings, details, cells = "", [], [], []
    for before, token in zip([None, *tokens], tokens, strict=False):
        if token.type != "inline":
            if token.type == "tr_open":
                cells.append([])
            continue
        said = "".join(child.content for child in token.children)
        if before.type in ("td_open", "th_open"):
            cells[-1].append(said)
        elif token.level < 3:
            summary = summary or said
        elif said.startswith("WARNING: ") and not cells:
            warnings.append(said.removeprefix("WARNING: "))
        else:
            details.append(said)
    return Report(summary, warnings, cells[1:], details, parts)
