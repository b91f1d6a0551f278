"""The two layouts of the relaxation, and what it minimizes."""

import torch
from wan_motion_chunks.benchmarks.layers import waves
from wan_motion_chunks.motion import relaxation
from wan_motion_chunks.motion.pyramid import to_gray
from wan_motion_chunks.motion.variational import refine


def pair(shift):
    return to_gray(waves(48, 64)), to_gray(waves(48, 64, shift))


def test_a_flow_that_is_nearly_right_comes_nearer():
    template, picture = pair((1.4, -0.6))
    start = torch.tensor([1.0, 0.0]).view(1, 2, 1, 1).expand(1, 2, 48, 64).contiguous()
    once, often = (refine(template, picture, start, warps=warps)[..., 8:-8, 8:-8] for warps in (1, 8))
    before, after, last = (
        (flow - torch.tensor([1.4, -0.6]).view(1, 2, 1, 1)).abs().mean() for flow in (start, once, often)
    )
    assert after < before
    assert last < after / 4


def test_both_layouts_relax_alike(monkeypatch):
    template, picture = pair((0.7, 0.3))
    start = 0.1 * torch.randn(1, 2, 48, 64, generator=torch.Generator().manual_seed(0))
    split = refine(template, picture, start)
    monkeypatch.setattr(relaxation, "_Lattice", relaxation._Grid)
    torch.testing.assert_close(refine(template, picture, start), split, rtol=0, atol=1e-4)
