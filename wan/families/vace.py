"""Wan VACE: known frames as control frames, and a mask of what is to be generated.

Wan2.1 VACE 1.3B and 14B, and both experts of Wan2.2 VACE-Fun; as the host's WanVaceToVideo conditions them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor

from ..latents import CHANNELS, SPATIAL_STRIDE, model_zeros
from ..protocols import Conditioned, Vae
from .canvas import GRAY, encode_frames, lay_frames, put_latents
from .products import host_class, input_channels

if TYPE_CHECKING:
    from ..guide import ChunkRequest

HOST_CLASS = "WAN21_Vace"
STRENGTH = 1.0


class WanVace:
    """See :class:`~wan.protocols.Family`."""

    name = "wan_vace"
    expected = ("Wan VACE",)
    files = ("wan2.1_vace_14B",)
    starts_from_prompt = True
    takes_reference = True

    def takes(self, model: Any) -> bool:
        # ID-V2V is of this class too, but is shown a picture as image-to-video is, besides.
        return host_class(model) == HOST_CLASS and input_channels(model) == CHANNELS

    def condition(self, request: ChunkRequest, vae: Vae) -> Conditioned:
        canvas, known = lay_frames(request)
        mask = (~known).to(canvas).view(-1, 1, 1, 1)
        control = canvas - GRAY
        # In the host's own order, to the bit: what is known, and what is to be generated, each on gray.
        inactive, reactive = (encode_frames(vae, control * part + GRAY) for part in (1 - mask, mask))
        inactive = put_latents(inactive, request)
        _, _, length, *size = inactive.shape
        rows = F.interpolate(mask.view(1, 1, -1), size=length, mode="nearest-exact").view(1, 1, length, 1, 1)
        frames = torch.cat((inactive, reactive), dim=1)
        masks = rows.expand(1, SPATIAL_STRIDE**2, length, *size).contiguous().to(inactive)
        lead = 0
        if request.reference is not None:
            shown = _encode_reference(request.reference, vae).to(frames)
            lead = shown.shape[2]
            frames, masks = torch.cat((shown, frames), dim=2), F.pad(masks, (0, 0, 0, 0, lead, 0))
        values = {"vace_frames": [frames], "vace_mask": [masks], "vace_strength": [STRENGTH]}
        return Conditioned(values, inactive, lead)


def _encode_reference(picture: Tensor, vae: Vae) -> Tensor:
    """``(1, 32, 1, h, w)``: a picture ``(1, 3, H, W)``, with nothing to be generated in it."""
    shown = encode_frames(vae, rearrange(picture, "t c h w -> t h w c"))
    return torch.cat((shown, model_zeros(shown, shown.shape[2])), dim=1)


WAN_VACE = WanVace()
