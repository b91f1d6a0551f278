import torch
from wan_motion_chunks.motion import forward_backward_error, occlusion_mask


def layers(shift, *, size=96, square=(30, 60)):
    """A square that moves by ``shift`` pixels over a still ground: both true flows, and what it hides."""
    first, last = square
    grid = torch.arange(size)
    inside = (grid >= first) & (grid < last)
    here = (inside[:, None] & inside[None, :])[None, None]
    there = torch.roll(here, (shift[1], shift[0]), dims=(2, 3))
    vector = torch.tensor(shift, dtype=torch.float32).view(1, 2, 1, 1)
    return here * vector, -(there * vector), there & ~here


def f1(found, true):
    return (2 * (found & true).sum() / (found.sum() + true.sum())).item()


def test_what_a_square_hides_is_found_from_true_flow():
    for shift in ((3, 0), (8, -5), (-12, 12)):
        forward, backward, hidden = layers(shift)
        assert f1(occlusion_mask(forward, backward), hidden) >= 0.9


def test_what_a_square_uncovers_is_found_in_the_other_direction():
    forward, backward, _ = layers((8, 4))
    _, _, uncovered = layers((-8, -4))
    uncovered = torch.roll(uncovered, (4, 8), dims=(2, 3))
    assert f1(occlusion_mask(backward, forward), uncovered) >= 0.9


def test_leaving_the_frame_is_occlusion():
    forward = torch.zeros(1, 2, 16, 16)
    forward[:, 0] = 4.0
    assert torch.equal(occlusion_mask(forward, -forward)[0, 0, 0], torch.arange(16) >= 12)


def test_there_and_back_again_has_no_error():
    forward = torch.full((1, 2, 16, 16), 1.5)
    assert forward_backward_error(forward, -forward).max() == 0
    assert (forward_backward_error(forward, forward) == 3 * 2**0.5).all()
