from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from wan_motion_chunks.tests.fakes import CausalVae, numbered_frames
from wan_motion_chunks.wan.heed import HIGH, LOW, HeedMeter, guidance_left, measure_heed
from wan_motion_chunks.wan.levels.motion import clip_at_rest
from wan_motion_chunks.wan.records import ContinuityRecord, Reason
from wan_motion_chunks.wan.runs.plain import from_plain, to_plain

KNOWN, REST = torch.randn(2, 1, 16, 1, 4, 4, generator=torch.Generator().manual_seed(3)).unbind(0)


def between(share):
    """Latents that are a share of the way from rest to the known frames."""
    return REST + share * (KNOWN - REST)


@given(share=st.floats(-2, 2))
def test_heed_is_one_less_the_squared_share_that_is_missing(share):
    assert measure_heed(between(share), KNOWN, REST).item() == pytest.approx(1 - (1 - share) ** 2, abs=1e-5)


def test_a_batch_is_measured_as_one():
    both = torch.cat((KNOWN, REST))
    assert measure_heed(both, KNOWN, REST).item() == pytest.approx(0.5, abs=1e-5)


def test_all_guidance_stays_where_nothing_moves_or_is_followed_and_none_where_all_is():
    assert measure_heed(KNOWN, KNOWN, KNOWN + 1e-3).isnan()
    heed = torch.tensor([float("nan"), -3.0, LOW, (LOW + HIGH) / 2, HIGH, 1.0])
    torch.testing.assert_close(guidance_left(heed), torch.tensor([1.0, 1.0, 1.0, 0.5, 0.0, 0.0]))


def sampled(share):
    """A chunk of which the third latent is the last known one."""
    return torch.cat((torch.full((1, 16, 2, 4, 4), 9.0), between(share), torch.full((1, 16, 3, 4, 4), 9.0)), dim=2)


def test_the_first_model_call_of_each_run_tells():
    meter = HeedMeter(KNOWN / 2, REST / 2, index=2, decides=True)
    meter.watch(sampled(1.0))  # no run has begun
    assert meter.read() is meter.left is None
    for share, left in ((1.0, 0.0), (0.0, 1.0)):  # the second run is another attempt
        meter.start(lambda latent: 2 * latent, torch.zeros(1))
        assert meter.read() is meter.left is None
        for later in (share, 0.3, 0.8):
            meter.watch(sampled(later))
        assert meter.read() == pytest.approx(share, abs=1e-5)
        assert meter.left == left


def test_a_run_that_begins_on_the_way_tells_nothing_and_forgets_the_last():
    meter = HeedMeter(KNOWN, REST, index=2, decides=True)
    meter.start(lambda latent: latent, torch.zeros(1))
    meter.watch(sampled(1.0))
    meter.stop()
    meter.watch(sampled(1.0))
    assert meter.read() is meter.left is None


def test_a_meter_that_does_not_decide_leaves_all_guidance():
    meter = HeedMeter(KNOWN, REST, index=2, decides=False)
    meter.start(lambda latent: latent, torch.zeros(1))
    meter.watch(sampled(1.0))
    assert meter.read() == pytest.approx(1.0)
    assert meter.left is None


def test_nothing_is_read_where_nothing_moves():
    meter = HeedMeter(KNOWN, KNOWN, index=2, decides=True)
    meter.start(lambda latent: latent, torch.zeros(1))
    meter.watch(sampled(0.0))
    assert meter.read() is None
    assert meter.left == 1


@pytest.mark.parametrize("latents", [1, 2, 3, 7])
def test_a_clip_at_rest_is_that_of_its_frame_repeated(latents):
    frame, vae = numbered_frames(300, 1), CausalVae()
    whole = vae.encode(frame.movedim(1, -1).expand(4 * latents - 3, -1, -1, -1))
    assert torch.equal(clip_at_rest(frame, latents, vae), whole)
    assert vae.encoded[-1] <= 9


def test_a_record_keeps_its_heed():
    record = ContinuityRecord("motion", Reason.HIGHEST, guided=0.5, predicted=8, heed=0.93)
    assert from_plain(ContinuityRecord, to_plain(record)) == record
    assert "0.93" in record.describe()
    assert record.describe() != replace(record, reason=Reason.CHOSEN).describe()
