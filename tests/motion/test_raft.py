import pytest
import torch
from torchvision.models.optical_flow import raft_large, raft_small
from wan_motion_chunks.benchmarks.layers import waves
from wan_motion_chunks.motion import estimate_flow_between
from wan_motion_chunks.motion.raft import build_raft, estimate_raft


@pytest.fixture(scope="module")
def models():
    torch.manual_seed(0)
    return {"large": raft_large(weights=None).eval(), "small": raft_small(weights=None).eval()}


@pytest.mark.parametrize("size", ["large", "small"])
def test_raft_is_torchvisions_own(models, size):
    a, b = waves(128, 136), waves(128, 136, (2, 1))
    found = estimate_raft(build_raft(models[size].state_dict()), a, b)
    with torch.inference_mode():
        expected = models[size](a * 2 - 1, b * 2 - 1)[-1]
    assert torch.equal(found, expected)


@pytest.mark.parametrize("size", [(64, 64), (130, 150), (121, 97)])
def test_any_size_is_padded_and_cut_back(models, size):
    model = models["small"]
    flow = estimate_flow_between(waves(*size), waves(*size, (1, 0)), estimator=lambda a, b: estimate_raft(model, a, b))
    assert flow.displacement.shape == (1, 2, *size)


@pytest.mark.parametrize("size", [(64, 64), (130, 150), (121, 97)])
def test_what_was_padded_is_cut_off_at_the_same_place(size):
    class Echo(torch.nn.Linear):
        def forward(self, first, second):
            return [first[:, :2]]

    frames = waves(*size)
    torch.testing.assert_close(estimate_raft(Echo(1, 1), frames, frames), frames[:, :2] * 2 - 1)


def test_other_weights_are_refused():
    with pytest.raises(ValueError, match="raft_large or raft_small"):
        build_raft({"conv1.weight": torch.zeros(1)})
