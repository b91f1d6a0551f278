"""Seams in words: what a score means, and what to do about it."""

from __future__ import annotations

from collections.abc import Sequence

from ..blending.join import JoinReport
from ..blending.seam import BOUNDS, GRADES, SeamReport, grade
from ..blending.survey import VideoReport
from . import markdown

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


def join_words(report: JoinReport, frames: int, overlap: int, done: Sequence[str]) -> str:
    """The report of Join Clips, in Markdown.

    Args:
        frames: of both clips as one.
        overlap: frames that both showed.
        done: what else was done.
    """
    summary = f"**{frames} frames of both clips, {overlap} of them shared.**"
    return markdown.report(summary, markdown.bullets((*done, str(report))))


def survey_words(report: VideoReport, done: Sequence[str] = ()) -> str:
    """The report of Measure Seams, in Markdown.

    Args:
        done: what else is to be said.
    """
    seams = list(zip(report.seams, report.reports, strict=True))
    count = f"{len(report.drift)} frames, {len(seams)} seam{'s' * (len(seams) != 1)}."
    words = sum_up([(f"before frame {seam}", each.score) for seam, each in seams]) or "No place stands out."
    rows = [
        (str(seam), each.grade, f"{each.score:.2f}", ", ".join(each.flags) or "nothing", *_figures(each))
        for seam, each in seams
    ]
    heads = ("frame", "it", "score", "what stands out", "boundary jump", "color step")
    rows += [
        (name, "", "", "", *_figures(each))
        for name, each in (("median of the seams", report.median()), ("median elsewhere", report.usual))
        if each is not None
    ]
    drift = f"Color drift, last frame from first: {report.drift[-1].item():.2f} (CIE76)."
    return markdown.report(
        f"**{count} {words}**", markdown.table(heads, rows), MEANING if seams else "", drift, markdown.bullets(done)
    )


def _figures(report: SeamReport) -> tuple[str, str]:
    return f"{report.boundary_jump:.2f}", f"{report.color_step:.2f}"
