import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wan_motion_chunks.tools.workflow import ROOT
from wan_motion_chunks.wan.latents import LARGEST_SIDE, PIXEL_STEP
from wan_motion_chunks.wan.size import HEIGHT, MUCH, WIDTH, Picture, choose_size, crop_warning, cut_share

pictures = st.builds(Picture, st.just("start_image"), st.integers(1, 20_000), st.integers(1, 20_000))
usual = st.builds(Picture, st.just("start_image"), st.integers(400, 4000), st.integers(400, 4000)).filter(
    lambda picture: max(picture[1:]) <= 3 * min(picture[1:])
)
sides = st.integers(1, 128).map(lambda steps: PIXEL_STEP * steps)


def turned(picture):
    return Picture(picture.name, picture.height, picture.width)


@given(pictures, st.sampled_from([(0, 0), (640, 0), (0, 480)]))
def test_a_size_is_one_that_a_video_may_have(picture, asked):
    size = choose_size(*asked, picture)
    assert all(side % PIXEL_STEP == 0 and PIXEL_STEP <= side <= LARGEST_SIDE for side in size)
    assert all(side in (0, found) for side, found in zip(asked, size, strict=True))


@given(sides, sides, pictures | st.none())
def test_a_size_that_is_asked_for_stays(width, height, picture):
    assert choose_size(width, height, picture) == (width, height)


@given(usual)
def test_without_a_size_it_has_about_the_default_area_and_the_pictures_proportions(picture):
    width, height = choose_size(0, 0, picture)
    assert width * height == pytest.approx(WIDTH * HEIGHT, rel=0.05)
    assert cut_share(picture, width, height) < 0.05
    assert not crop_warning(picture, width, height)


@given(usual, st.integers(2, 5))
def test_only_proportions_count(picture, times):
    larger = Picture(picture.name, times * picture.width, times * picture.height)
    assert choose_size(0, 0, larger) == choose_size(0, 0, picture)


@given(usual)
def test_a_turned_picture_makes_a_turned_video(picture):
    width, height = choose_size(0, 0, picture)
    assert choose_size(0, 0, turned(picture)) == (height, width)


@given(usual, sides)
def test_no_other_side_that_fits_is_nearer(picture, width):
    (_, height) = choose_size(width, 0, picture)
    exact = width * picture.height / picture.width
    assert abs(height - exact) <= PIXEL_STEP / 2 or height == PIXEL_STEP
    assert choose_size(0, width, turned(picture)) == (height, width)


def test_the_default_size_and_a_square():
    assert choose_size(0, 0, Picture("source", WIDTH, HEIGHT)) == (WIDTH, HEIGHT)
    assert choose_size(0, 0, Picture("source", 1024, 1024)) == (624, 624)
    assert choose_size(0, 0, Picture("source", 1920, 1080)) == (848, 480)


@given(pictures, sides, sides)
def test_what_is_cut_is_the_area_outside_of_the_largest_fitting_rectangle(picture, width, height):
    scale = max(width / picture.width, height / picture.height)
    inside = (width / scale) * (height / scale)
    share = cut_share(picture, width, height)
    assert share == pytest.approx(1 - inside / (picture.width * picture.height), abs=1e-9)
    assert bool(crop_warning(picture, width, height)) == (share > MUCH)


def test_a_square_cut_to_half_says_so_by_its_name():
    words = crop_warning(Picture("end_image", 1024, 1024), 832, 416)
    assert words.startswith("end_image ")
    assert "50 %" in words


@pytest.mark.parametrize(("asked", "name"), [((0, 0), "width"), ((0, 480), "width"), ((640, 0), "height")])
def test_no_picture_to_go_by_is_refused_by_name(asked, name):
    with pytest.raises(ValueError, match=rf"^{name}: .*start_image"):
        choose_size(*asked, None)


@pytest.mark.parametrize(
    ("asked", "name"), [((-16, 480), "width"), ((832, 72), "height"), ((LARGEST_SIDE + 16, 0), "width")]
)
def test_what_is_no_size_is_refused_by_name(asked, name):
    with pytest.raises(ValueError, match=f"^{name} "):
        choose_size(*asked, Picture("source", 100, 100))


def test_the_timeline_knows_the_default_size():
    script = (ROOT / "js" / "request.mjs").read_text(encoding="utf-8")
    assert re.findall(r"DEFAULT_SIZE = \[(\d+), (\d+)\]", script) == [(str(WIDTH), str(HEIGHT))]
