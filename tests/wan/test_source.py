"""A video that goes on from a given one."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from wan_motion_chunks.tests.fakes import CausalVae, CountingModel, numbered_frames
from wan_motion_chunks.wan import ChunkState, GuideSettings, Tools, generate, guide_state, plan_chunks
from wan_motion_chunks.wan.families import WAN_I2V, check_start
from wan_motion_chunks.wan.presets import KNOBS
from wan_motion_chunks.wan.prompts import Keyframe
from wan_motion_chunks.wan.runs.finder import Options
from wan_motion_chunks.wan.runs.fingerprint import fingerprint_chunk
from wan_motion_chunks.wan.runs.store import open_run

GIVEN = 30


def planned(total=40, given=GIVEN, source=None, **settings):
    plan = plan_chunks(total, chunk_frames=17, overlap_frames=9, source_frames=given)
    frames = numbered_frames(0, given) if source is None else source
    parts = (frames[:-17], frames[-17:]) if given > 17 else (frames,)
    return ChunkState(plan, frames[:1], GuideSettings(**settings), source=parts)


def run(state, store=None):
    vae = CausalVae()
    model = CountingModel(vae)
    return generate(state, Tools(vae, model), store), model.guides


@pytest.mark.parametrize("level", ["overlap", "overlap_pinned", "auto"])
@pytest.mark.parametrize("given", [9, 17, GIVEN])
def test_it_counts_on_from_the_last_frame(level, given):
    state, guides = run(planned(given=given, continuity=level))
    assert torch.equal(state.video, numbered_frames(0, given + 40))
    assert [guide.known_frames for guide in guides] == [9] * 5
    assert guides[0].request.continues
    assert guides[0].request.reused_latents is None
    assert state.records[0].seam is not None


@given(st.integers(1, 200), st.integers(1, 12), st.integers(1, 40))
def test_chunks_add_each_frame_behind_it_once(total, k, more):
    overlap = 4 * k + 1
    plan = plan_chunks(total, chunk_frames=overlap + 8, overlap_frames=overlap, source_frames=overlap + more)
    assert all(chunk.overlap == overlap for chunk in plan.chunks)
    assert plan.chunks[0].start == -overlap
    ends = [0, *(chunk.seam + plan.added(chunk) for chunk in plan.chunks)]
    assert ends == [*(chunk.seam for chunk in plan.chunks), total]


@pytest.mark.parametrize("given", [1, 8])
def test_one_shorter_than_the_overlap_is_refused(given):
    with pytest.raises(ValueError, match=r"^source: .* 9 frames .* got "):
        planned(given=given)


def test_the_first_chunk_keeps_its_overlap_and_the_prompts_their_order_at_any_speed():
    keyframes = [Keyframe("a", ""), Keyframe("b", "", 1), Keyframe("c", "", 1.1, "seconds")]
    plan = plan_chunks(40, chunk_frames=17, overlap_frames=9, source_frames=GIVEN, keyframes=keyframes)
    frames = numbered_frames(0, GIVEN)
    state = ChunkState(plan, frames[:1], GuideSettings(adaptive=frozenset(KNOBS)), source=(frames,))
    guided = guide_state(state, CausalVae())
    assert guided.plan is plan
    assert guided.guide.request.speed is not None


@pytest.mark.parametrize("length", [1, 2, 9])
def test_one_frame_is_enough_to_go_on_from(length):
    plan = plan_chunks(length, chunk_frames=17, overlap_frames=1, source_frames=1)
    settings = GuideSettings("last_frame", adaptive=frozenset(KNOBS) - {"overlap_frames"})
    state, _ = run(ChunkState(plan, numbered_frames(0, 1), settings, source=(numbered_frames(0, 1),)))
    assert torch.equal(state.video, numbered_frames(0, 1 + length))
    assert state.records[0].failures == ()


def test_a_join_copies_its_last_frames_alone():
    state = planned()
    changed = state.with_tail(numbered_frames(7, 9))
    assert changed.source[0] is state.source[0]
    assert torch.equal(changed.video[-9:], numbered_frames(7, 9))
    assert torch.equal(changed.video[:-9], state.video[:-9])


def test_a_kept_chunk_depends_on_the_frames_that_it_read(tmp_path):
    def reused(state):
        with open_run(tmp_path, "run", fingerprint_chunk, Options()) as store:
            store.before = run(state, store)[0].source
        expected = torch.cat((*state.source, numbered_frames(GIVEN, 40)))
        assert torch.equal(torch.cat(list(store.footage())), expected)
        assert store.given == len(expected)
        return store.reused

    source = numbered_frames(0, GIVEN)
    assert reused(planned()) == 0
    assert reused(planned()) == 5
    first = source.clone()
    first[0] = 0.5
    assert reused(planned(source=first)) == 5
    longer = planned(given=GIVEN + 4, source=torch.cat((numbered_frames(90, 4), source)))
    assert reused(longer) == 5
    near = source.clone()
    near[-11] = numbered_frames(3, 1)[0]  # not known to the chunk, but its join measures it
    with open_run(tmp_path, "run", fingerprint_chunk, Options()) as store:
        assert store.recall(planned(source=near, continuity="overlap")).made == 0


def test_what_a_family_cannot_start_from_is_refused_before_anything_is_made():
    empty = numbered_frames(0, 1)[:0]
    state = ChunkState(plan_chunks(17, chunk_frames=17), empty)
    with pytest.raises(ValueError, match=r"^start_image: .* source"):
        run(state)
    shown = ChunkState(plan_chunks(17, chunk_frames=17), numbered_frames(0, 1), reference=numbered_frames(0, 1))
    with pytest.raises(ValueError, match=r"^reference_image: .* VACE"):
        check_start(shown, WAN_I2V)
