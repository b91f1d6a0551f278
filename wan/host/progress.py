"""The host's progress bar, over a whole video or over one piece of work."""

from __future__ import annotations

import comfy.utils
import latent_preview
from comfy.cli_args import LatentPreviewMethod
from einops import rearrange
from PIL import Image
from torch import Tensor

from ...motion.watch import Watch
from ..guide import ChunkGuide
from .checks import check_interrupt

RESOLUTION = 10_000
"""Of the bar, whose length in steps is not known before all chunks are planned."""

PERCENT = 100


class Progress:
    """One bar over the whole video, with previews of the chunk that is being made."""

    def __init__(self, model):
        self._bar = comfy.utils.ProgressBar(RESOLUTION)
        self._previewer = latent_preview.get_previewer(model.load_device, model.model.latent_format)

    def callback(self, guide: ChunkGuide, first: float = 0.0, last: float = 1.0):
        """The host's callback of a sampler call that makes the part ``first`` to ``last`` of a chunk."""
        before, behind = guide.request.progress

        def callback(step, x0, x, total_steps):
            preview = (
                self._previewer.decode_latent_to_preview_image("JPEG", x0[:, :, guide.lead :])
                if self._previewer
                else None
            )
            # A sampler may take more or fewer model calls than its steps: its own count sets the share.
            share = first + (last - first) * (step + 1) / total_steps
            self._bar.update_absolute(round(RESOLUTION * (before + share * (behind - before))), RESOLUTION, preview)

        return callback


def watch_work() -> Watch:
    """Moves the node's bar, and raises the host's own exception when the user has stopped the run."""
    bar, shown = comfy.utils.ProgressBar(PERCENT), 0

    def watch(done: float) -> None:
        nonlocal shown
        check_interrupt()
        if round(PERCENT * done) > shown:  # each step is a message to the browser
            shown = round(PERCENT * done)
            bar.update_absolute(shown)

    return watch


def show_frame(frame: Tensor) -> None:
    """Put a frame ``(3, H, W)`` in [0, 1] in the place of a node's last latent preview, where the host shows such.

    Front ends let a node's preview stand until the node runs again, and offer no way to take it off.
    """
    if latent_preview.args.preview_method == LatentPreviewMethod.NoPreviews:
        return
    levels = (rearrange(frame, "c h w -> h w c").clamp(0, 1) * 255).round().byte()
    picture = Image.fromarray(levels.cpu().numpy())
    comfy.utils.ProgressBar(1).update_absolute(1, 1, ("JPEG", picture, latent_preview.MAX_PREVIEW_RESOLUTION))
