"""Known frames condition the model and are held through sampling."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from ..latents import latent_length
from ..protocols import ByFamily, Conditioned, Hold, Vae
from ..records import ContinuityRecord, Reason

if TYPE_CHECKING:
    from ..guide import ChunkRequest
    from ..motion_tools import MotionTools


class Pinned(ByFamily):
    """See :class:`~wan.protocols.Level`."""

    name = "overlap_pinned"
    summary = "they are also held during sampling"
    holds = True
    by_step = False
    fallback = None

    def hold(
        self, request: ChunkRequest, conditioned: Conditioned, reason: Reason, vae: Vae, motion: MotionTools
    ) -> Hold:
        known = latent_length(len(request.known))
        samples, mask = torch.zeros_like(conditioned.latents), torch.ones_like(conditioned.latents[:, :1])
        samples[:, :, :known] = conditioned.latents[:, :, :known]
        mask[:, :, :known] = 0.0
        return Hold(ContinuityRecord(self.name, reason), samples, mask)


OVERLAP_PINNED = Pinned()
