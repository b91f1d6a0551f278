"""Weights as they are stored: quantized, packed, on no device."""

import types
from dataclasses import dataclass

import pytest
import torch
from wan_motion_chunks.wan.identity import digest, identify
from wan_motion_chunks.wan.identity.tensors import identify_weights


class Quantized(torch.Tensor):
    """Written like comfy.quant_ops.QuantizedTensor; whoever computes with it fails."""

    @staticmethod
    def __new__(cls, qdata, layout_type, layout_params):
        return torch.Tensor._make_wrapper_subclass(cls, qdata.shape, dtype=qdata.dtype, requires_grad=False)

    def __init__(self, qdata, layout_type, layout_params):
        self._qdata, self._layout_type, self._layout_params = qdata, layout_type, layout_params

    @classmethod
    def __torch_dispatch__(cls, function, types, args=(), kwargs=None):
        raise AssertionError("it is dequantized")


@dataclass(frozen=True)
class Params:
    scale: torch.Tensor
    orig_dtype: torch.dtype
    orig_shape: tuple


class Kitchen(Quantized):
    """Written like comfy_kitchen's, which newer hosts have."""

    @staticmethod
    def __new__(cls, qdata, layout_cls, params):
        return torch.Tensor._make_wrapper_subclass(cls, params.orig_shape, dtype=params.orig_dtype, requires_grad=False)

    def __init__(self, qdata, layout_cls, params):
        self._qdata, self._layout_cls, self._params = qdata, layout_cls, params


class Gguf(torch.Tensor):
    """Written like ComfyUI-GGUF's GGMLTensor: packed bytes, and the shape of what they stand for."""

    def __init__(self, *args, tensor_type, tensor_shape, patches=(), **kwargs):
        super().__init__()
        self.tensor_type, self.tensor_shape, self.patches = tensor_type, tensor_shape, patches

    def __new__(cls, *args, tensor_type, tensor_shape, patches=(), **kwargs):
        return super().__new__(cls, *args, **kwargs)

    def detach(self, *args, **kwargs):
        return self

    @property
    def shape(self):
        return self.tensor_shape


class Flattened(torch.Tensor):
    """Written like torchao's: made of other tensors."""

    @staticmethod
    def __new__(cls, data, scale):
        return torch.Tensor._make_wrapper_subclass(cls, (4, 4), dtype=torch.bfloat16, requires_grad=False)

    def __init__(self, data, scale):
        self.data_of_it, self.scale = data, scale

    def __tensor_flatten__(self):
        return ["data_of_it", "scale"], [None, "tile"]

    @classmethod
    def __torch_dispatch__(cls, function, types, args=(), kwargs=None):
        raise AssertionError("it is dequantized")


def stored(change, place=5):
    data = torch.arange(48, dtype=torch.uint8).reshape(4, 12)
    data.view(-1)[place] += change
    return data


def quantized(change, scale=1.0, dtype=torch.bfloat16):
    return Quantized(
        stored(change).view(torch.float8_e4m3fn), "Layout", {"scale": torch.tensor(scale), "orig_dtype": dtype}
    )


def kitchen(change, scale=1.0, dtype=torch.bfloat16):
    return Kitchen(stored(change), "Layout", Params(torch.tensor(scale), dtype, (8, 12)))


def gguf(change, kind=12):
    return Gguf(stored(change), tensor_type=kind, tensor_shape=torch.Size((8, 24)))


MAKERS = {
    "fp8": lambda change: stored(change).view(torch.float8_e5m2),
    "bf16": lambda change: stored(change).view(torch.bfloat16),
    "bool": lambda change: stored(change) > 5,
    "complex": lambda change: torch.complex(stored(change).float(), stored(0).float()).conj(),
    "transposed": lambda change: stored(change).T,
    "a part": lambda change: stored(change)[:, 1:7],
    "quantized": quantized,
    "kitchen": kitchen,
    "gguf": gguf,
    "gguf parameter": lambda change: torch.nn.Parameter(gguf(change), requires_grad=False),
    "flattened": lambda change: Flattened(stored(change), torch.ones(1)),
    "inference": lambda change: in_inference(stored, change),
}
if hasattr(torch, "float4_e2m1fn_x2"):
    MAKERS["fp4"] = lambda change: stored(change).view(torch.float4_e2m1fn_x2)


def in_inference(make, *arguments):
    with torch.inference_mode():
        return make(*arguments)


@pytest.mark.parametrize("name", MAKERS)
def test_a_stored_byte_is_seen_however_a_tensor_is_stored(name):
    make = MAKERS[name]
    for known in (digest, lambda value: identify_weights([("a", value)])):
        assert known(make(0)) == known(make(0)) != known(make(1))
    assert not identify(make(0)).unknown


def test_kinds_of_storage_are_told_apart():
    same = ("gguf parameter", "inference")
    different = [make(0) for name, make in MAKERS.items() if name not in same]
    assert len({digest(value) for value in different}) == len(different)
    assert digest(MAKERS["gguf parameter"](0)) == digest(gguf(0))
    assert digest(MAKERS["inference"](0)) == digest(stored(0))


@pytest.mark.parametrize("make", [quantized, kitchen])
def test_scales_count_and_the_type_that_sampling_sets_does_not(make):
    assert digest(make(0, 1.0)) != digest(make(0, 1.5))
    assert digest(make(0)) == digest(make(0, dtype=torch.float16))


def test_the_kind_of_packed_bytes_counts_and_patches_of_a_run_do_not():
    assert digest(gguf(0)) != digest(gguf(0, 13))
    patched = gguf(0)
    patched.patches = [(torch.ones(2), "key")]
    assert digest(patched) == digest(gguf(0))


def test_what_has_no_values_has_an_identity():
    lazy = torch.nn.LazyLinear(3)
    for value in (torch.empty(3, device="meta"), lazy.weight, torch.empty(0), torch.tensor(1.0), torch.empty(0, 3)):
        assert digest(value) == digest(value)
        assert identify_weights([("a", value)]) == identify_weights([("a", value)])
    assert digest(torch.empty(3, device="meta")) != digest(torch.empty(4, device="meta"))


def test_sparse_tensors_are_unknown():
    assert identify(torch.eye(3).to_sparse()).unknown


def test_of_large_weights_both_ends_and_places_between_are_seen():
    count = 11 * 910_000
    weight = torch.zeros(count, dtype=torch.uint8)
    seen = {digest(weight)}
    for place in (0, 15, count * 1 // 9, count * 4 // 9, count * 8 // 9, count - 16, count - 1):
        changed = weight.clone()
        changed[place] = 1
        seen.add(digest(changed))
    assert len(seen) == 8
    assert digest(weight[:-1]) not in seen
    rows = changed.view(-1, 11)
    assert digest(rows.T.contiguous().T) == digest(rows) not in seen  # however it lies in memory


def test_backup_of_a_quantized_weight_is_taken():
    backup = {"a": types.SimpleNamespace(weight=quantized(0))}
    assert identify_weights([("a", torch.ones(2))], backup) == identify_weights([("a", quantized(0))])
