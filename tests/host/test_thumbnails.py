"""The pictures of seams that a timeline shows."""

import pytest
import torch


@pytest.fixture
def thumbnails(comfy):
    from wan_motion_chunks.nodes import thumbnails

    return thumbnails


def numbered(count, height=32, width=48):
    """Frames that are as bright as they are late."""
    return (torch.arange(count).view(-1, 1, 1, 1) / 100).expand(-1, 3, height, width)


@pytest.mark.parametrize("sizes", [(40,), (9, 8, 8, 15), (1,) * 40])
def test_a_strip_shows_two_frames_before_a_seam_and_two_behind_it(thumbnails, sizes):
    expected = {1: (0, 1, 2), 9: (7, 8, 9, 10), 11: (9, 10, 11, 12), 17: (15, 16, 17, 18), 39: (37, 38, 39)}
    strips = dict(thumbnails.cut_strips(numbered(40).split(sizes), [*expected, 50]))
    assert strips.keys() == expected.keys()
    for seam, frames in expected.items():
        gap = 48 * sum(frame < seam for frame in frames)
        left, right = strips[seam][:, :, :gap], strips[seam][:, :, gap + thumbnails.GAP :]
        shown = torch.cat((left, right), dim=2).unflatten(2, (-1, 48)).mean(dim=(0, 1, 3))
        assert torch.allclose(shown, torch.tensor(frames) / 100, atol=1e-6)
        assert (strips[seam][:, :, gap : gap + thumbnails.GAP] == 1).all()


def test_a_strip_is_given_before_more_of_the_video_is_read(thumbnails):
    read = []

    def pieces():
        for number, piece in enumerate(numbered(40).split(10)):
            read.append(number)
            yield piece

    strips = thumbnails.cut_strips(pieces(), [5, 15, 25, 35])
    assert [(seam, read[-1]) for seam, _ in strips] == [(5, 0), (15, 1), (25, 2), (35, 3)]


def test_large_frames_are_made_small(thumbnails):
    ((_, strip),) = thumbnails.cut_strips([numbered(4, 480, 832)], [2])
    assert strip.shape == (3, 160, 4 * 277 + thumbnails.GAP)


def test_a_disk_that_takes_no_pictures_costs_only_them(thumbnails, monkeypatch, caplog):
    from comfy_api.latest import ui

    error = OSError("No space left on device")

    def full(*parameters, **more):
        raise error

    monkeypatch.setattr(ui.ImageSaveHelper, "save_images", full)
    assert thumbnails.show_seams([numbered(4)], [2]) == {}
    assert thumbnails.show_picture(torch.zeros(1, 8, 8, 3)) is None
    assert caplog.text.count(str(error)) == 2


def test_chunks_that_another_job_made_anew_cost_only_the_pictures(thumbnails, caplog):
    from wan_motion_chunks.wan.runs.files import RunError

    def gone():
        yield numbered(10)
        raise RunError("regenerated")

    assert thumbnails.show_seams(gone(), [5, 15]).keys() == {5}
    assert "regenerated" in caplog.text
