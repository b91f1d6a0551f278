"""VACE models: what the host's own graph makes of the same frames and masks."""

import pytest
import torch
from wan_motion_chunks.tests.host.video import keep, long_video
from wan_motion_chunks.tests.host.weights import random_vace
from wan_motion_chunks.wan.settings import choose_settings

SEED, STEPS, CFG = 7, 3, 2.0


@pytest.fixture(scope="module")
def model(tiny):
    """A VACE model of random weights."""
    import comfy.sd

    return comfy.sd.load_diffusion_model_state_dict(random_vace())


@pytest.fixture(scope="module")
def image():
    return torch.rand(2, 32, 48, 3, generator=torch.Generator().manual_seed(3))


@pytest.fixture
def run(tiny, model, image, conditioning, output):
    def call(start=image[:1], **changed):
        values = {"width": 48, "height": 32, "length": 17.0, "steps": STEPS, "cfg": CFG, "run": keep()}
        return long_video((model, *tiny[1:]), start, *conditioning, "euler", "simple", **(values | changed))

    return call


def stock(tiny, model, conditioning, frames, masks, seed=SEED, reference=None):
    """The latent that WanVaceToVideo and KSampler make of control frames and their masks."""
    from comfy_extras.nodes_wan import WanVaceToVideo

    import nodes

    graph = WanVaceToVideo.execute(
        *conditioning,
        tiny[2],
        48,
        32,
        17,
        1,
        1.0,
        control_video=frames,
        control_masks=masks,
        reference_image=reference,
    ).args
    assert graph[3] == (reference is not None)
    made = nodes.common_ksampler(model, seed, STEPS, CFG, "euler", "simple", *graph[:3])[0]["samples"]
    return made[:, :, graph[3] :]


def controls(*places):
    """17 gray frames with some known ones in their places, and their masks."""
    frames, masks = torch.full((17, 32, 48, 3), 0.5), torch.ones(17, 32, 48)
    for place, known in places:
        frames[place : place + len(known)], masks[place : place + len(known)] = known, 0.0
    return frames, masks


def test_a_first_chunk_equals_the_stock_graph_bit_for_bit(tiny, model, image, conditioning, run):
    _, latent, _, _ = run()
    assert torch.equal(latent["samples"], stock(tiny, model, conditioning, *controls((0, image[:1]))))


def test_an_end_picture_equals_the_stock_graph_bit_for_bit(tiny, model, image, conditioning, run):
    _, latent, _, _ = run(end_image=image[1:])
    assert torch.equal(latent["samples"], stock(tiny, model, conditioning, *controls((0, image[:1]), (16, image[1:]))))


def test_a_start_from_the_prompt_equals_the_stock_graph_bit_for_bit(tiny, model, conditioning, run):
    frames, latent, _, _ = run(start=None)
    assert torch.equal(latent["samples"], stock(tiny, model, conditioning, *controls()))
    assert len(frames) == 17


@pytest.mark.parametrize("start", [False, True])
def test_a_reference_equals_the_stock_graph_bit_for_bit(tiny, model, image, conditioning, run, start):
    known = [(0, image[:1])] if start else []
    _, latent, _, _ = run(start=image[:1] if start else None, reference_image=1 - image[:1])
    expected = stock(tiny, model, conditioning, *controls(*known), reference=1 - image[:1])
    assert torch.equal(latent["samples"], expected)


@pytest.mark.parametrize("level", ["overlap", "overlap_pinned", "motion"])
def test_later_chunks_see_the_reference_too(tiny, model, image, conditioning, run, finished, level):
    settings = choose_settings(own={"overlap_frames": 8}, continuity=level, reuse_latents=level != "overlap")
    frames, latent, _, _ = run(start=None, length=25.0, settings=settings, reference_image=1 - image[:1])
    first, second = (kept.read("latent")["latent"] for kept in finished[-1][1].kept)
    assert first.shape == second.shape == latent["samples"].shape
    if level == "overlap":
        known = finished[-1][0].pieces[0][-9:].movedim(1, -1)
        expected = stock(tiny, model, conditioning, *controls((0, known)), seed=SEED + 1, reference=1 - image[:1])
        assert torch.equal(second, expected)
    else:
        assert (second[:, :, 1:3] - first[:, :, -2:]).abs().max() < 1e-4
    assert len(frames) == 25


def test_what_needs_a_picture_is_refused_without_one(run):
    with pytest.raises(ValueError, match=r"^color_anchor: "):
        run(start=None, settings=choose_settings(color_anchor=0.5))


def test_a_later_chunk_equals_the_stock_graph_bit_for_bit(tiny, model, image, conditioning, run, finished):
    settings = choose_settings(own={"overlap_frames": 8}, continuity="overlap", reuse_latents=False)
    frames, latent, _, _ = run(length=25.0, settings=settings)
    known = finished[-1][0].pieces[0][-9:].movedim(1, -1)
    assert torch.equal(latent["samples"], stock(tiny, model, conditioning, *controls((0, known)), seed=SEED + 1))
    assert len(frames) == 25


@pytest.mark.parametrize("level", ["overlap", "overlap_pinned", "motion"])
def test_every_level_goes_on_from_the_latents_before(tiny, run, finished, level):
    run(length=25.0, settings=choose_settings(own={"overlap_frames": 8}, continuity=level))
    first, second = (kept.read("latent")["latent"] for kept in finished[-1][1].kept)
    held = second[:, :, 1:3] - first[:, :, -2:]
    assert (held.abs().max() < 1e-4) == (level != "overlap")


def test_control_frames_of_the_prompt_stay_beside_ours(tiny, model, image, conditioning, monkeypatch):
    from wan_motion_chunks.wan.host.conditioning import add_values

    own, ours = [torch.ones(1)], [torch.zeros(1)]
    both = add_values({"vace_frames": own, "other": 1}, {"vace_frames": ours, "concat_mask": 2})
    assert both == {"vace_frames": [own[0], ours[0]], "other": 1, "concat_mask": 2}
    assert own == [own[0]]


def test_svi_is_not_for_vace(run):
    with pytest.raises(ValueError, match=r"^continuity: svi"):
        run(settings=choose_settings(continuity="svi"))


def test_other_models_are_refused_by_name(tiny, run):
    import types

    from wan_motion_chunks.wan.families import find_family

    camera = types.SimpleNamespace(model=type("WAN21_Camera", (), {})())
    with pytest.raises(ValueError, match=r"^model: .*VACE, got .* Camera .*wan2\.1_vace"):
        find_family(camera)
