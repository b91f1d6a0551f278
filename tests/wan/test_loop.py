import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from wan_motion_chunks.tests.fakes import CausalVae, CountingModel, numbered_frames
from wan_motion_chunks.tests.log_lines import PREPARED, PREPARING, shape_line
from wan_motion_chunks.wan import ChunkState, GuideSettings, Tools, finish_chunk, generate, guide_state, plan_chunks
from wan_motion_chunks.wan.records import Reason


def run(total, chunk, overlap, level="auto", known=1):
    vae = CausalVae()
    model = CountingModel(vae)
    plan = plan_chunks(total, chunk_frames=chunk, overlap_frames=overlap)
    state = ChunkState(plan, numbered_frames(0, known), GuideSettings(continuity=level))
    return generate(state, Tools(vae, model)), vae, model


@pytest.mark.slow
@settings(deadline=None, max_examples=60)
@given(st.integers(2, 120), st.integers(1, 8), st.data())
def test_every_frame_comes_once_and_in_order(total, n, data):
    chunk = 4 * n + 1
    overlap = data.draw(st.integers(1, chunk - 4))
    state, _, _ = run(total, chunk, overlap)
    torch.testing.assert_close(state.video, numbered_frames(0, total), rtol=0, atol=0)


def test_each_chunk_is_decoded_once_and_encoded_once():
    _, vae, model = run(41, 17, 9)
    assert len(model.guides) == 4
    assert vae.decoded == [5, 5, 5, 5]
    assert vae.encoded == [17, 17, 17, 17]


@pytest.mark.parametrize(("level", "known", "pinned"), [("overlap", 9, False), ("overlap_pinned", 9, True)])
def test_a_level_decides_what_is_pinned(level, known, pinned):
    _, _, model = run(41, 17, 9, level)
    first, second = model.guides[:2]
    assert (first.level, first.known_frames, first.noise_mask) == ("last_frame", 1, None)
    assert (second.level, second.known_frames) == (level, known)
    assert (second.noise_mask is not None) == pinned
    if pinned:
        assert second.noise_mask[0, 0, :, 0, 0].tolist() == [0, 0, 0, 1, 1]
        assert (second.samples[:, :, :3] == second.conditioning["concat_latent_image"][:, :, :3]).all()
        assert (second.samples[:, :, 3:] == 0).all()
    else:
        assert (second.samples == 0).all()


def test_one_frame_of_overlap_falls_to_last_frame_and_says_why():
    state, _, model = run(33, 17, 1, "overlap_pinned")
    assert [guide.level for guide in model.guides] == ["last_frame", "last_frame"]
    assert [guide.record.reason for guide in model.guides] == [Reason.FIRST, Reason.ONE_FRAME]
    assert state.records[1].continuity.reason is Reason.ONE_FRAME
    assert Reason.ONE_FRAME.value in state.report()


def test_a_video_starts_from_several_known_frames():
    state, _, model = run(41, 17, 9, known=6)
    assert model.guides[0].known_frames == 6
    torch.testing.assert_close(state.video, numbered_frames(0, 41), rtol=0, atol=0)


def test_a_static_scene_passes_unchanged():
    vae = CausalVae()
    start = numbered_frames(5, 1)
    state = ChunkState(plan_chunks(30, chunk_frames=17, overlap_frames=5), start)
    hold = Tools(vae, lambda guide: vae.encode(start.expand(guide.samples.shape[2] * 4 - 3, -1, -1, -1).movedim(1, -1)))
    state = generate(state, hold)
    assert (state.video == start).all()


def test_a_state_is_never_changed():
    vae = CausalVae()
    state = ChunkState(plan_chunks(33, chunk_frames=17, overlap_frames=1), numbered_frames(0, 1))
    guided = guide_state(state, vae)
    finished = finish_chunk(guided, CountingModel(vae)(guided.guide), vae)
    assert (state.guide, state.pieces, guided.pieces) == (None, (), ())
    assert finished.guide is None
    assert len(finished.pieces) == 1


def test_an_interrupt_between_chunks_gets_through():
    class Stop(BaseException):
        pass

    calls = []

    def check():
        calls.append(1)
        if len(calls) == 3:
            raise Stop

    vae = CausalVae()
    state = ChunkState(plan_chunks(41, chunk_frames=17, overlap_frames=9), numbered_frames(0, 1))
    model = CountingModel(vae)
    with pytest.raises(Stop):
        generate(state, Tools(vae, model, check))
    assert len(model.guides) == 2


def test_steps_out_of_order_are_refused_with_what_to_do():
    vae = CausalVae()
    state = ChunkState(plan_chunks(17, chunk_frames=17, overlap_frames=9), numbered_frames(0, 1))
    with pytest.raises(ValueError, match="Guide Next Chunk"):
        finish_chunk(state, torch.zeros(1, 16, 5, 2, 4), vae)
    done = generate(state, Tools(vae, CountingModel(vae)))
    with pytest.raises(ValueError, match=r"^All 1 chunks "):
        guide_state(done, vae)
    guided = guide_state(state, vae)
    with pytest.raises(ValueError, match=r"^latent: .*\(1, 16, 5, 2, 4\), got \(1, 16, 4, 2, 4\)"):
        finish_chunk(guided, torch.zeros(1, 16, 4, 2, 4), vae)


def test_last_frame_with_a_longer_overlap_is_refused():
    with pytest.raises(ValueError, match=r"^Level last_frame .* 9"):
        run(41, 17, 9, "last_frame")


def test_the_seeds_lines_are_logged(caplog):
    caplog.set_level("INFO")
    run(25, 17, 9)
    for line in (PREPARING, shape_line(1, 16, 5, 2, 4), PREPARED):
        assert line in caplog.text


def test_the_time_left_is_logged_after_each_chunk_but_the_last(caplog):
    caplog.set_level("INFO")
    run(33, 17, 9)
    assert [record.message.split()[-2] for record in caplog.records if " left for " in record.message] == ["2", "1"]
