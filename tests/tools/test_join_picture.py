"""The join picture compares the same two clips."""

import torch
from wan_motion_chunks.tools.join_picture import AFTER, CUT, FADE, FIRST, OURS, OVERLAP, UNCUT, draw, join_ways, tint


def test_all_ways_join_the_same_clips():
    y, x = torch.meshgrid(torch.arange(48.0), torch.arange(64.0), indexing="ij")
    moving = [torch.sin((x - t) / 5 + y / 7) / 4 + 0.5 for t in range(FIRST + AFTER + 1)]
    frames = torch.stack(moving)[:, None].repeat(1, 3, 1, 1)
    ways = join_ways(frames, 1)
    before, later = slice(FIRST - OVERLAP), slice(FIRST, FIRST + AFTER)
    assert torch.equal(ways[UNCUT], frames[:-1])
    for video in ways.values():
        assert len(video) == FIRST + AFTER
        assert torch.equal(video[before], frames[before])
    assert torch.equal(ways[CUT][:FIRST], frames[:FIRST])
    for name in (CUT, FADE):
        assert torch.equal(ways[name][later], tint(frames[1:])[later])
    off = {name: (video - frames[:-1])[later].abs().mean() for name, video in ways.items()}
    assert off[OURS] < off[FADE]
    assert draw(ways, dict.fromkeys(ways, 0.5)).width < 1300
