import inspect

import pytest
import torch
from wan_motion_chunks.tests.fakes import CausalVae, numbered_frames
from wan_motion_chunks.wan import guide_next_chunk, known_rows
from wan_motion_chunks.wan.settings import AUTO, LEVELS

ARGUMENTS = {
    "previous_latent": None,
    "previous_frames": numbered_frames(0, 17),
    "overlap_frames": 8,
    "blend_strength": 0.8,
    "motion_weight": 0.3,
    "mask_sigma": 0.35,
    "step_gain": 0.5,
    "vae": CausalVae(),
    "chunk_index": 1,
    "chunk_frames": 17,
    "image_height": 16,
    "image_width": 32,
}


def test_the_seeds_parameters_stand_in_their_order():
    names = [p.name for p in inspect.signature(guide_next_chunk).parameters.values() if p.kind != p.KEYWORD_ONLY]
    assert names == [*ARGUMENTS, "reference_image"]


def test_the_last_frames_of_the_overlap_are_known_and_the_rest_is_gray():
    guide = guide_next_chunk(*ARGUMENTS.values())
    pixels = CausalVae().decode(guide.conditioning["concat_latent_image"])[0].movedim(-1, 1)
    torch.testing.assert_close(pixels[:9], numbered_frames(8, 9), rtol=0, atol=0)
    assert (pixels[9:] == 0.5).all()
    torch.testing.assert_close(guide.conditioning["concat_mask"], known_rows(9, 17, 2, 4), rtol=0, atol=0)


def test_the_previous_frames_are_left_as_they_were():
    frames = ARGUMENTS["previous_frames"].clone()
    guide_next_chunk(*ARGUMENTS.values())
    assert (ARGUMENTS["previous_frames"] == frames).all()


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"motion_weight": 1.5}, r"^motion_weight .*\[0, 1\], got 1\.5"),
        ({"blend_strength": -0.1}, r"^blend_strength .*\[0, 1\], got -0\.1"),
        ({"overlap_frames": 0}, "^overlap_frames .*got 0"),
        ({"image_width": 24}, "^image_width .*16, got 24.* 32"),
        ({"overlap_frames": 18}, "overlap of 21 .*got 17"),
        ({"chunk_frames": 9}, "chunk of 9 .* to 8, got 9"),
        ({"chunk_frames": 16}, "got 16.* 17"),
        ({"image_width": 64}, r"^Known frames .*\(N, 3, 16, 64\).*got \(9, 3, 16, 32\)"),
        ({"previous_latent": torch.zeros(1, 48, 5, 2, 4)}, r"^previous_latent .*16 channels, got \(1, 48, 5, 2, 4\)"),
        ({"previous_frames": torch.full((17, 3, 16, 32), torch.nan)}, "chunk 2 .*NaN"),
    ],
)
def test_bad_input_is_refused_by_name(changed, message):
    with pytest.raises(ValueError, match=message):
        guide_next_chunk(*(ARGUMENTS | changed).values())


def test_an_unknown_level_is_refused():
    with pytest.raises(ValueError, match=f"^continuity .*{', '.join((AUTO, *LEVELS))}, got 'best'"):
        guide_next_chunk(*ARGUMENTS.values(), continuity="best")


def test_a_vae_of_another_family_is_refused():
    class SixteenFold(CausalVae):
        def encode(self, pixels):
            return torch.zeros(1, 48, 5, 1, 2)

    with pytest.raises(ValueError, match=r"^vae: 17 .*32 x 16 .*\(1, 16, 5, 2, 4\).*\(1, 48, 5, 1, 2\)"):
        guide_next_chunk(*(ARGUMENTS | {"vae": SixteenFold()}).values())
