"""What of a LoRA file a model takes, by the host's own arithmetic on its real weights."""

import re

import pytest
import torch
from wan_motion_chunks.wan import Keyframe, Lora

DIM, LAYERS = 256, 5
"""Of the tiny model."""
RANK = 4
VALUE = "diffusion_model.blocks.{}.self_attn.v"
PATCH = "diffusion_model.patch_embedding"


def normal(*shape):
    return 0.1 * torch.randn(*shape, generator=torch.Generator().manual_seed(sum(shape)))


def layer(name, out, into, rank=RANK, scale=None):
    """A LoRA's tensors for a layer."""
    tensors = {f"{name}.lora_up.weight": normal(out, rank), f"{name}.lora_down.weight": normal(rank, into)}
    return tensors if scale is None else tensors | {f"{name}.alpha": torch.tensor(scale)}


def patch(channels):
    """The change of the layer that reads a latent, as the LoRA of a model with so many input channels has it."""
    return {f"{PATCH}.diff": normal(DIM, channels, 1, 2, 2), f"{PATCH}.diff_b": normal(DIM)}


@pytest.fixture(scope="module")
def folder(list_folder, tmp_path_factory):
    found = tmp_path_factory.mktemp("loras")
    list_folder("loras", found)
    return found


@pytest.fixture
def read(tiny, folder):
    """A file of these tensors, read for the tiny models."""
    import comfy.utils
    from wan_motion_chunks.wan.host.lora_file import read_lora

    def run(tensors, model=None, clip=tiny[1], name="a lora.safetensors"):
        comfy.utils.save_torch_file(tensors, str(folder / name))
        return read_lora(name, model or tiny[0], clip)

    return run


def files(tiny, *loras, clip=None):
    from wan_motion_chunks.wan.host.lora import LoraFiles

    return LoraFiles([Keyframe("", "", loras=loras)], tiny[0], clip)


def patched(model, patches):
    """The weights of the diffusion model that the host changes by patches."""
    import comfy.lora

    found = set()
    for key, weight in model.model.state_dict().items():
        if key not in patches:
            continue
        after = comfy.lora.calculate_weight([(1.0, patches[key], 1.0, None, None)], weight.float().clone(), key)
        if not torch.equal(after, weight.float()):
            found.add(key)
    return found


FORMS = {
    "lora": layer(VALUE.format(0), DIM, DIM, scale=2.0),
    "dora": layer(VALUE.format(0), DIM, DIM) | {f"{VALUE.format(0)}.dora_scale": normal(DIM, 1)},
    "loha": {
        f"{VALUE.format(0)}.hada_{key}": normal(*size) for key, size in {"w1_a": (DIM, 4), "w1_b": (4, DIM)}.items()
    }
    | {f"{VALUE.format(0)}.hada_{key}": normal(*size) for key, size in {"w2_a": (DIM, 4), "w2_b": (4, DIM)}.items()},
    "lokr": {f"{VALUE.format(0)}.lokr_w1": normal(16, 16), f"{VALUE.format(0)}.lokr_w2": normal(16, 16)},
    "oft": {f"{VALUE.format(0)}.oft_blocks": normal(16, 16, 16), f"{VALUE.format(0)}.alpha": torch.tensor(0.5)},
    "glora": {
        f"{VALUE.format(0)}.{key}.weight": normal(*size) for key, size in {"a1": (DIM, 4), "a2": (4, DIM)}.items()
    }
    | {f"{VALUE.format(0)}.{key}.weight": normal(*size) for key, size in {"b1": (DIM, 4), "b2": (4, DIM)}.items()},
    "diff": {f"{VALUE.format(0)}.diff": normal(DIM, DIM)},
    "set": {f"{VALUE.format(0)}.set_weight": normal(DIM, DIM)},
    "by peft's names": {
        f"{VALUE.format(0)}.lora_A.weight": normal(4, DIM),
        f"{VALUE.format(0)}.lora_B.weight": normal(DIM, 4),
    },
    "by kohya's names": layer("lora_unet_blocks_0_self_attn_v", DIM, DIM),
}
MISSHAPEN = {
    "lora": layer(VALUE.format(1), 192, 192),
    "lora of another rank": {
        f"{VALUE.format(1)}.lora_up.weight": normal(DIM, 4),
        f"{VALUE.format(1)}.lora_down.weight": normal(5, DIM),
    },
    "dora": layer(VALUE.format(1), DIM, DIM) | {f"{VALUE.format(1)}.dora_scale": normal(5, 1)},
    "loha": {f"{VALUE.format(1)}.hada_{key}": normal(*size) for key, size in {"w1_a": (96, 4), "w1_b": (4, 96)}.items()}
    | {f"{VALUE.format(1)}.hada_{key}": normal(*size) for key, size in {"w2_a": (96, 4), "w2_b": (4, 96)}.items()},
    "loha of another rank": {
        f"{VALUE.format(1)}.hada_{key}": normal(*size)
        for key, size in {"w1_a": (DIM, 4), "w1_b": (3, DIM), "w2_a": (DIM, 4), "w2_b": (4, DIM)}.items()
    },
    "lokr": {f"{VALUE.format(1)}.lokr_w1": normal(8, 8), f"{VALUE.format(1)}.lokr_w2": normal(12, 12)},
    "oft": {f"{VALUE.format(1)}.oft_blocks": normal(9, 16, 16)},
    "diff": {f"{VALUE.format(1)}.diff": normal(DIM, 96)},
    "set": {f"{VALUE.format(1)}.set_weight": normal(96, DIM)},
    "transposed": layer("diffusion_model.blocks.1.ffn.0", DIM, 512),
}


def numbers(note):
    """How many weights fit, of how many, and how many of what is wrong with the others."""
    return [int(number) for number in re.findall(r"\d+", note.partition(": ")[2])]


@pytest.mark.parametrize("form", FORMS)
def test_what_fits_is_what_the_host_changes(tiny, read, form):
    found = read(FORMS[form])
    assert numbers(found.note) == [1, 1]
    assert "'a lora.safetensors'" in found.note
    assert patched(tiny[0], found.patches) == {f"{VALUE.format(0)}.weight"}


@pytest.mark.parametrize("form", MISSHAPEN)
def test_what_has_another_shape_is_counted_and_left_out(tiny, read, form):
    found = read(MISSHAPEN[form] | FORMS["lora"])
    assert (numbers(found.note), "shape" in found.note) == ([1, 2, 1], True)
    assert patched(tiny[0], found.patches) == {f"{VALUE.format(0)}.weight"}
    with pytest.raises(ValueError, match=rf"^lora_stack: .* 1 .*'a lora\.safetensors' .*\(Wan .*, dim {DIM}.* 1 "):
        read(MISSHAPEN[form])


def test_a_lora_of_text_to_video_misses_one_layer_and_is_taken(tiny, read):
    body = {key: value for index in range(LAYERS) for key, value in layer(VALUE.format(index), DIM, DIM).items()}
    found = read(body | patch(16))
    assert (numbers(found.note), "shape" in found.note) == ([LAYERS + 1, LAYERS + 2, 1], True)
    found = read(body | patch(36) | layer("diffusion_model.blocks.0.face.v", DIM, DIM) | layer("x.y", 8, 8, scale=1.0))
    assert (numbers(found.note), "shape" in found.note) == ([LAYERS + 2, LAYERS + 4, 2], False)


def test_a_text_encoders_weights_count_where_it_is_connected(tiny, read):
    text = {"text_encoders.gain.diff": torch.full((4096,), -0.5)}
    found = read(text)
    assert numbers(found.note) == [1, 1]
    clone = tiny[1].clone()
    assert clone.add_patches(found.patches, 1.0)
    with pytest.raises(ValueError, match=r"^lora_stack: .*text encoder: 1 .*shape"):
        read({"text_encoders.gain.diff": torch.ones(5)})
    with pytest.raises(ValueError, match=r"^lora_stack: .*: 1 .*layers"):
        read(text, clip=None)


class Quantized(torch.Tensor):
    """As ComfyUI-GGUF keeps a weight: bytes, and the shape that they stand for."""

    @property
    def shape(self):
        return getattr(self, "tensor_shape", self.size())

    def detach(self):
        return self


def quantize(layer, blocks):
    """Keep a linear layer's weight in some bytes for 32 numbers; its state dict tells of the bytes alone."""
    rows, columns = layer.weight.shape
    stored = torch.zeros(rows, columns // 32 * blocks, dtype=torch.uint8).as_subclass(Quantized)
    stored.tensor_shape = layer.weight.shape
    layer.weight = torch.nn.Parameter(stored, requires_grad=False)
    layer.__class__ = type("Stored", (type(layer),), {"_save_to_state_dict": _save_stored})


def _save_stored(self, destination, prefix, keep_vars):
    for name in ("weight", "bias"):
        if (stored := getattr(self, name)) is not None:
            destination[prefix + name] = torch.zeros(stored.size(), device="meta")


@pytest.fixture
def gguf(comfy):
    """A model whose linear layers are quantized in some bytes for 32 numbers."""
    import comfy.utils
    from wan_motion_chunks.tiny import TRANSFORMER

    def load(blocks):
        model = comfy.sd.load_diffusion_model_state_dict(comfy.utils.load_torch_file(str(TRANSFORMER)))
        for layer in model.model.diffusion_model.modules():
            if isinstance(layer, torch.nn.Linear):
                quantize(layer, blocks)
        return model

    return load


def test_shapes_are_those_that_a_quantized_layer_computes_with(read, gguf):
    model = gguf(34)
    name = f"{VALUE.format(0)}.weight"
    assert model.model.state_dict()[name].shape != (DIM, DIM)
    found = read(FORMS["lora"] | MISSHAPEN["lora"], model)
    assert (numbers(found.note), "shape" in found.note) == ([1, 2, 1], True)
    assert list(found.patches) == [name]


@pytest.fixture
def scaled(comfy):
    """A model in 8-bit floats with a scale for each layer."""
    import comfy.utils
    from wan_motion_chunks.tiny import TRANSFORMER

    weights = comfy.utils.load_torch_file(str(TRANSFORMER))
    for name in [name for name, weight in weights.items() if weight.ndim == 2 and name.startswith("blocks.")]:
        weights[name] = weights[name].to(torch.float8_e4m3fn)
        weights[f"{name.removesuffix('weight')}scale_weight"] = torch.tensor(1.0)
    weights["scaled_fp8"] = torch.zeros(2, dtype=torch.float8_e4m3fn)
    return comfy.sd.load_diffusion_model_state_dict(weights)


def test_experts_are_one_kind_however_they_are_stored(tiny, gguf, scaled):
    from wan_motion_chunks.wan.host.checks import check_experts

    models = (tiny[0], gguf(34), gguf(18), scaled)
    assert len({str({key: weight.shape for key, weight in model.model.state_dict().items()}) for model in models}) == 4
    for first in models:
        for second in models:
            check_experts(first, second)


def test_eight_bits_take_a_lora_and_read_no_features_where_they_are_zeros(read, scaled):
    from wan_motion_chunks.wan.host.checks import reads_features

    assert numbers(read(FORMS["lora"], scaled).note) == [1, 1]
    assert not reads_features(scaled)


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"", "empty.safetensors"),
        (b"no such thing" * 9, "words.safetensors"),
        (None, "short.safetensors"),
        (b"no pickle", "words.pt"),
        (b"", "empty.pt"),
    ],
)
def test_a_broken_file_names_itself(tiny, folder, content, name):
    import comfy.utils

    if content is None:
        comfy.utils.save_torch_file(FORMS["lora"], str(folder / name))
        content = (folder / name).read_bytes()[:-99]
    (folder / name).write_bytes(content)
    with pytest.raises(ValueError, match=f"^lora_stack: .*'{re.escape(name)}' .*Error") as error:
        files(tiny, Lora(name, 1.0, 1.0))
    assert str(folder) not in str(error.value)


def test_a_file_that_lacks_its_half_or_is_not_finite_names_itself(read):
    with pytest.raises(ValueError, match=r"^lora_stack: .*'a lora\.safetensors' cannot"):
        read({f"{VALUE.format(0)}.lora_up.weight": normal(DIM, 4)})
    broken = {key: value * float("nan") for key, value in FORMS["lora"].items()}
    with pytest.raises(ValueError, match=r"^lora_stack: .*'a lora\.safetensors' .*NaN"):
        read(broken)


def test_a_missing_file_is_an_error_unless_its_strengths_are_0(tiny):
    for strengths in ((1.0, 1.0), (0.0, 1.0), (-1.0, 0.0)):
        with pytest.raises(ValueError, match=r"^lora_stack: .*'gone\.safetensors' .*models/loras"):
            files(tiny, Lora("gone.safetensors", *strengths))
    found = files(tiny, Lora("gone.safetensors", 0.0, 0.0))
    assert found.notes == []
    assert found.on_model(tiny[0], (Lora("gone.safetensors", 0.0, 0.0),)) is tiny[0]


@pytest.mark.parametrize("strengths", [(float("nan"), 1.0), (1.0, float("inf"))])
def test_a_strength_that_is_not_finite_is_refused(tiny, strengths):
    with pytest.raises(ValueError, match=rf"^lora_stack: .*'a\.safetensors' .*got {strengths[0]} and {strengths[1]}"):
        files(tiny, Lora("a.safetensors", *strengths))
