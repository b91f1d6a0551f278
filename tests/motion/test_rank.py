import pytest
import torch
from wan_motion_chunks.motion.rank import nearest_rank


@pytest.mark.parametrize("share", [0.0, 0.25, 0.5, 0.9, 1.0])
@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_so_large_a_share_is_not_above_it_and_it_is_one_of_them(share, size):
    values = torch.rand(3, size, generator=torch.Generator().manual_seed(size))
    for row, found in zip(values, nearest_rank(values, share), strict=True):
        assert found in row
        assert abs((row <= found).sum().item() - share * size) <= (0.5 if share * size >= 0.5 else 1)
