"""A video that goes on from a given one, an IMAGE or a VIDEO with its sound."""

from fractions import Fraction
from types import SimpleNamespace

import pytest
import torch
from wan_motion_chunks.tests.host.video import SEED, execute, keep, long_video, svi_recipe
from wan_motion_chunks.tests.reports import read_report
from wan_motion_chunks.wan.prompts import Keyframe
from wan_motion_chunks.wan.settings import choose_settings


@pytest.fixture(scope="module")
def image():
    return torch.rand(1, 48, 64, 3, generator=torch.Generator().manual_seed(4))


@pytest.fixture
def run(tiny, conditioning, output):
    def call(picture=None, **changed):
        settings = choose_settings(own={"overlap_frames": 8}, continuity="overlap_pinned", reuse_latents=False)
        return long_video(tiny, picture, *conditioning, "euler", "simple", **({"settings": settings} | changed))

    return call


@pytest.mark.parametrize("level", ["overlap", "overlap_pinned", "motion"])
def test_what_was_made_goes_on_as_in_one_video_bit_for_bit(run, image, level):
    settings = choose_settings(own={"overlap_frames": 8}, continuity=level, reuse_latents=False)
    whole, latent, _, _ = run(image, length=25.0, settings=settings)
    first, _, _, _ = run(image, length=17.0, settings=settings)
    frames, more, _, _ = run(source=first, length=8.0, seed=SEED + 1, settings=settings)
    assert torch.equal(more["samples"], latent["samples"])
    assert torch.equal(frames, whole)


def test_svi_takes_its_latent_from_the_encoded_end(tiny, conditioning, run, image):
    import nodes

    source = torch.rand(20, 48, 64, 3, generator=torch.Generator().manual_seed(5))
    settings = choose_settings(continuity="svi")
    for start in (None, image):
        _, latent, _, _ = run(start, source=source, length=12.0, settings=settings)
        anchor = source[:1] if start is None else start
        graph = svi_recipe(tiny, conditioning, anchor, tiny[2].encode(source[-5:]))
        stock = nodes.common_ksampler(
            tiny[0], SEED, 4, 2.5, "euler", "simple", *graph, {"samples": torch.zeros_like(latent["samples"])}
        )
        assert torch.equal(latent["samples"], stock[0]["samples"])


@pytest.fixture
def clip(comfy, image):
    """A VIDEO of 20 frames with a tone."""
    from comfy_api.latest import InputImpl
    from comfy_api.util import VideoComponents

    def make(fps):
        tone = torch.sin(torch.arange(32000) / 9).view(1, 1, -1)
        audio = {"waveform": tone[..., : int(20 * 32000 / fps)], "sample_rate": 32000}
        frames = image.expand(20, -1, -1, -1).contiguous()
        return InputImpl.VideoFromComponents(
            VideoComponents(images=frames, audio=audio, frame_rate=Fraction(fps).limit_denominator(1000))
        )

    return make


@pytest.mark.parametrize("kept", [False, True])
def test_the_sound_of_a_video_is_kept_where_it_keeps_time(run, clip, tmp_path, kept):
    from comfy_api.latest import InputImpl

    more = {"run": keep()} if kept else {}
    frames, _, report, video = run(source=clip(16), length=8.0, **more)
    assert read_report(report).warnings == []
    video.save_to(str(tmp_path / "video.mp4"))
    read = InputImpl.VideoFromFile(str(tmp_path / "video.mp4")).get_components()
    assert len(read.images) == len(frames) == 28
    assert read.audio["waveform"].shape[-1] > read.audio["sample_rate"]
    assert torch.equal(video.get_components().audio["waveform"], clip(16).get_components().audio["waveform"])
    _, _, report, video = run(source=clip(24), length=8.0, **more)
    assert video.get_components().audio is None
    assert "fps" in read_report(report).warnings[0]


def test_the_timeline_counts_from_the_first_frame_of_the_source(tiny, conditioning, image, output, monkeypatch):
    import folder_paths

    monkeypatch.setattr(folder_paths, "temp_directory", str(output.parent / "temp"))
    (output.parent / "temp").mkdir()
    source = image.expand(20, -1, -1, -1).contiguous()
    settings = choose_settings(own={"overlap_frames": 8})
    made = execute(tiny, None, *conditioning, "euler", "simple", source=source, length=16.0, settings=settings)
    timeline = made.ui["wan_motion_timeline"][0]
    assert (timeline["total"], timeline["source"]) == (36, 20)
    assert [chunk["seam"] for chunk in timeline["chunks"]] == [20, 28]
    assert all(chunk["picture"] and chunk["score"] is not None for chunk in timeline["chunks"])


def test_a_kept_run_holds_what_was_added(run, image, made):
    from wan_motion_chunks.nodes import LoadRun

    source = image.expand(20, -1, -1, -1).contiguous()
    frames, _, _, video = run(source=source, length=16.0, run=keep())
    assert made() == (2, 0)
    again, _, _, _ = run(source=source, length=16.0, run=keep())
    assert made() == (0, 2)
    assert torch.equal(frames, again)
    assert video.get_frame_count() == len(frames) == 36
    assert torch.equal(frames[:11], source[:11])
    loaded = LoadRun.execute(keep().name, 16.0, True).args[0]
    assert torch.equal(loaded, frames[20:])


def test_what_is_scaled_is_said_first(run, image):
    _, _, report, _ = run(source=torch.rand(20, 90, 160, 3), length=8.0)
    assert "160 x 90" in read_report(report).warnings[0]
    _, _, report, _ = run(source=image.expand(20, -1, -1, -1), length=8.0)
    assert read_report(report).warnings == []


def test_the_first_prompts_picture_starts_a_video_without_another(tiny, conditioning, run, image):
    frames, latent, _, _ = run(image)
    stack = [Keyframe(*conditioning, start_image=image), Keyframe(*conditioning, 5)]

    def stacked(picture):
        return long_video(tiny, picture, None, None, "euler", "simple", prompt_stack=stack)

    own, same, told, _ = stacked(None)
    assert torch.equal(own, frames)
    assert torch.equal(same["samples"], latent["samples"])
    assert "start_image" not in told
    _, _, told, _ = stacked(1 - image)
    assert "start_image" in told


def test_a_mask_of_the_source_lies_as_that_does(run, finished):
    source, mask = torch.rand(20, 90, 160, 3), torch.zeros(1, 90, 160)
    mask[..., :20] = 1  # the crop keeps columns 20 to 139
    run(source=source, length=8.0, motion_region=mask)
    assert not finished[-1][0].region.any()
    with pytest.raises(ValueError, match=r"^motion_region: .*source.*160 x 90"):
        run(source=source, length=8.0, motion_region=torch.zeros(1, 50, 50))


@pytest.mark.parametrize("rate", [float("nan"), 0, -1.0])
def test_a_video_of_no_rate_is_refused_by_name(run, image, rate):
    class Video:
        def get_components(self):
            return SimpleNamespace(images=image.expand(20, -1, -1, -1), audio=None, frame_rate=rate)

    with pytest.raises(ValueError, match=r"^source: .* got "):
        run(source=Video())


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, r"^start_image: .*source"),
        ({"source": torch.zeros(8, 48, 64, 3)}, r"^source: .* got 8"),
        ({"source": torch.zeros(0, 48, 64, 3)}, r"^source: "),
        ({"source": "video.mp4"}, r"^source: "),
        ({"source": torch.full((9, 48, 64, 3), float("nan"))}, r"^source: .*NaN"),
        ({"source": torch.zeros(9, 48, 64, 3), "start_image": torch.zeros(2, 48, 64, 3)}, r"^start_image: .* got 2"),
        ({"start_image": torch.zeros(1, 48, 64, 3), "reference_image": torch.zeros(1, 8, 8, 3)}, r"^reference_image: "),
        (
            {"source": torch.zeros(9, 48, 64, 3), "reference_image": torch.zeros(2, 8, 8, 3)},
            r"^reference_image: .* got 2",
        ),
    ],
)
def test_bad_input_is_refused_by_name(run, given, words):
    with pytest.raises(ValueError, match=words):
        run(given.pop("start_image", None), **given)
