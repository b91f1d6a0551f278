"""The code of docs/core.md runs as it stands, in order."""

import re
import runpy
from pathlib import Path

import torch

PAGE = Path(__file__).resolve().parents[1] / "docs" / "core.md"


def test_the_code_of_the_page_runs(tmp_path):
    blocks = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert len(blocks) == 3
    code = tmp_path / "core.py"
    code.write_text("\n".join(blocks), encoding="utf-8")
    found = runpy.run_path(str(code))
    assert abs(found["flow"].displacement[:, 0].median() - 2) < 0.05
    assert (found["earlier"] - found["frames"][:8])[..., 8:-8, 8:-8].abs().mean() < 0.01
    assert found["predicted"].shape == (4, 3, 64, 96)
    assert len(found["joined"].frames) == 40
    assert (found["joined"].frames - found["frames"]).abs().mean() < 0.01
    assert found["report"].score <= 1
    assert found["finished"].video.shape == (60, 3, 64, 96)
    assert torch.isfinite(found["finished"].video).all()
