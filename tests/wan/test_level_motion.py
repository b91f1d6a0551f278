"""The level ``motion``: what it predicts, when it gives way, and what it leaves alone."""

import pytest
import torch
from wan_motion_chunks.benchmarks.layers import waves
from wan_motion_chunks.motion.prediction import predict_clip_motion, render
from wan_motion_chunks.tests.fakes import CausalVae
from wan_motion_chunks.wan import GuideSettings, guide_next_chunk
from wan_motion_chunks.wan.levels.motion import NoPrediction, predict_chunk
from wan_motion_chunks.wan.records import Reason

SIZE = (64, 96)


class FlatVae(CausalVae):
    """Takes any picture: each 8 x 8 cell is flattened first, to its mean in 8 bits."""

    def encode(self, pixels):
        cells = torch.nn.functional.avg_pool2d(pixels.movedim(-1, 1), 8)
        flat = ((cells * 256).round() / 256).repeat_interleave(8, dim=2).repeat_interleave(8, dim=3)
        return super().encode(flat.movedim(1, -1))


def panning(count=9, x=1.5, y=-1.0):
    return torch.cat([waves(*SIZE, (x * t, y * t)) for t in range(count)])


def guide(frames, level="motion", weight=0.3, vae=None, **changed):
    vae = vae or FlatVae()
    return guide_next_chunk(None, frames, 9, 0.8, weight, 0.35, 0.5, vae, 1, 25, *SIZE, continuity=level, **changed)


def test_the_free_latents_carry_the_predicted_frames_and_say_how_long():
    clip = panning()
    found = guide(clip)
    assert found.level == "motion"
    pixels = FlatVae().decode(found.samples[:, :, :5])[0].movedim(-1, 1)
    predicted, _ = render(clip[-1:], predict_clip_motion(clip, 8, step_gain=0.5, shrink=False))
    cells = torch.nn.functional.avg_pool2d(predicted.clamp(0, 1), 8)
    torch.testing.assert_close(pixels[9:, :, ::8, ::8], cells, rtol=0, atol=0.51 / 256)
    held = found.end_percent[0, 0]
    assert (held[:3] == 0).all()
    assert (held[5:] == 0).all()
    assert ((held[3:5] == 0) | ((held[3:5] > 0.15) & (held[3:5] <= 0.3 ** (1 / 3)))).all()
    assert (held[3:5] > 0).float().mean() > 0.5


def test_what_the_model_is_told_to_be_known_is_what_it_was():
    pinned, found = guide(panning(), "overlap_pinned"), guide(panning())
    assert torch.equal(found.conditioning["concat_latent_image"], pinned.conditioning["concat_latent_image"])
    assert torch.equal(found.conditioning["concat_mask"], pinned.conditioning["concat_mask"])
    assert torch.equal(found.samples[:, :, :3], pinned.samples[:, :, :3])
    assert torch.equal(found.noise_mask, pinned.noise_mask)  # what a sampler that cannot follow goes by


def test_without_weight_it_is_the_pinned_guide_bit_for_bit():
    pinned, found = guide(panning(), "overlap_pinned"), guide(panning(), weight=0.0)
    falls(found, Reason.NO_WEIGHT)
    for name in ("samples", "noise_mask"):
        assert torch.equal(getattr(found, name), getattr(pinned, name))
    for name, values in pinned.conditioning.items():
        assert torch.equal(found.conditioning[name], values)


def falls(found, reason):
    assert found.level == "overlap_pinned"
    assert found.record.reason is reason
    assert found.end_percent is None


def test_a_still_overlap_falls_to_pinned():
    falls(guide(waves(*SIZE).expand(9, -1, -1, -1)), Reason.STILL)


def test_a_cut_at_the_end_of_the_overlap_falls_to_pinned():
    clip = torch.cat((panning(8), waves(*SIZE, seed=5)))
    found = guide(clip)
    falls(found, Reason.UNTRUSTED)
    assert 0 <= found.record.trusted < 0.05


def broken(error):
    def estimate(first, second):
        raise error

    return estimate


@pytest.mark.parametrize("error", [RuntimeError("no kernel"), KeyError("scale"), ZeroDivisionError("division")])
def test_an_estimator_that_raises_falls_to_pinned_and_is_named(error, caplog):
    found = guide(panning(), estimator=broken(error))
    falls(found, Reason.FLOW_FAILED)
    assert type(error).__name__ in found.record.error
    assert [record.levelname for record in caplog.records] == ["WARNING"]


@pytest.mark.parametrize("estimate", [lambda a, b: a[:, :2] * float("nan"), lambda a, b: a[:, :2, :4]])
def test_an_estimator_that_returns_nonsense_falls_to_pinned(estimate):
    falls(guide(panning(), estimator=estimate), Reason.FLOW_FAILED)


def test_an_interrupt_during_the_analysis_gets_through():
    class Interrupted(Exception):  # as the host's own
        pass

    with pytest.raises(Interrupted):
        guide(panning(), estimator=broken(Interrupted()))


def test_running_out_of_memory_is_no_reason_for_a_lower_level():
    found = guide(panning(), estimator=broken(torch.OutOfMemoryError()))
    assert found.level == "motion"
    assert found.record.out_of_memory
    twin = guide(panning())
    assert not twin.record.out_of_memory
    assert torch.equal(found.samples, twin.samples)
    assert torch.equal(found.end_percent, twin.end_percent)


def test_that_memory_ran_out_is_kept_where_nothing_is_predicted_then():
    found = guide(waves(*SIZE).expand(9, -1, -1, -1), estimator=broken(torch.OutOfMemoryError()))
    falls(found, Reason.STILL)
    assert found.record.out_of_memory


def test_a_bug_of_ours_gets_through(monkeypatch):
    from wan_motion_chunks.wan.levels import motion

    def render(*arguments):
        raise TypeError

    monkeypatch.setattr(motion, "render", render)
    with pytest.raises(TypeError):
        guide(panning())


def test_a_chunk_too_short_for_two_latents_is_guided_as_far_as_it_goes():
    found = guide_next_chunk(None, panning(), 9, 0.8, 0.3, 0.35, 0.5, FlatVae(), 1, 13, *SIZE, continuity="motion")
    assert found.samples.shape[2] == 4
    assert found.record.predicted == 4


def test_outside_the_region_nothing_is_guided():
    region = torch.zeros(1, 1, *SIZE)
    region[..., :48] = 1.0
    held = guide(panning(), region=region).end_percent[0, 0, 3:5]
    assert (held[..., 6:] == 0).all()
    assert (held[..., :6] > 0).float().mean() > 0.4


def test_a_region_that_is_empty_is_named_as_the_reason():
    falls(guide(panning(), region=torch.zeros(1, 1, *SIZE)), Reason.NO_REGION)


def test_the_frames_are_left_as_they_were():
    clip = panning()
    before = clip.clone()
    guide(clip)
    assert torch.equal(clip, before)


def test_auto_takes_motion():
    assert guide(panning(), "auto").level == "motion"
    assert GuideSettings().continuity == "auto"


def test_one_frame_predicts_nothing():
    with pytest.raises(ValueError, match="two frames"):
        predict_chunk(waves(*SIZE), 1, 0.5)


def test_what_cannot_be_trusted_is_no_prediction():
    with pytest.raises(NoPrediction) as raised:
        predict_chunk(torch.cat([waves(*SIZE, seed=seed) for seed in range(5)]), 2, 0.5)
    assert raised.value.reason is Reason.UNTRUSTED
