"""Where the ComfyUI is that tests run in."""

import os
from pathlib import Path

import pytest


def comfyui_path() -> Path:
    path = os.environ.get("COMFYUI_PATH")
    if path is None:
        if os.environ.get("CI"):
            pytest.fail("CI must name a ComfyUI in COMFYUI_PATH; python dev.py test does.")
        pytest.skip("needs a real ComfyUI: set COMFYUI_PATH, or run python dev.py test")
    return Path(path)
