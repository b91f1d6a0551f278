"""What motion costs a chunk on the CPU, stage by stage, in core-seconds and memory, by the estimator of flow."""

from __future__ import annotations

import argparse
import importlib.util
import time
from collections.abc import Callable

import torch
from torch import Tensor

from ..blending import SeamReport, measure_seam
from ..motion import estimate_both, estimator_names
from ..motion.lucas_kanade import estimate_lucas_kanade
from ..wan.guidance_schedule import end_percent_map
from ..wan.join import join_chunk
from ..wan.levels.motion import LATENTS, predict_chunk
from ..wan.motion_tools import MotionTools
from ..wan.settings import GuideSettings
from .bench_flow import peak_memory
from .layers import waves

SIZES = {"480p": (480, 832), "720p": (720, 1280)}
OVERLAP = 17
MEGA = 1e6


@torch.inference_mode()
def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="dev.py bench cost", description=__doc__)
    parser.add_argument("--sizes", nargs="+", choices=SIZES, default=["480p"])
    parser.add_argument("--estimators", nargs="+", default=["lucas_kanade", *(["dis"] if "dis" in _known() else [])])
    options = parser.parse_args(arguments)
    print(f"overlap {OVERLAP}, {torch.get_num_threads()} threads; core-seconds, and MiB more at the peak")
    for size in options.sizes:
        for estimator in options.estimators:
            print_stages(size, estimator)
    print_flow(options.estimators)
    return 0


def _known() -> tuple[str, ...]:
    return estimator_names() if importlib.util.find_spec("cv2") else ("lucas_kanade",)


def print_stages(size: str, estimator: str) -> None:
    height, width = SIZES[size]
    settings = GuideSettings()

    def pan(start: int, stop: int, offset: float = 0.0) -> Tensor:
        return torch.cat([waves(height, width, (2.0 * t + offset, t)) for t in range(start, stop)])

    video = pan(-SeamReport.REACH, OVERLAP)
    # A chunk whose overlap is off in color and place, so that every stage of a join has something to do.
    chunk = pan(0, 2 * OVERLAP, 2.0) * 0.97
    print(f"{width} x {height}, {estimator}")
    known = video[-OVERLAP:]
    prediction, predicting = clock("prediction", lambda: predict_chunk(known, LATENTS, settings.step_gain, estimator))
    _, mapping = clock(
        "its mask", lambda: end_percent_map(prediction.confidence, settings.motion_weight, settings.mask_sigma)
    )
    near = torch.cat((video[-2 * SeamReport.REACH :], pan(OVERLAP, OVERLAP + 2 * SeamReport.REACH)))
    _, measuring = clock("seam measured", lambda: measure_seam(near, 2 * SeamReport.REACH, estimator=estimator))
    clock("join, where not pinned", lambda: join_chunk(video, chunk, OVERLAP, motion=MotionTools(estimator)))
    print(f"{'level motion, in all':>26}{predicting + mapping + measuring:10.2f}")


def print_flow(estimators: list[str]) -> None:
    """Core-seconds per megapixel of what is used of a flow: both ways, and how far to trust it."""
    a, b = waves(480, 832), waves(480, 832, (2.0, 1.0))
    pixels = a.shape[-2] * a.shape[-1] / MEGA
    for estimator in estimators:
        took = min(_seconds(lambda name=estimator: estimate_both(a, b, estimator=name)) for _ in range(3))
        print(f"{estimator}: {took / pixels:.2f} s/MP for flow both ways with its confidence")
    took = min(_seconds(lambda: estimate_lucas_kanade(a, b)) for _ in range(3))
    print(f"lucas_kanade: {took / pixels:.2f} s/MP one way without")


def clock(name: str, work: Callable) -> tuple:
    """What ``work`` returns, and the core-seconds that it took."""
    before, began = peak_memory(), time.process_time()
    result = work()
    took = time.process_time() - began
    print(f"{name:>26}{took:10.2f}{peak_memory() - before:10.0f}", flush=True)
    return result, took


def _seconds(work: Callable) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began
