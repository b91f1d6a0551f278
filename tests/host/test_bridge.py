"""Frames between two clips."""

from fractions import Fraction

import pytest
import torch
from wan_motion_chunks.tests.host.video import SEED, with_options
from wan_motion_chunks.tests.reports import read_report
from wan_motion_chunks.wan.settings import choose_settings

NEW, KNOWN = 8, 8
SETTINGS = choose_settings(own={"overlap_frames": 8}, continuity="overlap_pinned")


@pytest.fixture(scope="module")
def clips():
    generator = torch.Generator().manual_seed(6)
    first, second = (torch.rand(1, 32, 48, 3, generator=generator) for _ in range(2))
    return [(picture + 0.01 * torch.arange(20).view(-1, 1, 1, 1)).clamp(0, 1) for picture in (first, second)]


@pytest.fixture
def run(tiny, conditioning, clips, output):
    from wan_motion_chunks.nodes import BridgeClips

    def call(first=clips[0], second=clips[1], **changed):
        values = {"frames": NEW, "fps": 16.0, "seed": SEED, "steps": 3, "cfg": 2.0, "sampler_name": "euler"}
        values |= {"scheduler": "simple", "color_match": 0.0, "settings": SETTINGS}
        values |= dict(zip(("positive", "negative"), conditioning, strict=True))
        values |= {"prompt": "", "negative_prompt": ""}
        return BridgeClips.execute(tiny[0], tiny[2], first, second, **with_options(values | changed)).args

    return call


@pytest.mark.parametrize("level", ["last_frame", "overlap", "overlap_pinned", "motion"])
def test_it_leaves_one_clip_and_arrives_at_the_other(run, clips, finished, level):
    known = 4 if level == "last_frame" else KNOWN
    settings = choose_settings(own={"overlap_frames": 8}, continuity=level)
    frames, latent, _, video = run(settings=settings)
    first, second = clips
    assert len(frames) == 20 + NEW + 20 == video.get_frame_count()
    assert torch.equal(frames[:11], first[:11])
    kept = max(1, known - 4)
    assert torch.equal(frames[-(20 - known + kept) :], second[-(20 - known + kept) :])
    state = finished[-1][0]
    record = state.records[0]
    assert record.continuity.level in (level, "overlap_pinned")
    assert record.seam is not None
    assert record.end_seam is not None
    assert latent["samples"].shape[2] == (1 if level == "last_frame" else 3) + (NEW + known) // 4
    assert not (frames[20:28] == frames[19]).all()


def test_both_ends_are_known_and_held(run, clips, finished, monkeypatch, tiny):
    from wan_motion_chunks.wan import loop

    guides, guide_chunk = [], loop.guide_chunk
    monkeypatch.setattr(
        loop, "guide_chunk", lambda *values, **more: guides.append(guide_chunk(*values, **more)) or guides[-1]
    )
    _, latent, _, _ = run()
    (guide,) = guides
    vae = tiny[2]
    canvas = torch.full((9 + NEW + KNOWN, 32, 48, 3), 0.5)
    canvas[:9], canvas[-KNOWN:] = clips[0][-9:], clips[1][:KNOWN]
    ends = vae.encode(torch.cat((clips[1][:1], clips[1][:KNOWN])))[:, :, -KNOWN // 4 :]
    image = vae.encode(canvas)
    image[:, :, -KNOWN // 4 :] = ends
    assert torch.equal(guide.conditioning["concat_latent_image"], image)
    mask = guide.conditioning["concat_mask"][0, :, :, 0, 0]
    assert mask.t().flatten().tolist() == [0.0] * 12 + [1.0] * NEW + [0.0] * KNOWN
    assert guide.noise_mask[0, 0, :, 0, 0].tolist() == [0, 0, 0, 1, 1, 0, 0]
    assert torch.equal(latent["samples"][:, :, -2:], ends)


def test_two_ends_that_rest_are_bridged_by_the_models_own_frames_alone(run, clips):
    """Between equal pictures nothing changes at either seam: what the ends are held by is theirs."""
    still = clips[0][:1].expand(20, -1, -1, -1).contiguous()
    frames, _, _, _ = run(still, still)
    assert torch.equal(frames[:11], still[:11])
    assert torch.equal(frames[-16:], still[:16])


def test_colors_of_the_second_clip_are_led_to_those_of_the_first(run, clips):
    still = clips[0][:1].expand(20, -1, -1, -1).contiguous()
    tinted = still * torch.tensor([0.95, 1.0, 0.96])
    lost = [
        (run(still, tinted, color_match=share)[0][-8:] - still[-8:]).abs().mean().item() for share in (0.0, 0.5, 1.0)
    ]
    assert lost[1] == pytest.approx(lost[0] / 2, rel=0.05)
    assert lost[2] < lost[0] / 20


def test_it_is_the_same_again_and_differs_by_seed(run):
    frames, again, other = (run(seed=seed)[0] for seed in (SEED, SEED, SEED + 1))
    assert torch.equal(frames, again)
    assert not torch.equal(frames, other)


def test_a_model_that_may_not_arrive_is_warned_of_first(run):
    _, _, report, _ = run()
    assert "second" in read_report(report).warnings[0]
    assert "FLF2V" in read_report(report).warnings[0]


@pytest.mark.parametrize("error", [torch.cuda.OutOfMemoryError, ValueError])
def test_a_seam_that_cannot_be_measured_costs_no_chunk(run, monkeypatch, finished, error):
    from wan_motion_chunks.wan import append

    def fail(*values, **more):
        raise error("no")

    monkeypatch.setattr(append, "measure_seam", fail)
    frames, _, report, _ = run(seed=SEED + error.__name__.count("e"))
    assert len(frames) == 20 + NEW + 20
    assert finished[-1][0].records[0].end_seam is None
    assert read_report(report).warnings


def test_sound_and_rate_of_videos(run, clips):
    from comfy_api.latest import InputImpl
    from comfy_api.util import VideoComponents

    def video(frames, rate):
        audio = {"waveform": torch.zeros(1, 1, 10000), "sample_rate": 8000}
        return InputImpl.VideoFromComponents(VideoComponents(images=frames, audio=audio, frame_rate=Fraction(rate)))

    _, _, _, made = run(*(video(clip, 16) for clip in clips))
    assert made.get_components().audio["sample_rate"] == 8000
    _, _, report, made = run(*(video(clip, 24) for clip in clips))
    assert made.get_components().audio is None
    assert sum("fps" in warning for warning in read_report(report).warnings) == 2
    with pytest.raises(ValueError, match=r"^second: .* got 24"):
        run(video(clips[0], 16), video(clips[1], 24))


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"frames": 6}, r"^frames .* got 6"),
        ({"frames": 0}, r"^frames "),
        ({"first": torch.zeros(8, 32, 48, 3)}, r"^first: .* got 8"),
        ({"settings": choose_settings(color_anchor=0.5)}, r"^settings: color_anchor"),
        ({"prompt": "1: a\n3: b", "positive": None, "negative": None, "clip": "clip"}, r"^prompt: "),
        ({"second": torch.zeros(8, 32, 48, 3)}, r"^second: .* got 8"),
        ({"second": torch.zeros(20, 32, 64, 3)}, r"^second: .*64 x 32"),
        ({"first": torch.zeros(20, 40, 48, 3), "second": torch.zeros(20, 40, 48, 3)}, r"^first: .*height"),
        ({"color_match": 1.5}, r"^color_match "),
        ({"settings": choose_settings(continuity="svi")}, r"^settings: .*svi"),
        ({"first": "a.mp4"}, r"^first: "),
    ],
)
def test_bad_input_is_refused_by_name_before_anything_is_encoded(run, tiny, monkeypatch, changed, words):
    monkeypatch.setattr(tiny[2], "encode", None)
    with pytest.raises(ValueError, match=words):
        run(**changed)
