"""Where chunks lie, against a brute force over all places where each prompt could begin."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from wan_motion_chunks.tests.fakes import numbered_frames
from wan_motion_chunks.wan import ChunkState, Keyframe, plan_chunks
from wan_motion_chunks.wan.guide import ChunkRequest
from wan_motion_chunks.wan.layout import MOST_CHUNKS

SHORTEST_CUT = 5


def grid(frames):
    """The next 4n + 1."""
    return 4 * math.ceil((frames - 1) / 4) + 1


def lay(asked, keyframes, firsts):
    """Chunks ``(start, length, overlap, keyframe)`` where keyframe k begins with chunk ``firsts[k]``, one by one."""
    total, overlap = asked["total_frames"], grid(asked["overlap_frames"])
    arrives = asked["to_picture"] or any(keyframe.end_image is not None for keyframe in keyframes)
    chunks, stop = [], 0
    while stop < total:
        keyframe = max((k for k, first in enumerate(firsts) if first <= len(chunks)), default=0)
        cut = (
            bool(chunks and firsts) and firsts[keyframe] == len(chunks) and keyframes[keyframe].start_image is not None
        )
        known = overlap if chunks and not cut else 0
        own = (keyframes[keyframe].chunk_frames if keyframes else None) or asked["chunk_frames"]
        length = min(own, grid(known + max(total - stop, SHORTEST_CUT if cut else 1)))
        given = len(keyframes[keyframe].start_image) if cut else 1
        left = total - (stop - known + length)
        if arrives and 1 <= left <= 3 and length - 4 >= (known + 4 if known else given + 2):
            length -= 4
        chunks.append((stop - known, length, known, keyframe))
        stop += length - known
    return chunks


def brute_force(asked, keyframes):
    """The plan in which each keyframe begins at the seam that is nearest to its start, of all that there could be."""
    firsts = [0] if keyframes else []
    for keyframe in keyframes[1:]:
        going_on = lay(asked, keyframes, firsts)
        seams = {index: chunk[0] + chunk[2] for index, chunk in enumerate(going_on) if index > firsts[-1]}
        moment = keyframe.start * asked["fps"]
        if keyframe.unit == "chunks":
            places = [index for index in seams if index >= keyframe.start]
        else:
            places = sorted(seams, key=lambda index: abs(seams[index] - moment))
            places = places if moment < asked["total_frames"] else []
        if not places:
            break
        firsts.append(places[0])
    return lay(asked, keyframes, firsts)


def impossible(asked, keyframes, chunks):
    """Whether some chunk has no frame of its own to make, before the picture where it arrives if there is one."""
    for index, (start, length, overlap, keyframe) in enumerate(chunks):
        own = keyframes[keyframe].start_image if keyframes else None
        given = overlap or (1 if index == 0 or own is None else len(own))
        dropped = max(0, start + length - asked["total_frames"])
        closes = index + 1 == len(chunks) or chunks[index + 1][3] != keyframe
        arrives = closes and keyframes and keyframes[keyframe].end_image is not None
        arrives = arrives or (index + 1 == len(chunks) and asked["to_picture"])
        if (index and given >= length) or (arrives and given + dropped >= length - 1):
            return True
    return False


@st.composite
def questions(draw, units=("seconds",)):
    overlap = draw(st.integers(1, 24))
    lengths = st.integers(1, 20).map(lambda n: grid(overlap) + 4 * n)
    asked = {
        "total_frames": draw(st.integers(1, 1500)),
        "chunk_frames": draw(lengths),
        "overlap_frames": overlap,
        "fps": draw(st.sampled_from([16.0, 23.976, 8.0, 30.0, 0.5])),
        "to_picture": draw(st.booleans()),
    }
    last = 1.2 * asked["total_frames"] / asked["fps"]
    near = draw(st.floats(0, last))
    starts = st.one_of(st.floats(0, last), st.floats(near, near + 20 / asked["fps"]))
    picture = st.one_of(st.none(), st.integers(1, 4).map(lambda count: torch.zeros(count, 3, 16, 16)))
    keyframes = []
    for _ in range(draw(st.integers(0, 6))):
        unit = draw(st.sampled_from(units))
        keyframes.append(
            Keyframe(
                "",
                "",
                draw(starts) if unit == "seconds" else draw(st.integers(0, 30)),
                unit,
                chunk_frames=draw(st.one_of(st.none(), lengths)),
                start_image=draw(picture),
                end_image=draw(st.one_of(st.none(), st.none(), st.just(torch.zeros(1, 3, 16, 16)))),
            )
        )
    return asked, keyframes


def numbers(plan):
    return [(chunk.start, chunk.length, chunk.overlap, chunk.keyframe) for chunk in plan.chunks]


@settings(deadline=None, max_examples=400)
@given(questions())
def test_each_prompt_begins_at_the_seam_nearest_to_its_start(question):
    asked, keyframes = question
    ordered = sorted(keyframes, key=lambda keyframe: keyframe.start)
    expected = brute_force(asked, ordered)
    if impossible(asked, ordered, expected):
        with pytest.raises(ValueError, match=r"end_image|start_image"):
            plan_chunks(**asked, keyframes=keyframes)
        return
    plan = plan_chunks(**asked, keyframes=keyframes)
    assert numbers(plan) == expected
    assert plan.keyframes == tuple(ordered)


@settings(deadline=None, max_examples=400)
@given(questions(units=("seconds", "chunks")))
def test_starts_of_both_kinds_come_in_the_order_of_time(question):
    asked, keyframes = question
    plan, _ = attempt(**asked, keyframes=keyframes)
    if plan is None:
        return
    assert sorted(map(id, plan.keyframes)) == sorted(map(id, keyframes))
    assert numbers(plan) == brute_force(asked, plan.keyframes)
    firsts = plan.turns
    begun = [plan.keyframes[first.keyframe] for first in firsts] if keyframes else []
    for unit in ("seconds", "chunks"):
        starts = [keyframe.start for keyframe in begun if keyframe.unit == unit]
        assert starts == sorted(starts)
    # What waits although it is due waits for prompts that were due before it.
    for first, keyframe in list(zip(firsts, begun, strict=False))[1:]:
        if keyframe.unit == "chunks" and keyframe.start != first.index:
            due = plan.chunks[int(keyframe.start)].seam
            for other, between in zip(firsts, begun, strict=True):
                if keyframe.start <= other.index < first.index and between.unit == "seconds":
                    assert between.start * asked["fps"] <= due or other.index > keyframe.start


def test_an_own_length_does_not_reorder_prompts_by_chunk_and_by_time():
    # Chunks of 17 frames add 8: chunk 10 begins at frame 89, long before 10 s, which are 160 frames.
    keyframes = [Keyframe("a", "", 0, chunk_frames=17), Keyframe("b", "", 10), Keyframe("c", "", 10.0, "seconds")]
    plan = plan_chunks(640, chunk_frames=81, overlap_frames=9, keyframes=keyframes)
    assert [plan.keyframes[first.keyframe].positive for first in plan.turns] == ["a", "b", "c"]
    assert [first.index for first in plan.turns][:2] == [0, 10]
    assert plan.turns[2].seam == 161


def test_a_start_before_the_end_has_a_chunk_and_one_at_the_end_has_none():
    def firsts(seconds):
        plan = plan_chunks(81 + 64, keyframes=[Keyframe("a", ""), Keyframe("b", "", seconds, "seconds")])
        return [first.seam for first in plan.turns], plan.warnings()

    assert firsts(144.9 / 16) == ([0, 81], ())
    found, (warning,) = firsts(145 / 16)
    assert found == [0]
    assert warning.startswith("prompt 2 ")


def attempt(*numbers, **asked):
    """A plan and no words, or None and why there is none."""
    try:
        return plan_chunks(*numbers, **asked), ""
    except ValueError as error:
        return None, str(error)


@pytest.mark.parametrize("chunk", [5, 9, 17])
@pytest.mark.parametrize("start_frames", [1, 3, 4])
def test_a_video_that_is_planned_arrives_and_what_is_refused_arrives_once_lengthened(chunk, start_frames):
    """What the plan lets through can be guided, for every length, with any number of frames to start from."""
    picture = numbered_frames(500, 1)
    for total in range(1, 44):
        asked = {"chunk_frames": chunk, "overlap_frames": max(1, chunk - 8), "to_picture": True}
        plan, refused = attempt(total, start_frames=start_frames, **asked)
        more = refused.partition("Lengthen the video by ")[2].partition(" ")[0]
        if more:
            plan = plan_chunks(total + int(more), start_frames=start_frames, **asked)
        elif refused:
            assert start_frames > chunk - 2 or "start_image" in refused, (total, refused)
            continue
        last = plan.chunks[-1]
        known = numbered_frames(0, last.overlap or start_frames)
        ChunkRequest(last.index, last.length, known, (16, 32), end=picture, dropped=last.stop - plan.total_frames)


def test_a_prompts_own_end_picture_that_cannot_fit_is_refused_by_name():
    end = torch.zeros(1, 3, 16, 32)
    keyframes = [Keyframe("a", "", end_image=end), Keyframe("b", "", 1)]
    with pytest.raises(ValueError, match=r"^prompt_stack: end_image of prompt 1: .* 17 .*chunk 1 16 "):
        plan_chunks(33, chunk_frames=17, overlap_frames=9, keyframes=keyframes, start_frames=16)
    cut = [
        Keyframe("a", ""),
        Keyframe("b", "", 1, start_image=torch.zeros(16, 3, 16, 32), end_image=end),
        Keyframe("c", "", 2),
    ]
    with pytest.raises(ValueError, match=r"^prompt_stack: end_image of prompt 2: .* 17 .*chunk 2 16 "):
        plan_chunks(60, chunk_frames=17, overlap_frames=9, keyframes=cut)


@settings(deadline=None)
@given(st.integers(30, 300), st.lists(st.integers(1, 40), min_size=1, max_size=4))
def test_an_overlap_that_follows_the_speed_never_costs_the_end_picture(total, overlaps):
    plan = plan_chunks(total, chunk_frames=21, overlap_frames=9, to_picture=True)
    for index, overlap in enumerate(overlaps, 1):
        if index < len(plan.chunks):
            plan = plan.replan(index, overlap)
    last = plan.chunks[-1]
    assert last.overlap + max(0, last.stop - total) <= last.length - 2 or len(plan.chunks) == 1


def test_a_plan_of_too_many_chunks_is_refused_and_one_of_as_many_as_may_be_is_made():
    with pytest.raises(ValueError, match=f"^length: 8000000 .* 125000 .* {MOST_CHUNKS}"):
        plan_chunks(8_000_000)
    # Counted as they are laid.
    with pytest.raises(ValueError, match=f"^length: 9000000 .* {MOST_CHUNKS + 1} .* {MOST_CHUNKS}"):
        plan_chunks(9_000_000, keyframes=[Keyframe("", "", chunk_frames=401), Keyframe("", "", 10, chunk_frames=21)])
    assert len(plan_chunks(5 + 4 * (MOST_CHUNKS - 1), chunk_frames=5, overlap_frames=1).chunks) == MOST_CHUNKS


def test_ten_thousand_chunks_are_planned_told_and_described_in_bounded_words():
    count = 10_000
    keyframes = [Keyframe(f"p{index}", "", 2 * index, transition=3) for index in range(count // 2)]
    plan = plan_chunks(17 + 8 * (count - 1), chunk_frames=17, overlap_frames=9, keyframes=keyframes)
    cues = [plan.chunk_prompt(chunk) for chunk in plan.chunks]
    assert [chunk_prompt.shares[-1][0] for chunk_prompt in cues] == [index // 2 for index in range(count)]
    lines = plan.describe().splitlines()
    assert [int(line.split()[1]) for line in lines if line.startswith("...")] == [4600, 9600]  # prompts, then chunks
    assert len(lines) < 1000
    state = ChunkState(plan, torch.zeros(1, 3, 16, 16))
    assert all(torch.equal(state.scene_image(chunk), state.start) for chunk in plan.chunks)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"total_frames": math.nan}, "^total_frames .*got nan"),
        ({"total_frames": math.inf}, "^total_frames .*got inf"),
        ({"total_frames": 10**5000}, "^total_frames .*got .* 5001 digits"),
        ({"total_frames": 40.5}, r"^total_frames .*got 40\.5"),
        ({"total_frames": True}, "^total_frames .*got True"),
        ({"total_frames": "40"}, "^total_frames .*got '40'"),
        ({"fps": math.inf}, "^fps .*1000, got inf"),
        ({"fps": math.nan}, "^fps .*got nan"),
        ({"fps": 1001.0}, "^fps .*1000, got 1001"),
        ({"chunk_frames": math.nan}, "^chunk_frames .*got nan"),
        ({"chunk_frames": 16389}, "^chunk_frames .*16385, got 16389"),
        ({"overlap_frames": math.nan}, "^overlap_frames .*got nan"),
        ({"overlap_frames": -math.inf}, "^overlap_frames .*1, got -inf"),
        ({"overlap_frames": 10**9}, "^overlap_frames .*16385, got 1000000000"),
    ],
)
def test_numbers_that_no_widget_gives_are_refused_by_name(changed, message):
    with pytest.raises(ValueError, match=message):
        plan_chunks(**{"total_frames": 40, "chunk_frames": 17, "overlap_frames": 8} | changed)


def test_numbers_of_other_kinds_are_taken_as_what_they_are():
    numpy = pytest.importorskip("numpy")
    plan = plan_chunks(numpy.int64(41), chunk_frames=17.0, overlap_frames=numpy.float32(8), fps=numpy.float64(16))
    assert plan == plan_chunks(41, chunk_frames=17, overlap_frames=8)
