"""The simulation gives what can be worked out by hand."""

import pytest
from wan_motion_chunks.farm.simulation import Case, simulate


def test_without_pre_emption_all_is_useful_and_takes_as_long_as_it_must():
    case = Case(jobs=64, workers=4, chunks=10, chunk=30.0, lasts=1e12)
    found = simulate(case)
    assert (found.finished, found.lost) == (64, 0.0)
    assert found.useful == 64 * 10 * 30
    assert found.span == pytest.approx(case.load + 16 * 10 * (case.chunk + case.fetch))


@pytest.mark.parametrize("chunk", [30.0, 60.0])
def test_with_kept_runs_half_a_chunk_is_lost_with_each_worker(chunk):
    found = simulate(Case(chunk=chunk), seed=1)
    assert found.finished == 1000
    assert found.wasted == pytest.approx(chunk / 2 / 600, rel=0.2)


def test_without_kept_runs_far_more_is_lost():
    kept, lost = (simulate(Case(jobs=200, kept=kept), seed=1) for kept in (True, False))
    assert lost.finished == kept.finished == 200
    assert lost.wasted > 10 * kept.wasted


def test_a_seed_gives_the_same_again():
    assert simulate(Case(jobs=50), seed=3) == simulate(Case(jobs=50), seed=3)
