"""Models as their files have them, without weights: state dicts of shapes alone, through the host's own detection."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch

FORM_14B = {"dim": 5120, "ffn_dim": 13824, "num_heads": 40, "num_layers": 40, "out_dim": 16, "freq_dim": 256}
FORM_5B = FORM_14B | {"dim": 3072, "ffn_dim": 14336, "num_heads": 24, "num_layers": 30, "out_dim": 48}
FORM_1B = FORM_14B | {"dim": 1536, "ffn_dim": 8960, "num_heads": 12, "num_layers": 30}


@dataclass(frozen=True)
class Architecture:
    """A model by the host's class of its layers, and its form."""

    kind: str
    """In ``comfy.ldm.wan``."""
    channels: int
    """Of its input."""
    form: dict[str, Any] = field(default_factory=dict)
    size: dict[str, Any] = field(default_factory=lambda: FORM_14B)

    def state_dict(self, layers: int | None = None) -> dict[str, torch.Tensor]:
        """Tensors on ``meta``, float16.

        Args:
            layers: how many blocks, rather than all.
        """
        import comfy.ops
        from comfy.ldm.wan import model, model_animate

        options = self.size | self.form | {"in_dim": self.channels}
        if layers is not None:
            options["num_layers"] = layers
        made = getattr(model, self.kind, None) or getattr(model_animate, self.kind)
        with torch.device("meta"):
            layout = made(operations=comfy.ops.disable_weight_init, dtype=torch.float16, device="meta", **options)
        return dict(layout.state_dict())


def detect(weights: dict[str, torch.Tensor], device: str = "meta", dtype: torch.dtype = torch.float16) -> Any:
    """What the host makes of a state dict, its weights left out.

    Args:
        dtype: of weights and of what is computed.
    """
    import comfy.model_detection

    config = comfy.model_detection.model_config_from_unet(weights, "")
    config.set_inference_dtype(dtype, None)
    with torch.device(device):
        return config.get_model(weights, "", device=torch.device(device))


_VACE = {"model_type": "vace", "vace_layers": 8, "vace_in_dim": 96}
ARCHITECTURES = {
    "Wan2.1 I2V 14B": Architecture("WanModel", 36, {"model_type": "i2v"}),
    "Wan2.1 FLF2V 14B": Architecture("WanModel", 36, {"model_type": "i2v", "flf_pos_embed_token_number": 514}),
    "Wan2.1 Fun InP 1.3B": Architecture("WanModel", 36, {"model_type": "i2v"}, FORM_1B),
    "Wan2.2 I2V A14B": Architecture("WanModel", 36, {"model_type": "t2v"}),
    "Wan2.1 VACE 14B": Architecture("VaceWanModel", 16, _VACE),
    "Wan2.1 VACE 1.3B": Architecture("VaceWanModel", 16, _VACE | {"vace_layers": 15}, FORM_1B),
    "ID-V2V": Architecture("VaceWanModel", 36, _VACE),
    "Wan2.1 Fun Control 14B": Architecture("WanModel", 48, {"model_type": "i2v"}),
    "Wan2.1 Fun Control 14B V1.1": Architecture("WanModel", 48, {"model_type": "i2v", "in_dim_ref_conv": 16}),
    "Wan2.2 Fun Control A14B": Architecture("WanModel", 52, {"model_type": "t2v", "in_dim_ref_conv": 16}),
    "Wan2.1 T2V 1.3B": Architecture("WanModel", 16, {"model_type": "t2v"}, FORM_1B),
    "Wan2.2 T2V A14B": Architecture("WanModel", 16, {"model_type": "t2v"}),
    "Wan2.2 TI2V 5B": Architecture("WanModel", 48, {"model_type": "t2v"}, FORM_5B),
    "Wan2.2 Fun InP 5B": Architecture("WanModel", 100, {"model_type": "t2v"}, FORM_5B),
    "Wan2.1 Fun Camera 14B": Architecture("CameraWanModel", 32, {"model_type": "camera"}),
    "Wan2.2 Fun Camera A14B": Architecture("CameraWanModel", 36, {"model_type": "camera_2.2"}),
    "Wan2.2 S2V 14B": Architecture("WanModel_S2V", 16, {"model_type": "s2v"}),
    "HuMo 17B": Architecture("HumoWanModel", 36, {"model_type": "humo"}),
    "Wan2.2 Animate 14B": Architecture("AnimateWanModel", 36, {"model_type": "animate"}),
}
"""By product. Wan2.1 Fun InP 14B has the layers of I2V 14B; Wan2.2 Fun InP A14B those of I2V A14B; Wan2.2 VACE-Fun A14B
those of VACE 14B."""
