"""Wan image-to-video: known frames on a gray canvas, encoded, and a mask of what is known.

Wan2.1 I2V, FLF2V and Fun InP, and both experts of Wan2.2 I2V A14B.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..latents import mask_rows
from ..protocols import Conditioned, Vae
from .canvas import encode_frames, lay_frames, put_latents
from .products import host_class, input_channels

if TYPE_CHECKING:
    from ..guide import ChunkRequest

INPUT_CHANNELS = 36
"""16 of noise, 4 of mask, 16 of picture."""
HOST_CLASS = "WAN21"
"""The host's class of these models; its subclasses (VACE, camera, Animate, HuMo, S2V) are conditioned in other ways."""


class WanI2V:
    """See :class:`~wan.protocols.Family`."""

    name = "wan_i2v"
    expected = ("Wan2.1 image-to-video", "Wan2.2 A14B image-to-video")
    files = ("wan2.1_i2v_480p_14B", "wan2.2_i2v_high_noise_14B")
    starts_from_prompt = False
    takes_reference = False

    def takes(self, model: Any) -> bool:
        return host_class(model) == HOST_CLASS and input_channels(model) == INPUT_CHANNELS

    def condition(self, request: ChunkRequest, vae: Vae) -> Conditioned:
        canvas, known = lay_frames(request)
        image = put_latents(encode_frames(vae, canvas), request)
        mask = mask_rows(known, *image.shape[3:]).to(image)
        return Conditioned({"concat_latent_image": image, "concat_mask": mask}, image)


WAN_I2V = WanI2V()
