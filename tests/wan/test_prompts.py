import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from wan_motion_chunks.tests.fakes import CausalVae, CountingModel, numbered_frames
from wan_motion_chunks.wan import (
    ChunkState,
    Keyframe,
    Lora,
    Tools,
    generate,
    parse_stack,
    plan_chunks,
)
from wan_motion_chunks.wan.prompts import UNITS, add_keyframe, keyframe_start

SEED = [
    ["walking slowly", "blurry, bad quality", 0, None],
    ["running fast", "blurry, bad quality", 2, None],
    ["jumping high", "blurry, bad quality", 4, None],
]


def plan(keyframes, total=17 + 5 * 8, **more):
    return plan_chunks(total, chunk_frames=17, overlap_frames=9, keyframes=keyframes, fps=8.0, **more)


def entry_by_chunk(found):
    return [chunk.keyframe for chunk in found.chunks]


def test_the_seeds_stack_is_read_as_it_stands():
    keyframes = parse_stack(SEED)
    assert [(keyframe.positive, keyframe.negative, keyframe.start) for keyframe in keyframes] == [
        tuple(item[:3]) for item in SEED
    ]
    assert entry_by_chunk(plan(keyframes)) == [0, 0, 1, 1, 2, 2]
    assert SEED[0] == ["walking slowly", "blurry, bad quality", 0, None]


def test_a_stack_of_other_packs_brings_its_loras():
    (keyframe,) = parse_stack([["a", "b", 0, [("walk.safetensors", 0.5, 0.25)]]])
    assert keyframe.loras == (Lora("walk.safetensors", 0.5, 0.25),)


def test_before_the_first_start_the_first_prompt_holds():
    assert entry_by_chunk(plan([Keyframe("a", "", 2), Keyframe("b", "", 3)])) == [0, 0, 0, 1, 1, 1]


def test_order_is_that_of_time():
    found = plan([Keyframe("late", "", 3), Keyframe("early", "", 0)])
    assert [keyframe.positive for keyframe in found.keyframes] == ["early", "late"]


@pytest.mark.parametrize(
    ("seconds", "first"),
    # Seams lie at 17, 25, 33, ... frames, at 8 frames a second: 2.125, 3.125, ... seconds.
    [(0.1, 1), (2.125, 1), (2.6, 1), (2.7, 2), (3.125, 2), (3.7, 3)],
)
def test_a_time_takes_the_chunk_whose_seam_is_nearest(seconds, first):
    chosen = entry_by_chunk(plan([Keyframe("a", ""), Keyframe("b", "", seconds, "seconds")]))
    assert chosen.index(1) == first


def test_prompts_too_close_in_time_still_get_a_chunk_each():
    keyframes = [Keyframe(str(number), "", 0.5 + 0.1 * number, "seconds") for number in range(4)]
    assert entry_by_chunk(plan(keyframes)) == [0, 1, 2, 3, 3, 3]


def test_a_start_beyond_the_end_and_an_empty_prompt_are_named():
    found = plan([Keyframe("", ""), Keyframe("b", "", 9)])
    assert [first.keyframe for first in found.turns] == [0]
    assert {warning[:8] for warning in found.warnings()} == {"prompt 1", "prompt 2"}
    assert set(found.warnings()) < set(found.describe().splitlines())
    assert plan([Keyframe("a", ""), Keyframe("b", "", 5)]).warnings() == ()


@given(st.lists(st.integers(0, 12), min_size=1, max_size=5, unique=True), st.data())
def test_shares_sum_to_one_and_a_switch_changes_no_earlier_chunk(starts, data):
    windows = [data.draw(st.sampled_from([0, 1, 2.5])) for _ in starts]
    keyframes = [Keyframe("p", "", start, transition=window) for start, window in zip(starts, windows, strict=True)]
    found = plan(keyframes, total=17 + 9 * 8)
    alone = plan(sorted(keyframes, key=lambda keyframe: keyframe.start)[:1], total=17 + 9 * 8)
    later = sorted(starts)[1] if len(starts) > 1 else 99
    for chunk in found.chunks:
        chunk_prompt = found.chunk_prompt(chunk)
        assert sum(share for _, share in chunk_prompt.shares) == pytest.approx(1)
        assert all(share > 0 for _, share in chunk_prompt.shares)
        if chunk.index < later:
            assert chunk_prompt == alone.chunk_prompt(alone.chunks[chunk.index])


def test_a_transition_goes_by_time():
    found = plan([Keyframe("a", ""), Keyframe("b", "", 2, transition=2)])
    assert [found.chunk_prompt(chunk).shares for chunk in found.chunks] == [
        ((0, 1.0),),
        ((0, 1.0),),
        ((0, 0.75), (1, 0.25)),
        ((0, 0.25), (1, 0.75)),
        ((1, 1.0),),
        ((1, 1.0),),
    ]


def test_loras_come_and_go_with_their_prompts():
    loras = (Lora("x", 0.8, 0.5), Lora("y", 0.4, 0.0))
    found = plan([Keyframe("a", "", loras=loras), Keyframe("b", "", 2, transition=2, loras=(Lora("x", 0.4, 0.5),))])
    told = [{lora.name: round(lora.model, 6) for lora in found.chunk_prompt(chunk).loras} for chunk in found.chunks]
    assert told[1:5] == [{"x": 0.8, "y": 0.4}, {"x": 0.7, "y": 0.3}, {"x": 0.5, "y": 0.1}, {"x": 0.4}]
    low = plan([Keyframe("a", "", loras=loras, low_noise_loras=())]).chunk_prompt(found.chunks[0])
    assert (low.loras, low.low_noise_loras) == (loras, ())


def test_a_cut_shares_no_frames_and_chunks_may_have_their_own_length():
    picture = torch.zeros(1, 3, 16, 32)
    keyframes = [Keyframe("a", ""), Keyframe("b", "", 2, start_image=picture, chunk_frames=13), Keyframe("c", "", 4)]
    found = plan(keyframes, total=60)
    assert [(chunk.start, chunk.length, chunk.overlap) for chunk in found.chunks] == [
        (0, 17, 0),
        (8, 17, 9),
        (25, 13, 0),
        (29, 13, 9),
        (33, 17, 9),
        (41, 17, 9),
        (49, 13, 9),
    ]
    made = [frame for chunk in found.chunks for frame in range(chunk.seam, min(chunk.stop, 60))]
    assert made == list(range(60))


def test_a_cut_starts_from_its_own_picture_and_its_seam_is_left_alone():
    vae = CausalVae()
    model = CountingModel(vae)
    keyframes = [Keyframe("a", ""), Keyframe("b", "", 2, start_image=numbered_frames(500, 1))]
    state = generate(ChunkState(plan(keyframes, total=50), numbered_frames(0, 1)), Tools(vae, model))
    expected = torch.cat((numbered_frames(0, 25), numbered_frames(500, 25)))
    torch.testing.assert_close(state.video, expected, rtol=0, atol=0)
    record = state.records[2]
    assert (record.added, record.cut, record.seam, record.prompt.shares) == (17, True, None, ((1, 1.0),))
    assert [guide.known_frames for guide in model.guides] == [1, 9, 1, 9]
    assert torch.equal(model.guides[3].request.scene_original, numbered_frames(500, 1))


def test_an_end_image_is_told_to_the_last_chunk_only():
    vae, seen = CausalVae(), []

    def sample(guide):
        seen.append(guide)
        return vae.encode(numbered_frames(guide.request.start, 17).movedim(1, -1))

    end = numbered_frames(900, 1)
    total = 17 + 2 * 8 - 2
    state = ChunkState(plan_chunks(total, chunk_frames=17, overlap_frames=9), numbered_frames(0, 1), end=end)
    generate(state, Tools(vae, sample))
    assert [guide.request.end is None for guide in seen] == [True, True, False]
    canvas = CausalVae().decode(seen[-1].conditioning["concat_latent_image"])[0].movedim(-1, 1)
    assert torch.equal(canvas[-3:], end.expand(3, -1, -1, -1))  # the kept last frame and the two that are dropped
    assert (canvas[9:-3] == 0.5).all()
    rows = seen[-1].conditioning["concat_mask"][0, :, :, 0, 0].t().flatten()
    assert rows.tolist() == [0] * 12 + [1] * 5 + [0] * 3


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"start": -1}, "^start .*got -1"),
        ({"start": float("nan")}, "^start .*got nan"),
        ({"unit": "frames"}, f"^unit .*{', '.join(UNITS)}, got 'frames'"),
        ({"transition": -0.5}, r"^transition .*got -0\.5"),
        ({"chunk_frames": 80}, "^chunk_frames: .*got 80.* 81"),
        ({"start_image": torch.zeros(1), "transition": 1}, "^transition .* 1, .*start_image"),
    ],
)
def test_an_entry_names_what_is_wrong(values, message):
    with pytest.raises(ValueError, match=message):
        Keyframe("a", "b", **values)


@pytest.mark.parametrize(
    ("stack", "message"),
    [
        (["a"], "^prompt_stack: item 1 .*got 'a'"),
        ([["a", "b", 2, None], ["c", "d", 2.0, None]], r"^prompt_stack: items 1 and 2 .*chunk 3 \(start_chunk 2"),
        ([["a", "b", "2", None]], "^prompt_stack: start_chunk of item 1 .*got '2'"),
        ([["a", "b", 0, ["x"]]], "^prompt_stack: item 1: lora_stack: item 1 .*strength_model, strength_clip.*got 'x'"),
    ],
)
def test_a_stack_of_another_form_is_refused(stack, message):
    with pytest.raises(ValueError, match=message):
        parse_stack(stack)


def test_what_people_type_counts_chunks_from_one():
    assert [keyframe_start(start, "chunks") for start in (1, 2.0, 100_000)] == [0, 1, 99_999]
    assert [keyframe_start(start, "seconds") for start in (0, 0.5)] == [0, 0.5]
    for start in (0, 0.5, 1.5, -1, float("nan"), 100_001):
        with pytest.raises(ValueError, match=rf"^start\b.*{start:g}"):
            keyframe_start(start, "chunks")
    with pytest.raises(ValueError, match=r"^start: prompt 1 .*chunk 2"):
        add_keyframe([["a", "b", 1, None]], Keyframe("c", "", 1))


@pytest.mark.slow
@pytest.mark.parametrize("total", [*range(18, 22), *range(34, 43)])
def test_a_cut_near_the_end_and_a_picture_to_end_with_always_leave_room(total):
    vae = CausalVae()
    picture = numbered_frames(500, 1)
    cut = ChunkState(plan([Keyframe("a", ""), Keyframe("b", "", 2, start_image=picture)], total), numbered_frames(0, 1))
    assert len(generate(cut, Tools(vae, CountingModel(vae))).video) == total
    ended = plan_chunks(total, chunk_frames=17, overlap_frames=9, to_picture=True)

    def sample(guide):
        return vae.encode(numbered_frames(guide.request.start, guide.samples.shape[2] * 4 - 3).movedim(1, -1))

    state = generate(ChunkState(ended, numbered_frames(0, 1), end=picture), Tools(vae, sample))
    assert len(state.video) == total
