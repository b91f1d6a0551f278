"""Known frames condition the model, and nothing is held."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from ..protocols import ByFamily, Conditioned, Hold, Vae
from ..records import ContinuityRecord, Reason

if TYPE_CHECKING:
    from ..guide import ChunkRequest
    from ..motion_tools import MotionTools


@dataclass(frozen=True)
class Free(ByFamily):
    """See :class:`~wan.protocols.Level`."""

    name: str
    summary: str
    overlap: int | None = None
    holds: bool = False
    by_step: bool = False
    fallback: str | None = None

    def hold(
        self, request: ChunkRequest, conditioned: Conditioned, reason: Reason, vae: Vae, motion: MotionTools
    ) -> Hold:
        return Hold(ContinuityRecord(self.name, reason), torch.zeros_like(conditioned.latents))


LAST_FRAME = Free("last_frame", "from one frame, velocity is lost", overlap=1)
OVERLAP = Free("overlap", "from all overlap frames")
