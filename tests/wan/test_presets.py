import inspect
import json
import re
from dataclasses import astuple

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from wan_motion_chunks.motion import predict_motion
from wan_motion_chunks.tests.fakes import CausalVae, numbered_frames
from wan_motion_chunks.tiny.scenes import draw_scenes
from wan_motion_chunks.tools.workflow import ROOT
from wan_motion_chunks.wan import ChunkState, Tools, generate, plan_chunks
from wan_motion_chunks.wan.presets import (
    AUTO,
    FAST,
    FAST_SPEED,
    KNOBS,
    LINES,
    PRESETS,
    SLOW,
    SLOW_SPEED,
    STANDARD,
    STANDARD_SPEED,
    describe_presets,
    lora_factor,
    measure_speed,
    preset_at,
)
from wan_motion_chunks.wan.settings import GuideSettings, choose_settings


def tables(*path):
    """Rows of a Markdown file's tables, by the first cell."""
    lines = ROOT.joinpath(*path).read_text(encoding="utf-8").splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| ")]
    return {row[0]: row[1:] for row in reversed(rows)}


SPEEDS = {"Slow or static": SLOW_SPEED, "Standard": STANDARD_SPEED, "Fast motion": FAST_SPEED}


def test_the_guide_shows_the_numbers_of_the_presets():
    rows = tables("docs", "guide.md")
    for name, preset in PRESETS.items():
        row = dict(zip(rows["preset"], rows[name], strict=True))
        assert {knob: float(row[knob]) for knob in KNOBS} == {knob: getattr(preset, knob) for knob in KNOBS}
        assert f"{SPEEDS[name]:g} px/frame" in row["for"]


def test_the_help_shows_the_numbers_of_the_presets():
    lines = ROOT.joinpath("docs", "nodes", "WanMotionSettings.md").read_text(encoding="utf-8").splitlines()
    for name, preset in PRESETS.items():
        (line,) = (each for each in lines if each.startswith(f"- **{name}**"))
        assert {knob: float(value) for knob, value in re.findall(r"(\w+_\w+) ([\d.]+)", line)} == {
            knob: getattr(preset, knob) for knob in KNOBS
        }
        assert f"{SPEEDS[name]:g} px/frame" in line


def test_the_tooltip_names_every_preset_and_number():
    words = describe_presets()
    numbers = [value for preset in (STANDARD, FAST, SLOW) for value in astuple(preset)]
    numbers += [SLOW_SPEED, STANDARD_SPEED, FAST_SPEED, LINES]
    assert [float(number) for number in re.findall(r"\d[\d.]*\d|\d", words)] == numbers
    assert all(f"{name}: " in words for name in (*PRESETS, AUTO))
    settings = json.loads((ROOT / "locales" / "zh" / "words.json").read_text(encoding="utf-8"))["WanMotionSettings"]
    chinese = settings["inputs"]["preset"]["tooltip"]["translation"]
    assert re.findall(r"\d[\d.]*\d|\d", chinese) == re.findall(r"\d[\d.]*\d|\d", words)


def test_motion_is_expected_to_go_on_as_it_is_unless_one_says_otherwise():
    assert inspect.signature(predict_motion).parameters["step_gain"].default == GuideSettings.step_gain == 1


def test_the_timeline_knows_the_overlaps_of_the_presets():
    script = (ROOT / "js" / "plan.mjs").read_text(encoding="utf-8")
    (known,) = re.findall(r"PRESET_OVERLAP = \{(.+?)\}", script)
    overlaps = {name: preset.overlap_frames for name, preset in PRESETS.items()} | {AUTO: STANDARD.overlap_frames}
    found = {quoted or bare: int(number) for quoted, bare, number in re.findall(r'(?:"([^"]+)"|(\w+)): (\d+)', known)}
    assert found == overlaps


def test_the_presets_are_the_seeds_numbers():
    assert (STANDARD.overlap_frames, FAST.overlap_frames, SLOW.overlap_frames) == (16, 24, 8)
    settings = choose_settings("Fast motion", own={"step_gain": 0.1})
    guide = settings.guide
    assert settings.overlap_frames == 24
    assert (guide.blend_strength, guide.motion_weight, guide.mask_sigma, guide.step_gain) == (0.6, 0.4, 0.25, 0.1)
    assert not guide.adaptive


def test_auto_leaves_what_is_set_alone():
    settings = choose_settings("Auto", own={"motion_weight": 0.1, "overlap_frames": 13})
    assert settings.guide.adaptive == {"blend_strength", "mask_sigma"}
    assert (settings.overlap_frames, settings.guide.motion_weight) == (13, 0.1)
    assert "overlap_frames 13" in settings.describe()
    assert "mask_sigma by speed" in settings.describe()


@pytest.mark.parametrize(("speed", "preset"), [(0.0, SLOW), (0.5, SLOW), (2.0, STANDARD), (8.0, FAST), (99.0, FAST)])
def test_each_preset_has_its_speed(speed, preset):
    found = preset_at(speed)
    for name in KNOBS:
        assert getattr(found, name) == pytest.approx(getattr(preset, name))


@given(st.floats(0, 20), st.floats(0, 20))
def test_faster_overlaps_more_and_follows_motion_longer(a, b):
    slow, fast = preset_at(min(a, b)), preset_at(max(a, b))
    assert slow.overlap_frames <= fast.overlap_frames
    assert slow.motion_weight <= fast.motion_weight + 1e-9
    assert slow.mask_sigma >= fast.mask_sigma - 1e-9


@given(st.floats(0, 30), st.floats(-2, 2), st.floats(-2, 2))
def test_lora_strength_stays_between_its_limits_in_steps(speed, at_rest, in_motion):
    factor = lora_factor(speed, at_rest, in_motion)
    assert min(at_rest, in_motion) - 0.026 <= factor <= max(at_rest, in_motion) + 0.026
    assert factor / 0.05 == pytest.approx(round(factor / 0.05))
    assert lora_factor(0.0, 0.5, 1.0) == pytest.approx(0.5)
    assert lora_factor(8.0, 0.5, 1.0) == pytest.approx(1.0)


def test_a_picture_that_moves_has_its_speed_and_one_that_rests_none():
    wide = draw_scenes(1, 1, torch.Generator().manual_seed(3), size=96).frames[0, 0]
    moving = torch.stack([wide[:, :64, 2 * t : 2 * t + 64] for t in range(9)])
    assert measure_speed(moving) == pytest.approx(2 * 480 / 64, rel=0.15)
    assert measure_speed(moving[:1].expand(9, -1, -1, -1)) == 0


def test_auto_plans_the_next_chunk_by_the_speed_of_the_last():
    vae = CausalVae()
    start = numbered_frames(5, 1)
    hold = Tools(vae, lambda guide: vae.encode(start.expand(guide.samples.shape[2] * 4 - 3, -1, -1, -1).movedim(1, -1)))
    settings = choose_settings("Auto")
    plan = plan_chunks(120, chunk_frames=33, overlap_frames=settings.overlap_frames)
    state = generate(ChunkState(plan, start, settings.guide), hold)
    assert [chunk.overlap for chunk in state.plan.chunks] == [0, 9, 9, 9, 9]  # it rests: the preset Slow or static
    assert len(state.video) == 120
    for record in state.records[1:]:
        assert record.speed == 0
        assert dict(record.adapted) == {name: getattr(SLOW, name) for name in KNOBS} | {"overlap_frames": 9}


def test_an_overlap_too_long_for_the_chunks_is_as_long_as_they_allow():
    plan = plan_chunks(100, chunk_frames=17, overlap_frames=9).replan(1, 24)
    assert [chunk.overlap for chunk in plan.chunks[:3]] == [0, 13, 13]
    made = [frame for chunk in plan.chunks for frame in range(chunk.seam, min(chunk.stop, 100))]
    assert made == list(range(100))


def test_auto_with_last_frame_keeps_its_overlap_of_one():
    settings = choose_settings("Auto", continuity="last_frame")
    vae = CausalVae()
    start = numbered_frames(5, 1)
    hold = Tools(vae, lambda guide: vae.encode(start.expand(guide.samples.shape[2] * 4 - 3, -1, -1, -1).movedim(1, -1)))
    plan = plan_chunks(60, chunk_frames=17, overlap_frames=1)
    assert len(generate(ChunkState(plan, start, settings.guide), hold).video) == 60
