"""Moving textures, and what can be wrong with them."""

import torch
from wan_motion_chunks.benchmarks.layers import waves
from wan_motion_chunks.motion.pyramid import gaussian_blur

SIZE = (72, 96)


def pan(frames=40, speed=0.7, seed=0):
    """A texture that moves to the right and a little down."""
    return torch.cat([waves(*SIZE, (speed * t, 0.2 * t), seed=seed, shortest=7.0) for t in range(frames)])


def spoil(clip, name):
    """The clip with something wrong before frame 20."""
    changed = clip.clone()
    if name == "replay":
        return torch.cat((clip[:20], clip[7:20], clip[20:]))
    if name == "held frame":
        return torch.cat((clip[:20], clip[19:-1]))
    if name == "flash":
        changed[20] = changed[20] * 0.8 + 0.2
    if name == "color":
        changed[20:, 0] += 3 / 255
    if name == "blur":
        changed[20:] = gaussian_blur(changed[20:], 1.5)
    if name == "jump":
        return torch.cat((clip[:20], clip[25:]))
    if name == "cut":
        changed[20:] = 1 - pan(20, seed=7)
    return changed
