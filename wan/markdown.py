"""Reports in Markdown: texts of users are shown as they are and never become markup."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

LONGEST = 60
"""Characters of a text that a table shows."""
_SIGNS = re.compile(
    r"[\\`*{}\[\]<>|~&^$@]"  # what markup is made of
    r"|_(?![A-Za-z0-9])|(?<![A-Za-z0-9])_"  # within a word it is none
    r"|:(?=//)|(?<=www)\.",  # of addresses, which would become links
    re.IGNORECASE,
)
_BEGINNING = re.compile(r"^([0-9]*)([-+#>=.)])")
_BREAKS = re.compile(r"[\s\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]+")


def escape(text: str) -> str:
    """A text that Markdown shows as it is, in one line: for a cell of a table, or behind words of ours."""
    return _SIGNS.sub(r"\\\g<0>", _BREAKS.sub(" ", text).strip())


def shorten(text: str, longest: int = LONGEST) -> str:
    """The beginning of a text, in one line."""
    line = _BREAKS.sub(" ", text).strip()
    return line if len(line) <= longest else f"{line[: longest - 3].rstrip()}..."


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; its cells are Markdown already."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def bullets(texts: Iterable[str]) -> str:
    """A list of plain texts."""
    beginnings = (_BEGINNING.sub(r"\1\\\2", escape(text)) for text in texts)  # of lists, headings and quotes
    return "\n".join(f"- {text}" for text in beginnings)


def report(*parts: str) -> str:
    """Paragraphs, tables and lists, without those that are empty."""
    return "\n\n".join(part for part in parts if part)
