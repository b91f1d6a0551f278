import pytest
import torch
from wan_motion_chunks.motion import MotionPrediction
from wan_motion_chunks.wan.latent_warp import warp_latent


def latent(t=3, h=12, w=16):
    return torch.randn(1, 16, t, h, w, generator=torch.Generator().manual_seed(0)) + 0.7


def motion(x, y, steps=8, confidence=1.0):
    """The same velocity everywhere, in pixels per frame of a grid eight times as fine."""
    velocity = torch.tensor([x, y]).view(1, 2, 1, 1).expand(steps, 2, 96, 128)
    time = torch.arange(1, steps + 1).view(-1, 1, 1, 1)
    return MotionPrediction(velocity * time, torch.full((steps, 1, 96, 128), confidence))


def test_a_cell_per_latent_is_a_roll():
    clip = latent()
    moved, confidence = warp_latent(clip, motion(2.0, -4.0), 2)  # four frames: one cell to the right, two up
    assert moved.shape == (1, 16, 2, 12, 16)
    for k in (1, 2):
        rolled = torch.roll(clip[:, :, -1], (-2 * k, k), dims=(2, 3))
        inside = confidence[0, 0, k - 1] > 0.999
        assert inside[: 12 - 2 * k, k:].all()
        difference = (moved[:, :, k - 1] - rolled)[..., inside].abs()
        assert difference.max() < 1e-4


def test_where_nothing_is_known_the_last_latent_stays():
    clip = latent()
    moved, confidence = warp_latent(clip, motion(2.0, 0.0, confidence=0.0), 1)
    assert (confidence == 0).all()
    torch.testing.assert_close(moved[:, :, 0], clip[:, :, -1])
    edge, trusted = warp_latent(clip, motion(2.0, 0.0), 1)
    assert (trusted[..., :1] == 0).all()
    torch.testing.assert_close(edge[:, :, 0, :, :1], clip[:, :, -1, :, :1])


def test_contrast_and_level_are_kept_between_cells():
    clip = latent(h=24, w=32)
    moved, confidence = warp_latent(clip, motion(1.0, 1.0), 1)  # half a cell: bilinear sampling would blur it
    sure = confidence[0, 0, 0] > 0.999
    before, after = clip[0, :, -1], moved[0, :, 0][:, sure]
    torch.testing.assert_close(after.mean(dim=1), before.mean(dim=(1, 2)), rtol=0, atol=0.06)
    torch.testing.assert_close(after.std(dim=1), before.std(dim=(1, 2)), rtol=0.06, atol=0)


@pytest.mark.parametrize(
    ("clip", "count", "message"),
    [
        (torch.zeros(1, 16, 1, 8, 8), 1, r"^latent: .*got \(1, 16, 1, 8, 8\)"),
        (torch.zeros(2, 16, 3, 8, 8), 1, r"^latent: .*got \(2, 16, 3, 8, 8\)"),
        (torch.zeros(1, 16, 3, 8, 8), 3, "^latents .*1 to 2, .*got 3"),
        (torch.zeros(1, 16, 3, 8, 8), 0, "^latents .*1 to 2, .*got 0"),
    ],
)
def test_what_cannot_be_moved_is_refused(clip, count, message):
    with pytest.raises(ValueError, match=message):
        warp_latent(clip, motion(0.0, 0.0), count)


def test_a_motion_shorter_than_a_latent_is_named():
    with pytest.raises(ValueError, match=r"^motion: .* 3 frames, .* 4"):
        warp_latent(latent(), motion(0.0, 0.0, steps=3), 1)
