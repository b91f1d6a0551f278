import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from wan_motion_chunks.blending import ColorTransform, fit_color, match_color
from wan_motion_chunks.blending.color import LARGEST_GAIN, LARGEST_SHIFT, METHODS


def picture(seed=0, frames=4, size=48):
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(frames, 3, 6, 6, generator=generator)
    return 0.15 + 0.7 * torch.nn.functional.interpolate(coarse, (size, size), mode="bicubic").clamp(0, 1)


def transform(seed=0, size=0.04):
    generator = torch.Generator().manual_seed(seed)
    matrix = torch.eye(3) + size * (torch.rand(3, 3, generator=generator) - 0.5)
    return ColorTransform(matrix, size * (torch.rand(3, generator=generator) - 0.5))


@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 1000))
def test_a_paired_fit_undoes_an_affine_damage(seed):
    clean = picture(seed)
    damaged = transform(seed)(clean)
    restored = fit_color(damaged, clean)(damaged)
    assert (restored - clean).abs().mean() < 0.4 / 255
    assert (restored - clean).abs().mean() < 0.15 * (damaged - clean).abs().mean()


def test_what_was_made_anew_does_not_count():
    clean = picture()
    damaged = transform()(clean)
    damaged[:, :, :16] = torch.rand(4, 3, 16, 48, generator=torch.Generator().manual_seed(1))
    restored = fit_color(damaged, clean)(damaged)
    assert (restored - clean)[:, :, 16:].abs().mean() < 0.6 / 255


@pytest.mark.parametrize("method", METHODS)
def test_alike_frames_are_left_alone(method):
    clean = picture()
    fit = fit_color(clean, clean, method=method)
    assert fit.change(clean) < 0.02


def test_a_shift_is_taken_by_the_mean():
    clean = picture()
    off = clean + torch.tensor([0.02, -0.01, 0.03]).view(1, 3, 1, 1)
    torch.testing.assert_close(match_color(off, (off, clean), method="mean"), clean)


def test_monge_kantorovich_maps_mean_and_covariance_of_other_pictures():
    own, wanted = picture(1), transform(3)(picture(1).flip(-1))
    mapped = match_color(own, (own, wanted), method="mkl")
    for one, other in ((mapped, wanted),):
        a, b = (clip.movedim(1, 0).flatten(1) for clip in (one, other))
        torch.testing.assert_close(a.mean(dim=1), b.mean(dim=1), atol=2e-3, rtol=0)
        torch.testing.assert_close(torch.cov(a), torch.cov(b), atol=1e-3, rtol=0)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("value", [0.0, 0.5, 1.0])
def test_even_and_black_frames_do_not_explode(method, value):
    even = torch.full((3, 3, 32, 32), value)
    for own, wanted in ((even, picture(size=32, frames=3)), (picture(size=32, frames=3), even), (even, even)):
        found = match_color(own, (own, wanted), method=method)
        assert torch.isfinite(found).all()
        assert (found - own).abs().max() <= 3 * LARGEST_GAIN + LARGEST_SHIFT


def test_an_even_frame_takes_the_others_color():
    own = torch.full((1, 3, 32, 32), 0.5)
    torch.testing.assert_close(match_color(own, (own, own + 0.03)), own + 0.03, atol=1e-4, rtol=0)


def test_a_transform_is_clamped_close_to_none():
    clean = picture()
    fit = fit_color(clean * 0.5, clean)
    assert (fit.matrix - torch.eye(3)).abs().max() <= LARGEST_GAIN + 1e-6
    mean = (clean * 0.5).mean(dim=(0, 2, 3))
    assert (mean @ fit.matrix + fit.bias - mean).abs().max() <= LARGEST_SHIFT + 0.01


def test_contrast_is_changed_around_the_colors_that_are_there():
    bright = 0.8 + 0.1 * (picture() - 0.5)
    flat = 0.8 + 0.09 * (picture() - 0.5)
    torch.testing.assert_close(match_color(flat, (flat, bright)), bright, atol=2e-3, rtol=0)


def test_half_strength_goes_half_the_way():
    clean = picture()
    damaged = transform()(clean)
    full, half = (match_color(damaged, (damaged, clean), strength=share) for share in (1.0, 0.5))
    torch.testing.assert_close(half - damaged, (full - damaged) / 2, atol=1e-6, rtol=0)
    torch.testing.assert_close(match_color(damaged, (damaged, clean), strength=0.0), damaged)


def test_alpha_half_precision_and_values_beyond_white_are_kept():
    clip = torch.cat((picture() * 1.6 - 0.2, torch.rand(4, 1, 48, 48)), dim=1)
    clip[0, 0, 0, 0] = 4.0
    found = ColorTransform(torch.eye(3), torch.zeros(3))(clip)
    torch.testing.assert_close(found, clip)
    assert transform()(clip.half()).dtype == torch.float16
    assert torch.equal(transform()(clip)[:, 3:], clip[:, 3:])


FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("own", FLOATS)
@pytest.mark.parametrize("wanted", FLOATS)
def test_every_precision_is_matched_to_every_other(method, own, wanted):
    clean, damaged = picture(size=32), transform()(picture(size=32))
    fit = fit_color(damaged.to(own), torch.cat((clean, clean[:, :1]), dim=1).to(wanted), method=method)
    assert (fit.matrix.dtype, fit.bias.dtype) == (torch.float32, torch.float32)
    expected = fit_color(damaged, clean, method=method)
    torch.testing.assert_close(fit(clean), expected(clean), atol=4e-3, rtol=0)
    assert match_color(damaged.to(own), (damaged.to(own), clean.to(wanted)), method=method).dtype == own


def test_a_clip_is_not_changed_in_place():
    clip = picture()
    kept = clip.clone()
    match_color(clip, (clip, picture(2)))
    assert torch.equal(clip, kept)


@pytest.mark.parametrize(
    ("own", "wanted", "method", "says"),
    [
        (picture(), picture(size=32), "affine", r"got \(.*3, \d+, \d+\) .*\(.*3, 32, 32\)"),
        (picture(), picture(), "histogram", f"^method .*{', '.join(METHODS)}, got 'histogram'"),
        (picture() * float("nan"), picture(), "affine", "NaN or infinite"),
        (picture()[:, :2], picture(), "affine", r"^own: .*RGB .*got "),
        (picture(), (picture() * 255).byte(), "mkl", "^wanted: .*torch.uint8.* 255"),
    ],
)
def test_what_cannot_be_matched_is_refused(own, wanted, method, says):
    with pytest.raises(ValueError, match=says):
        fit_color(own, wanted, method=method)


@pytest.mark.parametrize("method", METHODS)
def test_a_pair_of_two_precisions_is_matched_as_one_of_the_first(method):
    own, wanted = torch.rand(3, 3, 40, 48), torch.rand(3, 3, 40, 48)
    found, same = fit_color(own, wanted.double(), method=method), fit_color(own, wanted, method=method)
    torch.testing.assert_close(found.matrix.float(), same.matrix, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(found.bias.float(), same.bias, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("channels", [1, 2, 5])
def test_what_is_no_picture_is_not_corrected(channels):
    clip = torch.rand(2, channels, 32, 32)
    with pytest.raises(ValueError, match=r"^source: .*RGB"):
        match_color(clip, (picture(), picture()))
    with pytest.raises(ValueError, match=r"^frames: .*RGB"):
        transform()(clip)
