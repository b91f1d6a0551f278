"""The flow nodes, on scenes whose motion is known."""

from dataclasses import replace

import pytest
import torch
from safetensors.torch import save_file
from torchvision.models.optical_flow import raft_small
from wan_motion_chunks.motion import estimation, flow_to_rgb
from wan_motion_chunks.motion.picture import legend
from wan_motion_chunks.tiny.scenes import draw_scenes


@pytest.fixture(scope="module")
def nodes(comfy):
    from wan_motion_chunks.nodes import flow

    return flow


@pytest.fixture(scope="module")
def scenes():
    generator = torch.Generator().manual_seed(31)
    return draw_scenes(8, 9, generator, size=128, turn=0.0, two_sprites=0.0, pan=0.0, max_speed=1.6)


@pytest.fixture(scope="module")
def images(scenes):
    return scenes.frames[0].movedim(1, -1).contiguous()


def test_sprites_are_seen_to_move_as_they_were_drawn(nodes, scenes):
    errors = []
    for frames, centers, velocities in zip(scenes.frames, scenes.centers, scenes.velocities, strict=True):
        flow, occlusion, confidence = nodes.EstimateFlow.execute(frames[:2].movedim(1, -1), "auto").args
        assert flow.displacement.shape == (1, 2, 128, 128)
        assert occlusion.shape == confidence.shape == (1, 128, 128)
        assert confidence.mean() > 0.5
        x, y = centers[0, 0].long().tolist()
        found = flow.displacement[0, :, y - 3 : y + 4, x - 3 : x + 4].mean(dim=(1, 2))
        errors.append((found - velocities[0, 0]).norm())
    assert torch.stack(errors).mean() < 0.35  # stripes show no motion along themselves


def test_a_clip_in_groups_is_the_clip_at_once(nodes, images, monkeypatch):
    whole = nodes.EstimateFlow.execute(images[:4], "auto").args
    monkeypatch.setattr(estimation, "GROUP", 1)
    parts = nodes.EstimateFlow.execute(images[:4], "auto").args
    torch.testing.assert_close(parts[0].displacement, whole[0].displacement, rtol=0, atol=1e-3)
    assert (parts[1] != whole[1]).float().mean() < 1e-3
    torch.testing.assert_close(parts[2], whole[2], rtol=0, atol=1e-2)


def test_where_memory_runs_out_midway_all_of_the_clip_is_looked_at_by_the_built_in_estimator(
    nodes, images, monkeypatch
):
    from wan_motion_chunks.wan.host.optical_flow import estimate_clip, host_motion

    def greedy(first, second):
        calls.append(len(first) // 2)
        if len(calls) > 2:
            raise torch.OutOfMemoryError
        return torch.zeros(len(first), 2, *first.shape[-2:])

    calls, asked = [], []
    monkeypatch.setattr(estimation, "GROUP", 1)
    frames = images[:5].movedim(-1, 1)
    expected, hidden = estimate_clip(frames, host_motion())
    motion = replace(host_motion(), estimator=greedy, clear=lambda: asked.append("clear"))
    found, found_hidden = estimate_clip(frames, motion)
    assert calls == [1, 1, 1]
    assert asked == ["clear"]
    assert torch.equal(found.displacement, expected.displacement)
    assert torch.equal(found_hidden, hidden)


@pytest.mark.parametrize("style", ["colors", "arrows", "confidence"])
def test_a_flow_is_shown_as_pictures(nodes, images, style):
    flow, occlusion, _ = nodes.EstimateFlow.execute(images[:3], "lucas_kanade").args
    occlusion = torch.zeros_like(occlusion)
    occlusion[:, 20:60, 30:70] = 1.0
    (plain,) = nodes.FlowToImage.execute(flow, style, 0.0, images=images).args
    (tinted,) = nodes.FlowToImage.execute(flow, style, 0.0, images=images, occlusion=occlusion).args
    assert plain.shape == (2, 128, 128, 3)
    assert plain.min() >= 0
    assert plain.max() <= 1
    assert plain.std(dim=(1, 2)).max() > 0.05
    changed = (tinted != plain).any(dim=-1)
    assert torch.equal(changed, occlusion == 1)


def test_colors_are_those_of_the_core_with_the_legend_in_the_corner(nodes, images):
    flow, _, _ = nodes.EstimateFlow.execute(images[:3], "lucas_kanade").args
    (shown,) = nodes.FlowToImage.execute(flow, "colors", 2.0).args
    expected = flow_to_rgb(flow.displacement, largest=2.0).movedim(1, -1)
    corner = legend(2.0, expected.movedim(-1, 1)).movedim(1, -1)
    height, width = corner.shape[1:3]
    expected[:, -height:, -width:] = corner
    assert torch.equal(shown, expected)


def test_raft_from_a_file_is_torchvisions(nodes, images, tmp_path):
    torch.manual_seed(0)
    with torch.inference_mode(False):
        model = raft_small(weights=None).eval()
    path = tmp_path / "raft_small.safetensors"
    save_file(model.state_dict(), path)
    from wan_motion_chunks.wan.host.optical_flow import load_optical_flow

    flow, _, _ = nodes.EstimateFlow.execute(images[:3], "auto", load_optical_flow(str(path))).args
    frames = images[:3].movedim(-1, 1) * 2 - 1
    torch.testing.assert_close(flow.displacement, model(frames[:-1], frames[1:])[-1], rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda images: images[:1], "images: .*two frames"),
        (lambda images: torch.cat((images, images), dim=-1), "images: .*RGB"),
        (lambda images: images * float("nan"), "images: .*NaN"),
    ],
)
def test_what_is_no_video_is_refused(nodes, images, change, message):
    with pytest.raises(ValueError, match=message):
        nodes.EstimateFlow.execute(change(images), "auto")


def test_raft_without_a_model_says_what_to_connect(nodes, images):
    with pytest.raises(ValueError, match=r"optical_flow: .*connect"):
        nodes.EstimateFlow.execute(images, "raft")


def test_frames_and_masks_of_another_clip_are_refused(nodes, images):
    flow, occlusion, _ = nodes.EstimateFlow.execute(images, "auto").args
    with pytest.raises(ValueError, match="images: expected"):
        nodes.FlowToImage.execute(flow, "arrows", 0.0, images=images[:, :64])
    with pytest.raises(ValueError, match="occlusion: expected"):
        nodes.FlowToImage.execute(flow, "colors", 0.0, occlusion=occlusion[1:])
