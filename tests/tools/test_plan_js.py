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


def test_the_timeline_plans_as_the_loop_does():
    node = shutil.which("node")
    if node is None:
        if os.environ.get("CI"):
            pytest.fail("CI needs node: apt-get install nodejs")
        pytest.skip("needs node")
    code = f"import {{ planChunks }} from {json.dumps((ROOT / 'js' / 'plan.mjs').as_uri())};"
    code += f"console.log(JSON.stringify({json.dumps(CASES)}.map((numbers) => planChunks(...numbers))));"
    done = subprocess.run([node, "--input-type=module", "-e", code], capture_output=True, text=True, check=True)
    for (total, chunk, overlap), found in zip(CASES, json.loads(done.stdout), strict=True):
        try:
            plan = plan_chunks(total, chunk_frames=chunk, overlap_frames=overlap)
        except ValueError:
            assert found == []
            continue
        expected = [{"start": each.start, "stop": min(each.stop, total), "seam": each.seam} for each in plan.chunks]
        assert found == expected, (total, chunk, overlap)
