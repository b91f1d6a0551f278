import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from kornia.color import rgb_to_lab
from wan_motion_chunks.wan.records import ChunkRecord
from wan_motion_chunks.wan.tint import FARTHEST, FEWEST, FRAMES, mean_color, measure_drift, tint_warnings


def records(*colors, cuts=()):
    return [ChunkRecord(index, 8, index in cuts, color=color) for index, color in enumerate(colors)]


def line(step, count):
    return [(50.0 + index * step, -index * step, 3.0) for index in range(count)]


@given(step=st.floats(0.8, 5.0), count=st.integers(FEWEST + 1, 40))
def test_a_steady_drift_is_as_long_as_its_way(step, count):
    assert measure_drift(records(*line(step, count))) == pytest.approx(2**0.5 * step * (count - 1), rel=1e-4)


@given(st.lists(st.tuples(*[st.floats(-60, 60)] * 3), max_size=12))
def test_what_turns_back_or_is_short_is_no_drift(colors):
    assert measure_drift(records(*colors, *reversed(colors))) == 0.0
    assert measure_drift(records(*colors[:FEWEST])) == 0.0


def test_a_drift_that_is_not_seen_is_none():
    below, above = (FARTHEST * share / (2**0.5 * 10) for share in (0.99, 1.01))
    assert measure_drift(records(*line(below, 11))) == 0.0
    assert measure_drift(records(*line(above, 11))) == pytest.approx(1.01 * FARTHEST, rel=1e-4)


def test_one_step_alone_is_a_change_of_scene():
    still = [(50.0, 0.0, 0.0)] * 5
    assert measure_drift(records(*still, *[(70.0, 0.0, 0.0)] * 5)) == 0.0


def test_a_cut_begins_anew():
    colors = line(2.0, 12)
    assert measure_drift(records(*colors, cuts=[5])) == pytest.approx(2**0.5 * 2.0 * 6, rel=1e-4)
    assert measure_drift(records(*colors, cuts=[9])) == 0.0
    unknown = [*records(*colors[:6]), ChunkRecord(6, 8), *records(*colors[7:])]
    assert measure_drift(unknown) == pytest.approx(2**0.5 * 2.0 * 4, rel=1e-4)


def test_what_is_said_names_the_knob():
    drifting = records(*line(2.0, 8))
    assert tint_warnings(records(*line(0.0, 8)), 0.0) == ()
    for anchor in (0.0, 0.2):
        (said,) = tint_warnings(drifting, anchor)
        assert "color_anchor" in said


def test_the_color_is_that_of_the_last_frames():
    frames = torch.rand(9, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    mean = frames[-FRAMES:].mean(dim=(0, 2, 3)).view(3, 1, 1)
    assert mean_color(frames) == pytest.approx(rgb_to_lab(mean).flatten().tolist(), abs=1e-3)
