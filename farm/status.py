"""What people read of a farm: a line while it works, a table, and a report with each job's seams."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Sequence

from .book import Book
from .names import DONE, RUNNING
from .queue import Queue

COLUMNS = ("name", "status", "attempts", "chunks", "worker", "error")
WIDEST = 60
"""Characters of a cell."""
BAR = 20


def table(rows: Iterable[dict], columns: Sequence[str] = COLUMNS) -> str:
    """Rows as text, each column as wide as it needs to be."""
    cells = [list(columns), *([_cell(row.get(column, "")) for column in columns] for row in rows)]
    widths = [max(len(line[at]) for line in cells) for at in range(len(columns))]
    padded = ([cell.ljust(width) for cell, width in zip(line, widths, strict=True)] for line in cells)
    return "\n".join("  ".join(line).rstrip() for line in padded)


def progress(queue: Queue) -> str:
    """How far all jobs are, in one line."""
    counts = Counter(ticket.status for ticket in queue.tickets.values())
    total, done = len(queue.tickets), sum(ticket.status not in ("queued", RUNNING) for ticket in queue.tickets.values())
    filled = BAR * done // max(1, total)
    words = ", ".join(f"{count} {status}" for status, count in counts.most_common())
    return f"[{'#' * filled}{'.' * (BAR - filled)}] {done} of {total} jobs: {words}"


class Meter:
    """Shows the line: over itself on a terminal, elsewhere whenever it says something new."""

    def __init__(self, stream=None):
        self.stream, self.last = stream or sys.stderr, ""

    def __call__(self, queue: Queue) -> None:
        line = progress(queue)
        if line == self.last:
            return
        wide = len(self.last)
        self.last = line
        self.stream.write(f"\r{line.ljust(wide)}" if self.stream.isatty() else f"{line}\n")
        self.stream.flush()

    def end(self) -> None:
        if self.last and self.stream.isatty():
            self.stream.write("\n")


def report(book: Book) -> str:
    """All jobs, and of those that are done each seam, in Markdown."""
    rows = []
    for name, state in book.states().items():
        found = book.result(name) if state["status"] == DONE else None
        seams = [chunk for chunk in found["chunks"] if chunk["score"] is not None] if found else []
        rows.append(
            {
                "job": name,
                "status": state["status"],
                "attempts": state["attempts"],
                "files": ", ".join(file["path"] for file in found["files"]) if found else "",
                "seams": ", ".join(f"{chunk['chunk']}: {chunk['score']:.2g} {chunk['grade']}" for chunk in seams),
                "error": state["error"],
            }
        )
    columns = ("job", "status", "attempts", "files", "seams", "error")
    lines = [f"| {' | '.join(columns)} |", "|" + " --- |" * len(columns)]
    lines += ["| " + " | ".join(_escaped(row[column]) for column in columns) + " |" for row in rows]
    return "\n".join(lines)


def _cell(value: object) -> str:
    text = " ".join(str(value).split())
    return text if len(text) <= WIDEST else text[: WIDEST - 3] + "..."


def _escaped(value: object) -> str:
    return " ".join(str(value).replace("|", "\\|").replace("<", "&lt;").split())
