"""Random weights of models that do not come in small; the host must be importable."""

import torch
from wan_motion_chunks.tiny.text import WIDTH

SIZES = {"dim": 128, "ffn_dim": 256, "num_heads": 1, "num_layers": 2, "text_dim": WIDTH}


def random_vace():
    """A VACE model, as its file holds it."""
    import comfy.ldm.wan.model

    return random_weights(comfy.ldm.wan.model.VaceWanModel, vace_layers=2, vace_in_dim=96)


def random_weights(kind, **sizes):
    """A model of a class of the host's, as its file holds it."""
    import comfy.ops

    layers = kind(**SIZES, **sizes, operations=comfy.ops.disable_weight_init, dtype=torch.float32)
    generator = torch.Generator().manual_seed(0)
    return {
        name: torch.randn(weight.shape, generator=generator) * (0.5 if weight.ndim == 1 else weight[0].numel() ** -0.5)
        for name, weight in layers.state_dict().items()
    }
