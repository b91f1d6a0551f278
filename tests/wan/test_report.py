"""Reports: what is in them is what the records say, and what users wrote stays text."""

import json
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wan_motion_chunks.blending import grade, survey_video
from wan_motion_chunks.blending.seam import GRADES
from wan_motion_chunks.tests.blending.clips import pan, spoil
from wan_motion_chunks.tests.fakes import CausalVae, CountingModel, numbered_frames
from wan_motion_chunks.tests.reports import OURS, read_report
from wan_motion_chunks.wan import ChunkState, Keyframe, Tools, generate, plan_chunks
from wan_motion_chunks.wan.lines import TOLD, duration
from wan_motion_chunks.wan.markdown import LONGEST, bullets, escape, shorten, table
from wan_motion_chunks.wan.report import Making, write_kept
from wan_motion_chunks.wan.seam_words import sum_up, survey_words

MARKUP = [
    *[
        "<b>",
        "<script>alert(1)</script>",
        "<!-- -->",
        "&lt;",
        "&#124;",
        "|",
        "\\",
        "\\|",
        "`",
        "``",
        "*",
        "**",
        "_",
        "__",
    ],
    *["![a](b)", "[a](http://b)", "[a]: b", "http://evil.com", "https://a.b", "www.evil.com", "a@b.co", "~~a~~", "$x$"],
    *[
        "#",
        "- ",
        "1. ",
        "> ",
        "\n",
        "\r\n",
        "\t",
        "\u2028",
        "a",
        " ",
        "snake_case",
        "^",
        "{",
        "}",
        "../",
        "'",
        '"',
        "\x00",
    ],
]
wild = st.lists(st.sampled_from(MARKUP) | st.text(max_size=3), max_size=10).map("".join)


def seen(text):
    """A text in one line, without what nobody sees."""
    return " ".join(shorten(text, 10**6).split())


def start(keyframes, total=17 + 3 * 8):
    plan = plan_chunks(total, chunk_frames=17, overlap_frames=9, keyframes=keyframes, fps=8.0)
    return ChunkState(plan, numbered_frames(0, 1))


@given(wild)
def test_what_a_user_wrote_is_shown_and_never_becomes_markup(text):
    report = read_report(table(["a", "b"], [[escape(text), "c"]]) + f"\n\n- x {escape(text)} y")
    assert report.parts <= OURS
    assert [[" ".join(cell.split()) for cell in row] for row in report.rows] == [[seen(text), "c"]]
    assert " ".join(report.details[0].split()) == " ".join(f"x {seen(text)} y".split())


@given(st.lists(wild, min_size=1, max_size=3), wild)
def test_prompts_and_notes_of_any_kind_keep_the_reports_form(prompts, note):
    state = start([Keyframe(text, "", index) for index, text in enumerate(prompts)]).noted((note,), (f"x{note}",))
    report = read_report(state.report())
    assert report.parts <= OURS
    assert len(report.rows) == 4
    assert {len(row) for row in report.rows} == {3}
    assert len(report.warnings) == 1 + len(state.plan.warnings())
    assert " ".join(read_report("\n\n".join(("**a**", "| a |\n| - |", bullets([note, "z"])))).details).split() == [
        *seen(note).split(),
        "z",
    ]


def test_a_finished_video_has_its_summary_first_and_a_row_for_each_chunk():
    vae = CausalVae()
    state = start([Keyframe("walks", ""), Keyframe("r" * 99, "", 2, transition=2)])
    planned = read_report(state.report())
    state = generate(state.noted(("a note",), ("a warning",)), Tools(vae, CountingModel(vae)))
    report = read_report(state.report(Making(1, 3, 130.0), ("more",)))
    assert [row[:2] for row in report.rows] == [
        ["1", "0 to 16"],
        ["2", "17 to 24"],
        ["3", "25 to 32"],
        ["4", "33 to 40"],
    ]
    assert [row[2].count("walks") for row in report.rows] == [1, 1, 1, 1]
    assert [row[2].count("rrr") > 0 for row in report.rows] == [False, False, True, True]
    assert [row[2].count("75 %") for row in report.rows] == [0, 0, 1, 1]
    assert all(len(row[2]) < LONGEST + 30 for row in report.rows)
    measured = [(record.seam.grade, f"{record.score:.2f}") for record in state.records[1:]]
    assert [tuple(row[3:]) for row in report.rows] == [("", ""), *measured]
    assert report.warnings == ["a warning"]
    assert report.details[0] == "a note"
    assert report.details[-1] == "more"
    assert [state.records[index].describe(4) in report.details[3 + index] for index in range(4)] == [True] * 4
    assert [row[:3] for row in planned.rows] == [row[:3] for row in report.rows]
    for number in ("4", "3", "1", duration(130.0)):
        assert number in report.summary


def test_a_very_long_video_shows_its_beginning_and_end():
    report = read_report(start([Keyframe("a", "")], total=17 + 8 * 2000).report())
    assert len(report.rows) == TOLD + 1
    assert report.rows[0][0] == "1"
    assert report.rows[-1][0] == "2001"
    assert str(2001 - TOLD) in report.rows[TOLD // 2][0]


def test_what_is_kept_has_a_row_for_each_take():
    vae = CausalVae()
    state = generate(start([Keyframe("a", ""), Keyframe("b", "", 2)]), Tools(vae, CountingModel(vae)))
    report = read_report(write_kept("my|run", 41, [(record, 2) for record in state.records], ("on disk",)))
    assert [row[:3] for row in report.rows] == [["1", "2", "17"], ["2", "2", "8"], ["3", "2", "8"], ["4", "2", "8"]]
    assert "my|run" in report.summary
    assert report.details == [*(record.describe() for record in state.records), "on disk"]


def test_a_survey_says_what_each_seam_looks_like_and_its_json_has_the_numbers():
    found = survey_video(spoil(pan(), "color"), (20, 30))
    report, read = read_report(survey_words(found, ["done"])), json.loads(found.as_json())
    assert [row[:3] for row in report.rows[:2]] == [
        [str(seam), each.grade, f"{each.score:.2f}"] for seam, each in zip(found.seams, found.reports, strict=True)
    ]
    assert [(each["grade"], each["score"]) for each in read["seams"]] == [
        (each.grade, each.score) for each in found.reports
    ]
    assert report.details == ["done"]
    assert report.parts <= OURS
    assert len(read_report(survey_words(survey_video(pan()))).rows) == 1  # what is usual


@pytest.mark.parametrize(
    ("score", "number"), [(0.0, 0), (1.0, 0), (1.001, 1), (2.0, 1), (2.001, 2), (10.0, 2), (float("inf"), 2)]
)
def test_a_score_has_a_grade(score, number):
    assert grade(score) == GRADES[number]


def test_a_summary_names_the_worst_of_several():
    assert sum_up([]) == ""
    words = [sum_up([(f"at {index}", score) for index, score in enumerate(scores)]) for scores in ([0.5], [0.5, 0.6])]
    assert all(word.endswith(".") and not any(sign in word for sign in string.digits) for word in words)
    words = sum_up([("at a", 0.5), ("at b", 3.456), ("at c", 1.5)])
    assert [place in words for place in ("at a", "at b", "at c", "3.46", *GRADES[1:])] == [
        False,
        True,
        False,
        *[True] * 3,
    ]


@pytest.mark.parametrize(
    ("seconds", "numbers"), [(0.2, [0]), (59.4, [59]), (59.6, [1, 0]), (130, [2, 10]), (3599.7, [1, 0]), (7500, [2, 5])]
)
def test_a_duration_is_in_the_units_that_people_use(seconds, numbers):
    assert [int(word) for word in duration(seconds).split() if word.isdecimal()] == numbers
