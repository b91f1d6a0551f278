import torch
from wan_motion_chunks.wan.color_anchor import anchor_color


def test_the_anchor_takes_hold_up_to_the_fifth_chunk():
    generator = torch.Generator().manual_seed(0)
    reference = torch.rand(1, 3, 16, 16, generator=generator)
    frames = 0.5 * torch.rand(8, 3, 16, 16, generator=generator)
    whole = (anchor_color(frames, reference, 1.0, 4) - frames)[-1]
    for index in range(7):  # counted from 0
        led = (anchor_color(frames, reference, 1.0, index) - frames)[-1]
        torch.testing.assert_close(led, min(1.0, index / 4) * whole, rtol=1e-4, atol=1e-6)
    assert whole.abs().mean() > 0.02
