"""The chunk loop on a pretended card: no two devices meet, and a seam asks for no more than it may."""

import pytest
from wan_motion_chunks.benchmarks.card_loop import Places, Scene, add_chunk, count_seam, finish, host_device
from wan_motion_chunks.benchmarks.fake_card import CARD, record, replay
from wan_motion_chunks.wan import GuideSettings
from wan_motion_chunks.wan.families import WAN_VACE
from wan_motion_chunks.wan.presets import KNOBS
from wan_motion_chunks.wan.records import Joining

pytestmark = pytest.mark.usefixtures("comfy")
SEAM_LIMITS = {
    # By level and where frames are: launches and waits of a seam at 832 x 480, overlap 17.
    ("auto", "cpu"): (20_000, 3),
    ("overlap", "cpu"): (63_000, 19),
}
HOST = Places(host=CARD)
"""As the host does it by default: it computes on the card and keeps what it made on the CPU."""
ALL = Places(frames=CARD, latents=CARD, pixels=CARD, given=CARD, host=CARD)
MIXED = [
    Places(frames=CARD, host=CARD),
    Places(pixels=CARD, host=CARD),
    Places(frames=CARD, latents=CARD, pixels=CARD, host=CARD),
]
LATENTS = [Places(latents=CARD, host=CARD), Places(latents=CARD, pixels=CARD, host=CARD)]


def replayed(scene, places, work=add_chunk, whole=False):
    """The finished states of a real run and of one on each of some places, which must report the same."""
    setup = scene.begin if whole else scene.continued
    recording = record(setup, work, Places())
    report = recording.result.report()
    for each in places:
        with host_device(CARD):
            found = replay(recording, setup, work, each)
        assert found.result.report() == report
        assert found.total().launches > 0
    return recording.result.records[-1]


@pytest.mark.parametrize("level", ["last_frame", "overlap_pinned", "motion", "svi"])
def test_a_level_of_continuity_mixes_no_devices(level):
    record = replayed(Scene(GuideSettings(continuity=level)), [HOST, ALL])
    assert record.continuity.level == level
    assert record.join.joining == Joining.AS_MADE


def test_auto_mixes_none_wherever_frames_latents_and_pixels_are():
    scene = Scene(GuideSettings(reuse_latents=False), end=True, region=True)
    record = replayed(scene, [HOST, ALL, *MIXED, *LATENTS])
    assert record.continuity.level == "motion"


def test_a_join_mixes_none_wherever_they_are():
    record = replayed(Scene(GuideSettings(continuity="overlap"), off=2), [HOST, *MIXED[:2]])
    assert record.join.joining == Joining.CORRECTED
    assert record.join.color_levels
    assert record.join.join.blended


def test_retries_and_a_color_anchor_mix_none():
    settings = GuideSettings(continuity="overlap", seam_retries=1, color_anchor=0.3, color_match="mkl")
    assert replayed(Scene(settings, off=9), [ALL]).attempts == 2


def test_settings_that_follow_the_speed_mix_none():
    record = replayed(Scene(GuideSettings(adaptive=frozenset(KNOBS))), [ALL], finish, whole=True)
    assert record.speed > 0


def test_a_cut_to_a_picture_elsewhere_mixes_none():
    scene = Scene(GuideSettings(color_anchor=0.5), cut=True)
    record = replayed(scene, MIXED[:1], finish, whole=True)
    assert record.index == 3


def test_a_kept_end_mixes_none():
    record = replayed(Scene(GuideSettings(), kept=True), [ALL, *LATENTS])
    assert record.end_seam is not None


def test_vace_mixes_none():
    record = replayed(Scene(GuideSettings(), family=WAN_VACE, reference=True), [HOST, ALL])
    assert record.continuity.level == "motion"


@pytest.mark.parametrize(("level", "frames"), SEAM_LIMITS)
def test_a_seam_asks_for_no_more_than_this(level, frames):
    scene = Scene(GuideSettings(continuity=level), off=2 if level == "overlap" else 0)
    found = count_seam(scene, (480, 832), Places(frames=frames, host=CARD)).total()
    launches, syncs = SEAM_LIMITS[level, frames]
    assert found.launches <= launches
    assert found.syncs <= syncs
