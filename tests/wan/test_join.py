import pytest
import torch
from wan_motion_chunks.benchmarks.layers import waves
from wan_motion_chunks.blending import ColorTransform
from wan_motion_chunks.tests.fakes import CausalVae, CountingModel, numbered_frames
from wan_motion_chunks.tests.reports import read_report
from wan_motion_chunks.wan import ChunkState, GuideSettings, Tools, generate, plan_chunks
from wan_motion_chunks.wan.color_anchor import anchor_color
from wan_motion_chunks.wan.join import join_chunk
from wan_motion_chunks.wan.motion_tools import MotionTools
from wan_motion_chunks.wan.records import Joining, JoinRecord

SIZE = (64, 96)


def pan(start, stop, offset=0.0):
    return torch.cat([waves(*SIZE, (0.6 * t + offset, 0.0), shortest=6.0) for t in range(start, stop)]) * 0.8


TINT = ColorTransform(torch.eye(3) * 1.03, torch.tensor([0.02, 0.0, -0.02]))


def test_a_color_step_is_undone_and_reported():
    joined = join_chunk(pan(0, 20), TINT(pan(11, 40)), 9)
    assert joined.exact_frames == 0
    assert joined.record.joining is Joining.CORRECTED
    assert joined.record.color_levels > 1
    assert (joined.added[-5:] - pan(35, 40)).abs().mean() < 0.5 / 255


def test_a_color_step_is_undone_where_the_speed_changes_too():
    slower = torch.cat((pan(11, 20), *(pan(0, 1, offset=0.6 * 19 + 0.3 * step) for step in range(1, 21))))
    joined = join_chunk(pan(0, 20), TINT(slower), 9)
    assert joined.record.color_levels > 1
    assert (joined.added[-5:] - slower[-5:]).abs().mean() < 0.5 / 255


def test_colors_are_left_alone_when_asked():
    chunk = TINT(pan(11, 40))
    joined = join_chunk(pan(0, 20), chunk, 9, color_match="none", blend_strength=1.0)
    assert torch.equal(joined.added, chunk[9:])
    assert joined.exact_frames == 20


def test_an_overlap_that_is_alike_is_left_as_made():
    joined = join_chunk(pan(0, 20), pan(11, 40), 9)
    assert (joined.exact_frames, joined.record) == (20, JoinRecord(Joining.AS_MADE))
    assert torch.equal(joined.added, pan(20, 40))


def test_a_jump_is_spread_over_the_overlap():
    joined = join_chunk(pan(0, 20), pan(11, 40, offset=2.5), 9, color_match="none")
    assert joined.record.join.blended > 0
    assert joined.record.color_levels is None
    assert torch.equal(joined.added[-8:], pan(32, 40, offset=2.5))
    assert joined.exact_frames == 8


def test_a_correction_that_does_not_help_is_not_made():
    generator = torch.Generator().manual_seed(0)
    other = torch.rand(29, 3, *SIZE, generator=generator)  # no two frames alike: nothing can be matched or aligned
    joined = join_chunk(pan(0, 20), other, 9)
    assert joined.added.shape == (20, 3, *SIZE)
    if joined.exact_frames == 20:
        assert joined.record.joining is Joining.NO_BETTER


def test_changed_frames_are_encoded_again_and_unchanged_ones_are_carried():
    def tinted(guide):
        latent = CountingModel(CausalVae())(guide)
        if guide.request.index == 1:
            frames = CausalVae().decode(latent)[0] * 0.9
            latent = CausalVae().encode(frames)
        return latent

    plan = plan_chunks(33, chunk_frames=17, overlap_frames=9)
    state = generate(ChunkState(plan, numbered_frames(100, 1)), Tools(CausalVae(), CountingModel(CausalVae())))
    assert state.exact_frames == 8
    with pytest.raises(AssertionError):  # the exact model finds its overlap changed by the color match
        generate(ChunkState(plan, numbered_frames(100, 1)), Tools(CausalVae(), tinted))


def test_an_anchor_leads_back_little_by_little_and_not_at_the_seam():
    reference = pan(0, 1)
    drifted = TINT(pan(0, 16))
    led = anchor_color(drifted, reference, 1.0, 4)
    off = [(clip.mean(dim=(2, 3)) - reference.mean(dim=(2, 3))).norm(dim=1) for clip in (drifted, led)]
    assert (led[0] - drifted[0]).abs().max() < 0.01
    assert off[1][-1] < 0.35 * off[0][-1]
    assert (
        anchor_color(drifted, reference, 1.0, 1)[-1].sub(drifted[-1]).abs().mean()
        < 0.3 * led[-1].sub(drifted[-1]).abs().mean()
    )
    assert anchor_color(drifted, reference, 0.0, 4) is drifted


class Jumping(CountingModel):
    """Skips ahead in the first attempts at the second chunk."""

    def __init__(self, vae, bad):
        super().__init__(vae)
        self.bad = bad

    def __call__(self, guide):
        latent = super().__call__(guide)
        if guide.request.index == 1 and guide.attempt < self.bad:
            frames = CausalVae().decode(latent)[0].clone()
            frames[guide.known_frames :] = 1 - frames[guide.known_frames :]
            latent = CausalVae().encode(frames)
        return latent


@pytest.mark.parametrize(("bad", "retries", "made"), [(0, 3, 1), (2, 3, 3), (5, 2, 3)])
def test_a_chunk_whose_seam_stands_out_is_made_again_but_not_for_ever(bad, retries, made):
    model = Jumping(CausalVae(), bad)
    plan = plan_chunks(25, chunk_frames=17, overlap_frames=9)
    state = ChunkState(plan, numbered_frames(100, 1), GuideSettings("overlap", seam_retries=retries))
    state = generate(state, Tools(CausalVae(), model))
    assert sum(guide.request.index == 1 for guide in model.guides) == made
    assert state.records[-1].attempts == made
    if bad < made:
        assert state.records[-1].score <= 1


@pytest.mark.parametrize("error", [RuntimeError("no kernel"), ValueError("no flow")])
def test_an_estimator_that_fails_costs_the_join_and_not_the_job(error):
    def fail(first, second):
        raise error

    class Forgetful(CountingModel):
        """Makes an overlap that is not quite what it was told."""

        def __call__(self, guide):
            frames = CausalVae().decode(super().__call__(guide))[0]
            return CausalVae().encode((frames + 4 / 256) if guide.request.index else frames)

    plan = plan_chunks(25, chunk_frames=17, overlap_frames=9)
    state = ChunkState(plan, numbered_frames(100, 1), GuideSettings("overlap"))
    state = generate(state, Tools(CausalVae(), Forgetful(CausalVae()), motion=MotionTools(fail)))
    assert state.records[-1].join == JoinRecord(Joining.FAILED)
    assert not state.warnings
    assert state.settings == GuideSettings("overlap")
    assert len(state.video) == 25


@pytest.mark.parametrize("name", ["join_chunk", "measure_seam"])
def test_a_bug_of_ours_does_not_cost_the_chunk_and_is_said_first(name, monkeypatch, caplog):
    from wan_motion_chunks.wan import append

    def fail(*arguments, **more):
        raise AttributeError("ours")

    monkeypatch.setattr(append, name, fail)
    plan = plan_chunks(25, chunk_frames=17, overlap_frames=9)
    state = ChunkState(plan, numbered_frames(100, 1), GuideSettings("overlap"))
    state = generate(state, Tools(CausalVae(), CountingModel(CausalVae())))
    assert torch.equal(state.video, numbered_frames(100, 25))
    assert (state.records[-1].join == JoinRecord(Joining.FAILED)) == (name == "join_chunk")
    assert (state.records[-1].seam is None) == (name == "measure_seam")
    assert len(state.warnings) == 1
    assert read_report(state.report()).warnings == list(state.warnings)
    (record,) = [record for record in caplog.records if record.levelname == "ERROR"]
    assert record.exc_info[0] is AttributeError


def test_an_attempt_that_cannot_be_measured_is_not_the_best(monkeypatch):
    from wan_motion_chunks.wan import append

    real, calls = append.measure_seam, []

    def measure(*arguments, **more):
        calls.append(arguments)
        if len(calls) == 2:
            raise AttributeError
        return real(*arguments, **more)

    monkeypatch.setattr(append, "measure_seam", measure)
    model = Jumping(CausalVae(), 1)
    plan = plan_chunks(25, chunk_frames=17, overlap_frames=9)
    state = ChunkState(plan, numbered_frames(100, 1), GuideSettings("overlap", seam_retries=3))
    state = generate(state, Tools(CausalVae(), model))
    assert state.records[-1].attempts == 3
    assert state.records[-1].score <= 1
    assert not state.warnings  # of an attempt that is not in the video


def test_what_a_cards_memory_is_too_small_for_is_done_on_the_cpu_and_said():
    def full(first, second):
        raise torch.cuda.OutOfMemoryError

    class Shifted(CountingModel):
        def __call__(self, guide):
            frames = CausalVae().decode(super().__call__(guide))[0]
            return CausalVae().encode((frames + 4 / 256) if guide.request.index else frames)

    plan = plan_chunks(25, chunk_frames=17, overlap_frames=9)
    state = ChunkState(plan, numbered_frames(100, 1), GuideSettings("overlap"))
    state = generate(state, Tools(CausalVae(), Shifted(CausalVae()), motion=MotionTools(full)))
    record = state.records[-1]
    assert (record.failures, record.out_of_memory) == ((), ("joining", "measuring"))
    assert len(state.warnings) == 2
    twin = generate(
        ChunkState(plan, numbered_frames(100, 1), GuideSettings("overlap")), Tools(CausalVae(), Shifted(CausalVae()))
    )
    assert torch.equal(state.video, twin.video)
    assert (record.seam, record.join) == (twin.records[-1].seam, twin.records[-1].join)


def test_a_guide_holds_no_more_frames_than_it_needs():
    guides = []
    plan = plan_chunks(25, chunk_frames=17, overlap_frames=9)
    state = ChunkState(plan, numbered_frames(0, 1), GuideSettings("overlap"))
    model = CountingModel(CausalVae())
    generate(state, Tools(CausalVae(), lambda guide: (guides.append(guide), model(guide))[1]))
    known = guides[-1].request.known
    assert known.untyped_storage().nbytes() == known.nbytes


def test_the_hosts_interrupt_gets_through_a_join():
    class Interrupt(Exception):
        pass

    def stop(first, second):
        raise Interrupt

    plan = plan_chunks(25, chunk_frames=17, overlap_frames=9)
    state = ChunkState(plan, numbered_frames(100, 1), GuideSettings("overlap"))
    with pytest.raises(Interrupt):
        generate(state, Tools(CausalVae(), CountingModel(CausalVae()), motion=MotionTools(stop)))
