"""The report of a video, in Markdown: how it went in a sentence, a line for each chunk, then all the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from . import markdown
from .chunks import Chunk
from .lines import duration, first_and_last, more_of
from .records import ChunkRecord
from .seam_words import MEANING, sum_up
from .tint import tint_warnings

if TYPE_CHECKING:
    from .state import ChunkState


class Making(NamedTuple):
    """How a run went."""

    made: int
    """Chunks."""
    taken: int
    """Chunks that were kept before."""
    seconds: float


def write_report(state: ChunkState, making: Making | None = None, more: Sequence[str] = ()) -> str:
    """The report of a video, finished or so far.

    Args:
        making: how this run went, where one node made all of it.
        more: what else is to be said.
    """
    plan, count = state.plan, len(state.plan.chunks)
    seams = seams_of(state.records)
    warnings = "\n".join(
        f"- **WARNING:** {markdown.escape(warning)}"
        for warning in (*state.warnings, *plan.warnings(), *tint_warnings(state.records, state.settings.color_anchor))
    )
    measured = len(state.records) > 1 or bool(seams)
    heads = ("chunk", "new frames", "prompt", *(("its seam", "score") if measured else ()))
    rows = first_and_last(plan.chunks, lambda index: _row(state, plan.chunks[index], len(heads)), _gap(len(heads)))
    chunks = first_and_last(plan.chunks, lambda index: _detail(state, plan.chunks[index], count), more_of("chunks"))
    return markdown.report(
        f"**{_summary(state, making)} {sum_up(seams)}".rstrip() + "**",
        warnings,
        markdown.escape(plan.size_words),
        markdown.table(heads, rows),
        _advice(state.records) if seams else "",
        "**Details**",
        markdown.bullets((*state.notes, *plan.prompt_words, *chunks, *more)),
    )


def write_kept(name: str, frames: int, kept: Sequence[tuple[ChunkRecord, int]], more: Sequence[str] = ()) -> str:
    """The report of what is kept of a run.

    Args:
        name: of the run.
        frames: of all chunks.
        kept: the chunks, and which take of each.
        more: what else is to be said.
    """
    records = [record for record, _ in kept]
    several = any(record.prompt is not None for record in records)

    def row(index: int) -> tuple[str, ...]:
        record, take = kept[index]
        prompt = "" if record.prompt is None else markdown.escape(record.prompt.describe())
        seam = seam_cells(record)
        return (str(record.index + 1), str(take), str(record.added), *((prompt,) if several else ()), *seam)

    heads = ("chunk", "take", "new frames", *(("prompt",) if several else ()), "its seam", "score")
    chunks = first_and_last(records, lambda index: records[index].describe(), more_of("chunks"))
    count = f"{len(kept)} chunk{'s' * (len(kept) != 1)}, {frames} frames of {markdown.escape(name)}."
    seams = seams_of(records)
    return markdown.report(
        f"**{count} {sum_up(seams)}".rstrip() + "**",
        markdown.table(heads, first_and_last(kept, row, _gap(len(heads)))),
        MEANING if seams else "",
        "**Details**",
        markdown.bullets((*chunks, *more)),
    )


def seams_of(records: Iterable[ChunkRecord]) -> list[tuple[str, float]]:
    """Where each measured seam is, and its score."""
    seams = []
    for record in records:
        if record.seam is not None:
            seams.append((f"before chunk {record.index + 1}", record.seam.score))
        if record.end_seam is not None:
            seams.append((f"behind chunk {record.index + 1}", record.end_seam.score))
    return seams


def seam_cells(record: ChunkRecord) -> tuple[str, str]:
    """The seam of a chunk in words, and its score."""
    seam, end = record.seam, record.end_seam
    if seam is None:
        words = "a cut, as asked" if record.cut else "" if record.index == 0 and record.join is None else "not measured"
    else:
        words = seam.grade
    if end is not None:
        words = f"{words}; behind it {end.grade} ({end.score:.2f})".removeprefix("; ")
    return words, "" if seam is None else f"{seam.score:.2f}"


def _summary(state: ChunkState, making: Making | None) -> str:
    count, left = len(state.plan.chunks), len(state.plan.chunks) - state.made
    chunks = f"{count} chunk{'s' * (count != 1)}"
    if making is None:
        made = f"{state.made} made" if state.made else "none is made yet" if count > 1 else "not made yet"
        return f"{chunks}: {made}{f', {left} to go' if state.made and left else ''}."
    words = [f"{making.taken} taken"] if making.taken else []
    if making.made or not making.taken:
        words.append(f"{making.made} made in {duration(making.seconds)}")
    words += [f"{left} to go"] if left else []
    return f"{chunks}: {', '.join(words)}."


def _row(state: ChunkState, chunk: Chunk, cells: int) -> tuple[str, ...]:
    record = state.records[chunk.index] if chunk.index < len(state.records) else None
    last = min(chunk.stop, state.plan.total_frames) - 1
    row = (str(chunk.index + 1), f"{chunk.seam} to {last}", _told(state, chunk))
    seam = ("to be made", "") if record is None else seam_cells(record)
    return (*row, *seam)[:cells]


def _told(state: ChunkState, chunk: Chunk) -> str:
    """What a chunk is told, shortened, as Markdown."""
    keyframes = state.plan.keyframes
    if not keyframes:
        return "encoded"
    words = []
    shares = state.plan.chunk_prompt(chunk).shares
    for index, share in shares:
        text = keyframes[index].positive
        said = "encoded" if not isinstance(text, str) else text.strip() or "no text"
        number = f"{index + 1}: " if len(keyframes) > 1 else ""
        words.append(
            number
            + markdown.escape(markdown.shorten(said, markdown.LONGEST // len(shares)))
            + (f" ({100 * share:.0f} %)" if share < 1 else "")
        )
    return " + ".join(words)


def _detail(state: ChunkState, chunk: Chunk, count: int) -> str:
    planned = state.plan.tell(chunk)
    if chunk.index >= len(state.records):
        return planned
    return f"{state.records[chunk.index].describe(count)} ({planned.partition(': ')[2]})"


def _advice(records: Sequence[ChunkRecord]) -> str:
    out = [record for record in records if record.worst is not None and record.worst > 1]
    if not out:
        return MEANING
    worst = max(out, key=lambda record: record.worst or 0).index + 1
    return (
        f"{MEANING} Choose a seam in the timeline to see the frames around it. To make the worst one again, connect "
        f"Keep Run and set its vary_from to {worst}; where many stand out, take a longer overlap or the preset Fast "
        "motion, or set seam_retries of Settings."
    )


def _gap(cells: int) -> Callable[[int], tuple[str, ...]]:
    return lambda left: (f"... {left} more ...", *[""] * (cells - 1))
