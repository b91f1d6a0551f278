"""The front end's plan against the loop's."""

import json
import os
import shutil
import subprocess

import pytest
from wan_motion_chunks.tools.workflow import ROOT
from wan_motion_chunks.wan import plan_chunks

CASES = [
    (total, chunk, overlap)
    for total in (1, 2, 17, 18, 25, 33, 80, 81, 82, 145, 161, 320, 959, 960)
    for chunk in (5, 17, 33, 81)
    for overlap in (1, 4, 8, 9, 16, 24)
]


def run_node(code):
    """What a line of JavaScript gives, with what the timeline plans by."""
    node = shutil.which("node")
    if node is None:
        if os.environ.get("CI"):
            pytest.fail("CI needs node: apt-get install nodejs")
        pytest.skip("needs node")
    names = f"import {{ PRESET_OVERLAP, planChunks }} from {json.dumps((ROOT / 'js' / 'plan.mjs').as_uri())};"
    command = [node, "--input-type=module", "-e", f"{names}console.log(JSON.stringify({code}));"]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def test_the_timeline_knows_the_presets():
    from wan_motion_chunks.wan.presets import AUTO, PRESETS
    from wan_motion_chunks.wan.settings import choose_settings

    assert run_node("PRESET_OVERLAP") == {name: choose_settings(name).overlap_frames for name in (*PRESETS, AUTO)}


def test_the_timeline_plans_as_the_loop_does():
    plans = run_node(f"{json.dumps(CASES)}.map((numbers) => planChunks(...numbers))")
    for (total, chunk, overlap), found in zip(CASES, plans, strict=True):
        try:
            plan = plan_chunks(total, chunk_frames=chunk, overlap_frames=overlap)
        except ValueError:
            assert found == []
            continue
        expected = [{"start": each.start, "stop": min(each.stop, total), "seam": each.seam} for each in plan.chunks]
        assert found == expected, (total, chunk, overlap)
