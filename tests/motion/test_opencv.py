import sys

import pytest
import torch
from wan_motion_chunks.benchmarks.layers import waves
from wan_motion_chunks.motion import FlowError, estimate_flow_between


@pytest.mark.parametrize("name", ["dis", "farneback"])
def test_opencv_finds_a_shift(name):
    flow = estimate_flow_between(waves(160, 192), waves(160, 192, (3, -2)), estimator=name)
    wrong = (flow.displacement - torch.tensor([3.0, -2.0]).view(1, 2, 1, 1)).norm(dim=1)
    assert wrong[:, 16:-16, 16:-16].mean() < 0.2


@pytest.mark.parametrize("name", ["dis", "farneback"])
def test_without_opencv_the_way_out_is_named(name, monkeypatch):
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(ValueError, match="lucas_kanade"):
        estimate_flow_between(waves(32, 32), waves(32, 32), estimator=name)


def test_what_opencv_cannot_do_is_a_failure_of_the_estimator():
    with pytest.raises(FlowError):
        estimate_flow_between(waves(8, 8), waves(8, 8), estimator="dis")
