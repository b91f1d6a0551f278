import re
from dataclasses import replace

import pytest
import torch
from wan_motion_chunks.tests.fakes import CausalVae, CountingModel, numbered_frames
from wan_motion_chunks.wan import (
    ChunkState,
    GuideSettings,
    Tools,
    generate,
    guide_next_chunk,
    guide_state,
    plan_chunks,
)
from wan_motion_chunks.wan.levels import LEVELS


class BlurringVae(CausalVae):
    """Loses a little with every encoding, as a real one does."""

    def encode(self, pixels):
        return super().encode((pixels * 255 / 256 * 256).floor() / 256)


def picture(guide):
    return guide.conditioning["concat_latent_image"]


def guide(previous, level="overlap", **changed):
    arguments = (previous, numbered_frames(8, 9), 9, 0.8, 0.3, 0.35, 0.5, CausalVae(), 1, 17, 16, 32)
    return guide_next_chunk(*arguments, continuity=level, **changed)


@pytest.mark.parametrize("level", ["overlap", "overlap_pinned"])
def test_reused_latents_are_what_encoding_the_same_frames_gives(level):
    previous = CausalVae().encode(numbered_frames(0, 17).movedim(1, -1))
    reused, encoded = guide(previous, level), guide(previous, level, exact_frames=0)
    assert torch.equal(picture(reused), picture(encoded))
    assert torch.equal(reused.samples, encoded.samples)


def test_all_but_the_first_are_reused():
    previous = torch.randn(1, 16, 5, 2, 4, generator=torch.Generator().manual_seed(0))
    reused, encoded = guide(previous, "overlap_pinned"), guide(None, "overlap_pinned")
    assert torch.equal(reused.samples[:, :, 1:3], previous[:, :, -2:])
    assert torch.equal(picture(reused)[:, :, 1:3], previous[:, :, -2:])
    for latent, again in (
        (reused.samples, encoded.samples),
        (picture(reused), picture(encoded)),
    ):
        assert torch.equal(latent[:, :, :1], again[:, :, :1])
        assert torch.equal(latent[:, :, 3:], again[:, :, 3:])


def test_a_held_picture_drifts_only_where_it_is_encoded_again():
    def hold(guide):
        """The first known frame for ever in a first chunk, and the last pinned latent in every other."""
        if guide.noise_mask is None:
            frame = CausalVae().decode(guide.conditioning["concat_latent_image"][:, :, :1])[0]
            return CausalVae().encode(frame.expand(17, -1, -1, -1))
        pinned = guide.samples[:, :, :3]
        return torch.cat((pinned, pinned[:, :, -1:].expand(-1, -1, 2, -1, -1)), dim=2)

    drift = []
    for carry in (True, False):
        plan = plan_chunks(17 + 8 * 8, chunk_frames=17, overlap_frames=9)
        settings = GuideSettings("overlap_pinned", reuse_latents=carry, color_match="none", blend_strength=1.0)
        state = ChunkState(plan, numbered_frames(200, 1), settings)
        video = generate(state, Tools(BlurringVae(), hold)).video
        drift.append((video[-1] - video[16]).abs().max().item())
    assert drift[0] == 0
    assert drift[1] > 0


def test_a_previous_latent_of_another_size_is_refused():
    for size in ((1, 16, 5, 4, 4), (1, 16, 2, 2, 4)):
        with pytest.raises(ValueError, match=rf"^previous_latent: .* 2 .*\(2, 4\).*{re.escape(str(size))}"):
            guide(torch.zeros(size))


def test_one_known_frame_has_nothing_to_reuse():
    found = guide(torch.zeros(1, 16, 5, 2, 4), "last_frame")
    assert found.request.reused_latents is None
    assert torch.equal(picture(found), picture(guide(None, "last_frame")))


def test_only_frames_of_the_chunk_before_have_latents_there():
    previous = torch.randn(1, 16, 5, 2, 4, generator=torch.Generator().manual_seed(0))
    part, encoded = guide(previous, "overlap_pinned", exact_frames=4), guide(None, "overlap_pinned")
    assert torch.equal(part.samples[:, :, 2:3], previous[:, :, -1:])
    assert torch.equal(part.samples[:, :, :2], encoded.samples[:, :, :2])


def test_a_long_overlap_is_known_as_it_stands_in_the_video():
    told = []

    def sample(guide):
        pixels = CausalVae().decode(guide.conditioning["concat_latent_image"])[0].movedim(-1, 1)
        told.append(pixels[: guide.known_frames])
        first = 100 * len(told)  # a model that heeds nothing: its overlap is not what the video shows
        return CausalVae().encode(numbered_frames(first, 17).movedim(1, -1))

    plan = plan_chunks(25, chunk_frames=17, overlap_frames=13)
    state = ChunkState(plan, numbered_frames(0, 1), GuideSettings("overlap", color_match="none", blend_strength=1.0))
    video = generate(state, Tools(CausalVae(), sample)).video
    for chunk, known in zip(plan.chunks[1:], told[1:], strict=True):
        torch.testing.assert_close(known, video[chunk.start : chunk.start + 13], rtol=0, atol=0)


def test_counting_goes_on_with_and_without_reuse():
    for carry in (True, False):
        settings = GuideSettings("overlap_pinned", reuse_latents=carry)
        vae = CausalVae()
        state = ChunkState(plan_chunks(41, chunk_frames=17, overlap_frames=9), numbered_frames(0, 1), settings)
        video = generate(state, Tools(vae, CountingModel(vae))).video
        torch.testing.assert_close(video, numbered_frames(0, 41), rtol=0, atol=0)


@pytest.mark.parametrize("level", ["auto", *(name for name in LEVELS if name != "svi")])  # that reads no frames
def test_the_seeds_function_guides_as_the_loop_does(level):
    vae = CausalVae()
    overlap = 1 if level == "last_frame" else 9
    plan = plan_chunks(25, chunk_frames=17, overlap_frames=overlap)
    settings = GuideSettings(level)
    first = generate(
        ChunkState(plan_chunks(17, chunk_frames=17, overlap_frames=overlap), numbered_frames(0, 1), settings),
        Tools(vae, CountingModel(vae)),
    )
    ours = guide_state(replace(first, plan=plan), vae).guide
    seeds = guide_next_chunk(
        first.latent, first.video, overlap, 0.8, 0.3, 0.35, 0.5, vae, 1, ours.request.length, 16, 32, continuity=level
    )
    assert seeds.record == ours.record
    assert torch.equal(seeds.samples, ours.samples)
    assert (seeds.noise_mask is None) == (ours.noise_mask is None)
    assert seeds.noise_mask is None or torch.equal(seeds.noise_mask, ours.noise_mask)
    for name, values in ours.conditioning.items():
        assert torch.equal(seeds.conditioning[name], values)
