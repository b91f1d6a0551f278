"""The pictures of seams that a timeline shows."""

import pytest
import torch


@pytest.fixture
def glimpse(comfy):
    from wan_motion_chunks.nodes import glimpse

    return glimpse


def numbered(count, height=32, width=48):
    """Frames that are as bright as they are late."""
    return (torch.arange(count).view(-1, 1, 1, 1) / 100).expand(-1, 3, height, width)


@pytest.mark.parametrize("sizes", [(40,), (9, 8, 8, 15), (1,) * 40])
def test_a_strip_shows_two_frames_before_a_seam_and_two_behind_it(glimpse, sizes):
    strips = glimpse.cut_strips(numbered(40).split(sizes), [9, 17, 39])
    for seam, frames in ((9, (7, 8, 9, 10)), (17, (15, 16, 17, 18)), (39, (37, 38, 39))):
        left, right = strips[seam][:, :, :96], strips[seam][:, :, 96 + glimpse.GAP :]
        shown = torch.cat((left, right), dim=2).unflatten(2, (-1, 48)).mean(dim=(0, 1, 3))
        assert torch.allclose(shown, torch.tensor(frames) / 100, atol=1e-6)
        assert (strips[seam][:, :, 96 : 96 + glimpse.GAP] == 1).all()


def test_large_frames_are_made_small(glimpse):
    (strip,) = glimpse.cut_strips([numbered(4, 480, 832)], [2]).values()
    assert strip.shape == (3, 160, 4 * 277 + glimpse.GAP)


def test_a_disk_that_takes_no_pictures_costs_only_them(glimpse, monkeypatch, caplog):
    from comfy_api.latest import ui

    def full(*parameters):
        raise OSError("No space left on device")

    monkeypatch.setattr(ui.ImageSaveHelper, "save_images", full)
    assert glimpse.save_strips(glimpse.cut_strips([numbered(4)], [2])) == {}
    assert "No space left on device" in caplog.text
    assert glimpse.save_strips({}) == {}
