import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from wan_motion_chunks.benchmarks.layers import waves
from wan_motion_chunks.blending import join_clips
from wan_motion_chunks.motion.pyramid import gradient, to_gray

SIZE = (72, 96)


def pan(frames, speed=0.6, first=0, seed=0):
    """A texture that moves to the right."""
    return torch.cat([waves(*SIZE, (speed * (first + t), 0.0), seed=seed, shortest=5.0) for t in range(frames)])


def halves(offset=0.0, overlap=9):
    """A pan of 33 frames, cut in two; the second half is ``offset`` pixels to the right of where it should be."""
    whole = pan(33)
    second = torch.cat([waves(*SIZE, (0.6 * t + offset, 0.0), shortest=5.0) for t in range(20 - overlap, 33)])
    return whole, whole[:20], second


@settings(deadline=None, max_examples=20)
@given(overlap=st.integers(0, 9), strength=st.floats(0, 1))
def test_an_overlap_that_is_alike_passes_bit_for_bit(overlap, strength):
    whole = pan(21, seed=3)
    joined = join_clips(whole[:12], whole[12 - overlap :], overlap, blend_strength=strength)
    assert torch.equal(joined.frames, whole)


def test_no_strength_cuts_where_the_overlap_begins_and_full_strength_where_it_ends():
    _, first, second = halves(offset=2.0)
    assert torch.equal(join_clips(first, second, 9, blend_strength=0.0).frames, torch.cat((first[:-9], second)))
    assert torch.equal(join_clips(first, second, 9, blend_strength=1.0).frames, torch.cat((first, second[9:])))


def test_the_cut_comes_later_the_longer_the_first_clip_is_held():
    _, first, second = halves(offset=1.0)
    cuts = [join_clips(first, second, 9, blend_strength=strength).report.cut for strength in (0.2, 0.4, 0.6, 0.8)]
    assert cuts == sorted(cuts)
    assert 11 <= cuts[0] < cuts[-1] <= 20


def test_an_intended_cut_is_left_alone():
    _, first, second = halves(offset=2.0)
    assert torch.equal(join_clips(first, second, 9, cut=True).frames, torch.cat((first, second[9:])))


def test_things_pass_from_one_place_to_the_other_without_a_jump_or_a_ghost():
    _, first, second = halves(offset=3.0)
    joined = join_clips(first, second, 9)
    mixed = torch.lerp(first[-9:], second[:9], ((torch.arange(9) + 1) / 10).view(-1, 1, 1, 1))
    crossfade = torch.cat((first[:-9], mixed, second[9:]))

    def sharpness(clip):
        gx, gy = gradient(to_gray(clip))
        energy = (gx.square() + gy.square())[..., 8:-8, 8:-8].mean(dim=(1, 2, 3))
        return (energy / energy[0]).min()

    def jump(clip):
        change = clip.diff(dim=0)[..., 8:-8, 8:-8].square().mean(dim=(1, 2, 3)).sqrt()
        return change[8:28].max() / change[:8].mean()

    assert joined.report.residual == pytest.approx(3.0, abs=0.15)
    assert sharpness(joined.frames) > 0.9
    assert sharpness(crossfade) < 0.85
    assert jump(joined.frames) < 2
    assert jump(torch.cat((first, second[9:]))) > 4
    assert (joined.frames[:11] == first[:11]).all()
    assert torch.equal(joined.frames[-1:], second[-1:])


def test_frames_are_counted_once():
    _, first, second = halves()
    assert len(join_clips(first, second, 9).frames) == 33


@pytest.mark.parametrize("overlap", [1, 2, 3])
def test_a_short_overlap_and_clips_without_more_than_it_can_be_joined(overlap):
    clip, other = pan(overlap), pan(overlap, first=1)
    joined = join_clips(clip, other, overlap)
    assert joined.frames.shape == clip.shape
    assert torch.isfinite(joined.frames).all()


def test_what_does_not_show_the_same_is_cut_and_not_mixed():
    first, second = pan(20), pan(20, seed=5)
    joined = join_clips(first, second, 9, mask_sigma=0.0).frames[11:20]
    mixed = (joined - first[11:]).abs().amin(dim=1) > 0.02
    mixed &= (joined - second[:9]).abs().amin(dim=1) > 0.02
    assert mixed.float().mean() < 0.1


def test_black_and_even_frames_give_finite_frames():
    for value in (0.0, 1.0):
        even = torch.full((12, 3, 32, 32), value)
        assert torch.isfinite(join_clips(even, (even - 0.1).abs(), 9).frames).all()


def test_alpha_half_precision_and_values_beyond_white_survive():
    _, first, second = halves(offset=1.0)
    first, second = (torch.cat((clip * 1.5, clip[:, :1]), dim=1) for clip in (first, second))
    joined = join_clips(first, second, 9)
    assert joined.frames.shape[1] == 4
    assert joined.frames.max() > 1.2
    half = join_clips(first.half(), second.half(), 9).frames
    assert half.dtype == torch.float16
    torch.testing.assert_close(half.float(), joined.frames, atol=0.03, rtol=0)


def test_clips_are_not_changed_in_place():
    _, first, second = halves(offset=1.0)
    kept = first.clone(), second.clone()
    join_clips(first, second, 9)
    assert torch.equal(first, kept[0])
    assert torch.equal(second, kept[1])


@pytest.mark.parametrize(
    ("second", "overlap", "changed", "says"),
    [
        (pan(5), 9, {}, "^overlap .* 20 .* 5, got 9"),
        (pan(20)[..., :48], 9, {}, r"first .*\(3, 72, 96\) .*second \(3, 72, 48\)"),
        (pan(20), -1, {}, "^overlap .*got -1"),
        (pan(20), 9, {"blend_strength": 1.5}, r"^blend_strength .*got 1\.5"),
        (pan(20), 9, {"mask_sigma": -1}, "^mask_sigma .*got -1"),
        ((pan(20) * 255).byte(), 9, {}, "^second: .*torch.uint8"),
    ],
)
def test_clips_that_do_not_fit_are_refused(second, overlap, changed, says):
    with pytest.raises(ValueError, match=says):
        join_clips(pan(20), second, overlap, **changed)
