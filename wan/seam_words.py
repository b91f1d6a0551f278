"""Seams in words: what a score means, and what to do about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..blending.seam import BOUNDS, GRADES, SeamReport, grade
from ..blending.survey import VideoReport
from . import markdown
from .clips import JoinedClips

RAN_OUT = "worked out on the CPU, since the card's memory ran out"
MEANING = (
    f"A score says how far a seam stands out from the places of real, uncut video: up to {BOUNDS[0]:g} it looks uncut, "
    f"up to {BOUNDS[1]:g} it is visible, above that obvious. One uncut place in twenty is above {BOUNDS[0]:g}: your "
    "eyes decide."
)


def sum_up(seams: Sequence[tuple[str, float]]) -> str:
    """How many seams have each grade, and where the worst is, in a sentence or two.

    Args:
        seams: where each is, in words, and its score.
    """
    if not seams:
        return ""
    grades = [grade(score) for _, score in seams]
    count = {name: grades.count(name) for name in GRADES}
    uncut = count.pop(GRADES[0])
    if uncut == len(seams):
        return "All seams look uncut." if uncut > 1 else "Its seam looks uncut."
    where, score = max(seams, key=lambda seam: seam[1])
    if len(seams) == 1:
        return f"Its seam, {where}, is {grade(score)}, with a score of {score:.2f}."
    parts = [f"{uncut} of {len(seams)} seams look{'s' * (uncut == 1)} uncut"]
    parts += [f"{number} {'is' if number == 1 else 'are'} {name}" for name, number in count.items() if number]
    return f"{', '.join(parts)}. The worst is {where}, with a score of {score:.2f}."


def join_words(joined: JoinedClips, overlap: int) -> str:
    """The report of Join Clips, in Markdown.

    Args:
        overlap: frames that both clips showed.
    """
    seam, at = joined.seam, joined.join.cut
    count = f"{len(joined.frames)} frames of both clips, {overlap} of them shared."
    words = "Its seam is not measured." if seam is None else sum_up([(f"before frame {at}", seam.score)])
    done = [] if joined.color_levels is None else [f"colors changed by {joined.color_levels:.1f}/255"]
    done += [str(joined.join), *[RAN_OUT] * joined.out_of_memory]
    table = () if seam is None else _seam_table([(at, seam)])
    return markdown.report(f"**{count} {words}**", *table, markdown.bullets(done))


def survey_words(report: VideoReport, done: Sequence[str] = ()) -> str:
    """The report of Measure Seams, in Markdown.

    Args:
        done: what else is to be said.
    """
    seams = list(zip(report.seams, report.reports, strict=True))
    count = f"{len(report.drift)} frames, {len(seams)} seam{'s' * (len(seams) != 1)}."
    words = sum_up([(f"before frame {seam}", each.score) for seam, each in seams]) or "No place stands out."
    medians = {"median of the seams": report.median() if len(seams) > 1 else None, "median elsewhere": report.usual}
    drift = f"Color drift, last frame from first: {report.drift[-1].item():.2f} (CIE76)."
    return markdown.report(f"**{count} {words}**", *_seam_table(seams, medians), drift, markdown.bullets(done))


def _seam_table(
    seams: Sequence[tuple[int, SeamReport]], medians: Mapping[str, SeamReport | None] | None = None
) -> tuple[str, str]:
    """A row for each seam, by its frame, and for what is usual; then what a score means."""
    rows = [
        (str(frame), seam.grade, f"{seam.score:.2f}", ", ".join(seam.flags) or "nothing", *_figures(seam))
        for frame, seam in seams
    ]
    rows += [(name, "", "", "", *_figures(each)) for name, each in (medians or {}).items() if each is not None]
    heads = ("frame", "it", "score", "what stands out", "boundary jump", "color step")
    return markdown.table(heads, rows), MEANING if seams else ""


def _figures(report: SeamReport) -> tuple[str, str]:
    return f"{report.boundary_jump:.2f}", f"{report.color_step:.2f}"
