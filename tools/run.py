"""Run ``main`` of one of the pack's modules: ``run.py tiny.train_vae --minutes 60``.

The pack is loaded as ComfyUI loads it, from its folder and under a name of its own. Its folder must
not be on ``sys.path``, where our ``nodes`` and ``wan`` would hide the host's.
"""

import importlib
import importlib.util
import logging
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
NAME = "wan_motion_chunks"


def load_pack() -> None:
    spec = importlib.util.spec_from_file_location(NAME, ROOT / "__init__.py", submodule_search_locations=[str(ROOT)])
    assert spec is not None  # a file has one, and a loader
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[NAME] = module
    spec.loader.exec_module(module)


if __name__ == "__main__":
    sys.path[0] = os.environ["COMFYUI_PATH"]  # was this script's folder
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    load_pack()
    module, arguments = sys.argv[1], sys.argv[2:]
    sys.argv = [module]
    sys.exit(importlib.import_module(f"{NAME}.{module}").main(arguments))
