"""The host's own classes of models, by the names that users know."""

import inspect
import re
from types import SimpleNamespace

import pytest
from wan_motion_chunks.tools.environment import HOST_VERSION
from wan_motion_chunks.wan.families import FAMILIES
from wan_motion_chunks.wan.families.products import MODELS, name_model

WAN = {"image_model": "wan2.1", "dim": 128, "ffn_dim": 128, "num_heads": 1, "num_layers": 1, "text_dim": 64}
WAN |= {"out_dim": 16, "freq_dim": 64, "in_dim": 16, "model_type": "t2v"}


@pytest.mark.parametrize(
    ("form", "known"),
    [
        ({}, ("WAN21", 16)),
        ({"in_dim": 36}, ("WAN21", 36)),
        ({"in_dim": 36, "model_type": "i2v"}, ("WAN21", 36)),
        ({"in_dim": 36, "model_type": "i2v", "flf_pos_embed_token_number": 514}, ("WAN21", 36)),
        ({"in_dim": 48, "model_type": "i2v"}, ("WAN21", 48)),
        ({"in_dim": 52}, ("WAN21", 52)),
        ({"in_dim": 32, "model_type": "camera"}, ("WAN21_Camera", None)),
        ({"in_dim": 36, "model_type": "camera_2.2"}, ("WAN21_Camera", None)),
        ({"model_type": "vace", "vace_in_dim": 96, "vace_layers": 1}, ("WAN21_Vace", 16)),
        ({"in_dim": 36, "model_type": "vace", "vace_in_dim": 96, "vace_layers": 1}, ("WAN21_Vace", 36)),
        ({"in_dim": 36, "model_type": "humo"}, ("WAN21_HuMo", None)),
        ({"model_type": "s2v"}, ("WAN22_S2V", None)),
        ({"in_dim": 36, "model_type": "animate"}, ("WAN22_Animate", None)),
        ({"in_dim": 48, "out_dim": 48}, ("WAN22", 48)),
        ({"in_dim": 100, "out_dim": 48}, ("WAN22", None)),
    ],
)
def test_a_wan_model_of_the_host_goes_by_its_name(comfy, form, known):
    import comfy.model_detection
    import torch

    found = comfy.model_detection.model_config_from_unet_config(WAN | form)
    found.set_inference_dtype(torch.float32, None)
    made = SimpleNamespace(model=found.get_model({}, device="meta"))  # without weights, whatever its size
    assert name_model(made) == MODELS[known]
    assert any(family.takes(made) for family in FAMILIES) == (known in (("WAN21", 36), ("WAN21_Vace", 16)))


def test_every_class_of_the_reference_host_has_a_name(comfy):
    import comfy.supported_models
    import comfyui_version

    if comfyui_version.__version__ != HOST_VERSION:
        pytest.skip("a newer host knows more")
    text = inspect.getsource(comfy.supported_models) + inspect.getsource(comfy.supported_models_base)
    made = set(re.findall(r"model_base\.(\w+)\(", text))
    assert made
    assert made <= {kind for kind, _ in MODELS}
