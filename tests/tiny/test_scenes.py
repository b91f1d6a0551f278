import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from wan_motion_chunks.tiny.scenes import COMPASS, Appearance, describe_velocity, draw_scenes, sprite_layer
from wan_motion_chunks.tiny.teacher import fit_teacher
from wan_motion_chunks.tiny.text import TOKENS, WIDTH, embed_text, split_words
from wan_motion_chunks.tiny.tracking import is_straight, locate_sprite, mean_velocity, shape_psnr


def scenes(seed=0, count=8, length=9, **options):
    return draw_scenes(count, length, torch.Generator().manual_seed(seed), **options)


def locations():
    """``(64, 64, 2)``: x and y of each pixel's center."""
    position = torch.arange(64) + 0.5
    return torch.stack(torch.meshgrid(position, position, indexing="xy"), dim=-1)


def test_a_seed_draws_the_same_scenes_again():
    first, second, other = scenes(3), scenes(3), scenes(4)
    assert torch.equal(first.frames, second.frames)
    assert first.captions == second.captions
    assert not torch.equal(first.frames, other.frames)


def test_frames_are_pictures():
    drawn = scenes(count=4, length=17)
    assert drawn.frames.shape == (4, 17, 3, 64, 64)
    assert drawn.frames.min() >= 0
    assert drawn.frames.max() <= 1


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 2**31), st.integers(2, 40))
def test_sprites_bounce_and_never_leave_the_picture(seed, length):
    drawn = scenes(seed, count=4, length=length)
    margin = drawn.appearance.radius[:, :, None, None]
    assert (drawn.centers >= margin - 1e-3).all()
    assert (drawn.centers <= 64 - margin + 1e-3).all()
    assert (drawn.velocities.norm(dim=-1) <= 2.4 + 1e-3).all()


def test_the_background_moves_as_it_says():
    drawn = scenes(5, count=32, length=9, pan=1.0, two_sprites=0.0)
    clear = (locations() - drawn.centers[:, 0, :, None, None]).norm(dim=-1) > 24  # (B, T, H, W)
    # Wavelengths are 25 pixels and more, so that a shift by the slope of the picture is good to a hundredth.
    slope = torch.stack(torch.gradient(drawn.frames[:, 4], dim=(3, 2)), dim=-1)  # (B, 3, H, W, 2)
    expected = drawn.frames[:, 4] - (slope * drawn.pan[:, None, None, None]).sum(-1)
    free = (clear[:, 4] & clear[:, 5])[:, None].expand_as(expected).clone()
    free[..., [0, -1]] = free[..., [0, -1], :] = False  # one-sided slopes
    moved = (drawn.frames[:, 5] - expected)[free].abs().mean()
    stood = (drawn.frames[:, 5] - drawn.frames[:, 4])[free].abs().mean()
    assert moved < 0.15 * stood


@pytest.mark.slow
@pytest.mark.parametrize(("shape", "seed"), [("alone", 11), ("behind", 12)])
def test_sprites_are_found_where_they_are(shape, seed):
    drawn = scenes(seed, count=32, length=9, two_sprites=float(shape == "behind"), turn=0.0)
    index = int(shape == "behind")  # the later sprite is in front of the other
    found = locate_sprite(drawn.frames, drawn.appearance, index)
    offset = found - drawn.centers[:, index]
    assert offset.norm(dim=-1).quantile(0.95) < 0.8
    jitter = (offset - offset.median(dim=1, keepdim=True).values).norm(dim=-1)
    assert jitter.median() < 0.1
    assert jitter.quantile(0.95) < 0.3


@pytest.mark.slow
def test_found_sprites_give_their_velocity():
    drawn = scenes(13, count=32, length=9, two_sprites=0.0)
    found = mean_velocity(locate_sprite(drawn.frames, drawn.appearance, 0))
    truth = mean_velocity(drawn.centers[:, 0])
    assert (found - truth).norm(dim=-1).median() < 0.03


@pytest.mark.parametrize(
    ("velocity", "words"),
    [
        ((1.0, 0.0), "moves right slow"),
        ((-2.0, 0.1), "moves left fast"),
        ((0.0, -1.0), "moves up slow"),
        ((0.0, 1.0), "moves down slow"),
        ((1.4, 1.4), "moves down right fast"),
        ((-0.5, -0.5), "moves up left slow"),
        ((0.1, 0.1), "still"),
    ],
)
def test_velocities_are_named_by_the_compass(velocity, words):
    assert describe_velocity(torch.tensor(velocity)) == words


@pytest.mark.parametrize("told", [0, 4, 16])
def test_captions_say_what_the_sprites_do_next(told):
    drawn = scenes(21, count=32, length=17, turn=0.0, told=torch.full((32,), told))
    for scene, caption in enumerate(drawn.captions):
        for index, clause in enumerate(caption.split(", ")[: int(drawn.present[scene].sum())]):
            assert clause.endswith(describe_velocity(drawn.velocities[scene, index, min(told, 15)]))


def test_captions_foretell_a_turn():
    drawn = scenes(22, count=32, length=5, turn=1.0, max_speed=0.6, say_motion=1.0)
    for scene, caption in enumerate(drawn.captions):
        for index, clause in enumerate(caption.split(", ")[: int(drawn.present[scene].sum())]):
            assert clause.endswith(describe_velocity(drawn.velocities[scene, index, -1]))


def test_a_silent_caption_names_no_motion():
    words = {word for caption in scenes(count=32, say_motion=0.0).captions for word in caption.split()}
    assert not words & {"moves", "still", "camera", *" ".join(COMPASS).split()}


def test_words_are_split_into_clauses():
    assert split_words("A red ball moves LEFT, a blue one: fast.\nCut!") == [
        ["a", "red", "ball", "moves", "left"],
        ["a", "blue", "one"],
        ["fast"],
        ["cut"],
    ]


@pytest.mark.parametrize(("text", "length"), [("", TOKENS), ("a red ball", TOKENS), ("word " * 40, 40)])
def test_texts_are_filled_up_and_never_cut(text, length):
    assert embed_text(text).shape == (length, WIDTH)


def test_the_same_word_differs_by_its_clause():
    one = embed_text("red left, blue right")
    other = embed_text("red right, blue left")
    assert not torch.allclose(one[1], other[3])  # left beside red, left beside blue
    torch.testing.assert_close(embed_text("red left")[:2], one[:2])


def test_the_teacher_codes_scenes_well_and_still_pictures_alike_in_both_kinds():
    teacher = fit_teacher(clips=256)
    drawn = scenes(31, count=16, length=9)
    latent = teacher.encode(drawn.frames)
    assert latent.shape == (16, 16, 3, 8, 8)
    error = (teacher.decode(latent) - drawn.frames).square().mean()
    assert -10 * error.log10() > 29
    still = teacher.encode(drawn.frames[:, :1].expand(-1, 5, -1, -1, -1))
    difference = (still[:, :, 0] - still[:, :, 1]).square().mean() / still.square().mean()
    assert difference < 0.1


def test_a_path_is_straight_unless_it_turns_or_bounces():
    time = torch.arange(9.0)[:, None]
    line = 20 + time * torch.tensor([1.7, -0.6])
    bounce = torch.where(time < 5, line, 2 * line[5] - line)
    assert is_straight(torch.stack((line, bounce))).tolist() == [True, False]


@pytest.mark.parametrize("at", [1, 4, 7])
def test_sprites_turn_when_told(at):
    drawn = scenes(41, count=32, length=9, turn=1.0, max_speed=0.5, two_sprites=0.0, turn_at=torch.full((32,), at))
    turned = drawn.velocities[:, 0].diff(dim=1).norm(dim=-1) > 1e-3  # (B, T - 2)
    straight = [step for step in range(7) if step != at - 1]
    assert turned[:, at - 1].float().mean() > 0.8
    assert turned[:, straight].float().mean() < 0.1  # a bounce or two


def test_a_negative_turn_is_anywhere():
    free, told = scenes(42, turn=1.0), scenes(42, turn=1.0, turn_at=torch.full((8,), -1))
    assert torch.equal(free.frames, told.frames)


def test_a_sprite_looks_like_itself_and_not_like_another():
    drawn = scenes(43, count=16, length=3, two_sprites=0.0, turn=0.0)
    found = locate_sprite(drawn.frames, drawn.appearance, 0)
    own = shape_psnr(drawn.frames, drawn.appearance, 0, found)
    assert own.median() > 33
    look = drawn.appearance
    rounder = Appearance(torch.zeros_like(look.shape), look.radius * 1.15, look.color, look.stripes)
    alpha, texture = sprite_layer(rounder, 0, drawn.centers[:, 0], 64)
    square = look.shape[:, 0] == 1
    ball = (drawn.frames[:, :, :, :1, :1] * (1 - alpha) + texture * alpha)[square]
    chosen = Appearance(look.shape[square], look.radius[square], look.color[square], look.stripes[square])
    assert (shape_psnr(ball, chosen, 0, found[square]) < own[square] - 10).float().mean() > 0.9
