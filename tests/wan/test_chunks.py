import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wan_motion_chunks.wan.chunks import plan_chunks


@pytest.mark.parametrize(
    ("total", "chunk", "overlap", "expected"),
    [
        (81, 81, 16, [(0, 81, 0)]),
        (50, 81, 16, [(0, 53, 0)]),
        (1, 81, 16, [(0, 1, 0)]),
        (82, 81, 16, [(0, 81, 0), (64, 21, 17)]),
        (145, 81, 16, [(0, 81, 0), (64, 81, 17)]),
        (41, 17, 9, [(0, 17, 0), (8, 17, 9), (16, 17, 9), (24, 17, 9)]),
        (20, 9, 1, [(0, 9, 0), (8, 9, 1), (16, 5, 1)]),
        (960, 81, 16, [(64 * k, 81, 17 * (k > 0)) for k in range(14)] + [(896, 65, 17)]),
    ],
)
def test_plans_by_the_table(total, chunk, overlap, expected):
    plan = plan_chunks(total, chunk_frames=chunk, overlap_frames=overlap)
    assert [(c.start, c.length, c.overlap) for c in plan.chunks] == expected


@st.composite
def plans(draw):
    chunk = 4 * draw(st.integers(1, 40)) + 1
    overlap = draw(st.integers(1, chunk - 4))
    return draw(st.integers(1, 2000)), chunk, overlap


@given(plans())
def test_every_frame_is_made_exactly_once(numbers):
    total, chunk_frames, overlap_frames = numbers
    plan = plan_chunks(total, chunk_frames=chunk_frames, overlap_frames=overlap_frames)
    made = []
    for chunk in plan.chunks:
        made.extend(range(chunk.seam, min(chunk.stop, total)))
        assert plan.added(chunk) > 0
    assert made == list(range(total))


@given(plans())
def test_lengths_and_overlaps_stay_on_wans_grid(numbers):
    total, chunk_frames, overlap_frames = numbers
    plan = plan_chunks(total, chunk_frames=chunk_frames, overlap_frames=overlap_frames)
    assert 0 <= plan.overlap_frames - overlap_frames < 4
    for before, chunk in zip(plan.chunks, plan.chunks[1:], strict=False):
        assert chunk.overlap == plan.overlap_frames
        assert chunk.overlap % 4 == 1
        assert chunk.start == before.stop - chunk.overlap
        assert chunk.overlap <= before.length
    assert all(chunk.length % 4 == 1 and chunk.length <= chunk_frames for chunk in plan.chunks)
    assert all(chunk.length == chunk_frames for chunk in plan.chunks[:-1])
    assert 0 <= plan.chunks[-1].stop - total < 4


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, 81, 16), "^total_frames .*got 0"),
        ((100, 80, 16), "^chunk_frames: .*got 80.* 81"),
        ((100, 81, 0), "^overlap_frames .*got 0"),
        ((100, 17, 16), "^overlap_frames .* 16 .* 17 .*chunk_frames .*17"),
        ((100, 17, 40), "^overlap_frames .* 40 .* 41 .*chunk_frames .*17"),
    ],
)
def test_numbers_out_of_range_are_refused_by_name(arguments, message):
    total, chunk, overlap = arguments
    with pytest.raises(ValueError, match=message):
        plan_chunks(total, chunk_frames=chunk, overlap_frames=overlap)


def test_the_plan_says_what_it_changed():
    lines = plan_chunks(82, chunk_frames=81, overlap_frames=16).describe().splitlines()
    numbers = [[int(number) for number in re.findall(r"\d+", line)] for line in lines]
    # Frames, chunks and their length, the overlap, what was asked for and the rule; then from where to where.
    assert numbers == [[82, 2, 81, 17, 16, 4, 1], [1, 0, 80], [2, 64, 84, 17, 3]]
