"""The measures that the benchmarks print, held against cases whose answer is known."""

import struct

import pytest
import torch
from wan_motion_chunks.benchmarks.bench_confidence import f1, sorting_area
from wan_motion_chunks.benchmarks.bench_guidance import fine_detail
from wan_motion_chunks.benchmarks.flow_data import load_pairs, read_flow


def test_the_best_order_has_no_area_and_a_random_one_all_of_it():
    error = torch.rand(20000, generator=torch.Generator().manual_seed(0))
    assert sorting_area(-error, error) == pytest.approx(0, abs=1e-6)
    assert sorting_area(torch.rand(20000, generator=torch.Generator().manual_seed(1)), error) == pytest.approx(
        1, abs=0.05
    )
    assert sorting_area(error, error) > 1.5


def test_f1_is_the_harmonic_mean_of_precision_and_recall():
    found, true = torch.tensor([1, 1, 1, 0, 0]).bool(), torch.tensor([1, 0, 0, 1, 0]).bool()
    assert f1(found, true, torch.ones(5).bool()) == pytest.approx(2 * (1 / 3) * (1 / 2) / (1 / 3 + 1 / 2))
    assert f1(found, true, torch.tensor([1, 0, 0, 0, 1]).bool()) == 1


def test_the_share_of_fine_detail_is_that_of_the_contrast_whatever_the_noise():
    generator = torch.Generator().manual_seed(0)
    sharp, noise = (torch.rand(8, 64, 64, 3, generator=generator) for _ in range(2))
    assert fine_detail(sharp, sharp) == pytest.approx(1)
    assert fine_detail(0.5 + 0.3 * (sharp - 0.5), sharp) == pytest.approx(0.3, abs=1e-5)
    assert fine_detail(torch.full_like(sharp, 0.5), sharp) == pytest.approx(0, abs=1e-5)
    assert fine_detail(0.3 * sharp + noise, sharp) == pytest.approx(0.3, abs=0.02)


def test_a_flow_file_is_read_x_first(tmp_path):
    path = tmp_path / "flow10.flo"
    path.write_bytes(struct.pack("<fii", 202021.25, 2, 1) + struct.pack("<4f", 1, 2, 3, 4))
    assert torch.equal(read_flow(path), torch.tensor([[[[1.0, 3.0]], [[2.0, 4.0]]]]))


@pytest.mark.parametrize(
    "content", [b"", b"PIEH", struct.pack("<fii", 202021.25, 2, 2), struct.pack("<fii", 1.0, 0, 0)]
)
def test_what_is_no_flow_file_is_named(tmp_path, content):
    path = tmp_path / "broken.flo"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"broken\.flo"):
        read_flow(path)


def test_a_folder_without_pairs_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="flow"):
        list(load_pairs(tmp_path))
