"""Schedules as people write them: read as they are meant, or refused by the line."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from wan_motion_chunks.wan import Keyframe, parse_schedule, read_schedule, write_schedule

WALKS, RUNS = ("walks", 0.0, "chunks"), ("runs", 1.0, "chunks")
FROM_0, FROM_5 = ("walks", 0.0, "seconds"), ("runs", 5.0, "seconds")
PLAIN = {
    "1: walks\n2: runs": [WALKS, RUNS],
    "1:walks\n\n2:runs": [WALKS, RUNS],
    "0: walks\n1: runs": [WALKS, RUNS],
    "0:walks\n1:runs": [WALKS, RUNS],
    "walks\n2: runs": [WALKS, RUNS],
    "walks\nfast\n2: runs": [("walks\nfast", 0.0, "chunks"), RUNS],
    "1:\nwalks\nfast\n2:\nruns": [("walks\nfast", 0.0, "chunks"), RUNS],
    "[1] walks\n[2]runs": [WALKS, RUNS],
    "[1]: walks\n【2】runs": [WALKS, RUNS],
    "Chunk 1: walks\nchunk 2: runs": [WALKS, RUNS],
    "1-2: walks\n3-4: runs": [WALKS, ("runs", 2.0, "chunks")],
    "0-1: walks\n2 to 3: runs": [WALKS, ("runs", 2.0, "chunks")],
    "0-5s: walks\n5-10s: runs": [FROM_0, FROM_5],
    "0s - 5s: walks\n5s – 10s: runs": [FROM_0, FROM_5],
    "0s left: walks": [("left: walks", 0.0, "seconds")],
    "0s walks\n5s runs": [FROM_0, FROM_5],
    "0s - walks\n5s - runs": [FROM_0, FROM_5],
    "[0s] walks\n[5s-9s] runs": [FROM_0, FROM_5],
    "0 sec: walks\n5.0 seconds: runs": [FROM_0, FROM_5],
    "0:00 walks\n0:05 runs": [FROM_0, FROM_5],
    "0:00: walks\n0:05: runs": [FROM_0, FROM_5],
    "walks\n0:05: runs\n1:00:01: stops": [WALKS, FROM_5, ("stops", 3601.0, "seconds")],
    "walks\n5s: runs": [WALKS, FROM_5],
    "80s film\n5s: runs": [("80s film", 0.0, "chunks"), FROM_5],
    "0s walks\n20s runs": [FROM_0, ("runs", 20.0, "seconds")],
    "５ｓ：runs": [FROM_5],
    "０秒：walks\n５秒：runs": [FROM_0, FROM_5],
    "\ufeff1: walks\r\n2: runs\r\n": [WALKS, RUNS],
    "chunk: prompt\n1: walks\n2: runs": [WALKS, RUNS],
    "# A day\n1: walks\n2: runs": [WALKS, RUNS],
    "A walk:\n1: walks\n2: runs": [WALKS, RUNS],
    "Prompts:\nwalks\n2: runs": [WALKS, RUNS],
}
PROSE = [
    "",
    "16:9 shot of a cat",
    "3:2",
    "at 10:30 pm",
    "10:30 pm, a street\n11:00 pm, the same",
    "3:30 PM: a street",
    "9:16 portrait",
    "80s style video",
    "an old film\n90s colors",
    "2 cats play\n3 dogs run",
    "1girl, solo",
    "Scene 1: a cat\nScene 2: a dog",
    "5 seconds of rain",
    "(red:1.2) cat\n[blue] sky",
]
REFUSED = [
    ("0: a\nrunning", 2, "running"),
    ("0: a\n\n-2: b", 3, "-2: b"),
    ("1: a\n1.5: b", 2, "1.5"),
    ("1: a\n2 over 2s: b", 2, "2 over 2s"),
    ("0: a\n0: b", 2, "0"),
    ("1: a\n0s: b", 2, "0s"),
    ("a\n1: b", 1, "a"),
    ("a\n0s: b", 1, "a"),
    ("-1: a", 1, "-1: a"),
    ("2s over: b", 1, "2s over: b"),
    ("1m30s: a", 1, "1m30s: a"),
    ("0:05 walks", 1, "0:05 walks"),
    ("0:2 cats", 1, "0:2 cats"),
    ("1. walks\n2. runs", 2, "2. runs"),
    ("1) walks\n2) runs", 2, "2) runs"),
    ("walks\n5s runs", 2, "5s runs"),
    ("1: a\n16:9 shot", 2, "16:9 shot"),
    ("0-5s: a\n6s: b", 1, "0-5s"),
    ("1-3: a\n3-5: b", 1, "1-3"),
    ("5s-2s: a", 1, "5s-2s"),
    ("100002: a", 1, "100002"),
    ("9999999s: a", 1, "9999999s"),
]


def told(text):
    return [(each.positive, each.start, each.unit) for each in parse_schedule(text)]


@pytest.mark.parametrize("text", PLAIN)
def test_what_is_plain_is_read(text):
    assert told(text) == PLAIN[text]


@pytest.mark.parametrize("text", PROSE)
def test_what_reads_as_prose_stays_as_it_is(text):
    assert told(text) == [(text, 0.0, "chunks")]


@pytest.mark.parametrize(("text", "line", "shown"), REFUSED)
def test_what_cannot_be_read_is_refused_by_its_line(text, line, shown):
    with pytest.raises(ValueError, match=rf"^prompt, line {line}: ") as caught:
        parse_schedule(text)
    assert str(caught.value).endswith(f"got {shown!r}.")


def test_a_transition_and_the_negative_prompt_are_read():
    keyframes = parse_schedule("1: walking slowly\n3 over 2: running: fast\n7.5s over 1s: jumping", "blurry")
    assert [(e.positive, e.negative, e.start, e.unit, e.transition) for e in keyframes] == [
        ("walking slowly", "blurry", 0.0, "chunks", 0.0),
        ("running: fast", "blurry", 2.0, "chunks", 2.0),
        ("jumping", "blurry", 7.5, "seconds", 1.0),
    ]


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("1: a\n2: b", 0),
        ("a", 0),
        ("0: a\n1: b", 1),
        ("chunk: prompt\n1: a", 1),
        ("2: b", 1),
        ("0s-5s: a\n5s: b", 0),
        ("# x\n0-1: a\n2-3: b", 3),
    ],
)
def test_what_could_be_meant_otherwise_is_said(text, count):
    assert len(read_schedule(text).notes) == count


texts = st.text(max_size=20).map(lambda text: " ".join(text.split())).filter(lambda text: len(text.splitlines()) < 2)
chunks = st.tuples(st.just("chunks"), st.integers(0, 100_000).map(float), st.just(0.0) | st.floats(0, 100_000))
seconds = st.tuples(st.just("seconds"), st.floats(0.001, 100_000), st.just(0.0) | st.floats(0, 100_000))


@settings(deadline=None, max_examples=300)
@given(st.lists(st.tuples(texts, chunks | seconds), min_size=1, max_size=5, unique_by=lambda item: item[1][:2]))
@example([(": a", ("chunks", 0.0, 0.0)), ("5 cats", ("chunks", 99_999.0, 1e-5))])
@example([("", ("chunks", 3.0, 0.0)), ("2: a", ("seconds", 1e-3, 0.0))])
def test_what_our_writer_writes_is_read_back_the_same(items):
    keyframes = [Keyframe(text, "n", start, unit, transition=over) for text, (unit, start, over) in items]
    found = parse_schedule(write_schedule(keyframes), "n")
    facts = [[(e.positive, e.negative, e.start, e.unit, e.transition) for e in each] for each in (keyframes, found)]
    assert facts[0] == facts[1]


@pytest.mark.parametrize(
    "keyframe", [Keyframe("a\nb", ""), Keyframe(" a", ""), Keyframe([], ""), Keyframe("a", "", chunk_frames=5)]
)
def test_what_a_line_cannot_say_is_not_written(keyframe):
    with pytest.raises(ValueError, match=r"^prompt 2: "):
        write_schedule([Keyframe("a", ""), keyframe])
