"""The host's own nodes, called with the tiny models: what each can be given, and each change of one input."""

import asyncio
import types
from concurrent.futures import ThreadPoolExecutor

import torch
from wan_motion_chunks.tiny import TRANSFORMER, VAE
from wan_motion_chunks.tiny.text import WIDTH as WORDS

KINDS = ("MODEL", "CONDITIONING", "CLIP", "SAMPLER", "GUIDER", "SIGMAS", "VAE")
"""Types of outputs that a chunk may be made from."""
WIDTH, HEIGHT, FRAMES = 48, 32, 5
SMALL = {"width": 64, "height": 64, "length": 5, "video_frames": 5, "batch_size": 1}


def core_nodes():
    """The classes of the host's own nodes that give out one of :data:`KINDS`, by name."""
    import nodes

    with ThreadPoolExecutor(1) as thread:  # a browser test's event loop may run in this one
        thread.submit(asyncio.run, nodes.init_builtin_extra_nodes()).result()
    found = {
        name: each
        for name, each in sorted(nodes.NODE_CLASS_MAPPINGS.items())
        if not name.startswith("WanMotion") and set(map(str, each.RETURN_TYPES)) & {*KINDS, *map("IO.{}".format, KINDS)}
    }
    return found


def declared_inputs(node):
    """Type and options of each input of a node by name; a choice has its options as type."""
    found = {}
    for group in ("required", "optional"):
        for name, (kind, *options) in node.INPUT_TYPES().get(group, {}).items():
            options = options[0] if options else {}
            if str(kind) == "COMBO":
                kind = options.get("options", [])
            found[name] = (kind if isinstance(kind, list) else str(kind).rpartition(".")[2], options)
    return found


def run(node, arguments):
    """What a node gives out of :data:`KINDS`, and the rest."""
    if hasattr(node, "define_schema"):
        made = node.EXECUTE_NORMALIZED(**arguments)
        made = made.result if hasattr(made, "result") else made
    else:
        made = getattr(node(), node.FUNCTION)(**arguments)
    made = made.get("result") if isinstance(made, dict) else made
    names = [str(kind).rpartition(".")[2] for kind in node.RETURN_TYPES]
    wanted = [value for name, value in zip(names, made, strict=False) if name in KINDS]
    return wanted, [value for name, value in zip(names, made, strict=False) if name not in KINDS]


def arguments(name, node, known):
    """What a node of that name is called with, and the declared type and options of each input that has a widget."""
    given, widgets = {}, {}
    declared = declared_inputs(node)
    layers = [key for key, (kind, _) in declared.items() if kind == "FLOAT"]
    for key, (kind, options) in declared.items():
        if isinstance(kind, list) or kind in ("INT", "FLOAT", "STRING", "BOOLEAN"):
            widgets[key] = kind, options
            given[key] = SMALL.get(key, default(kind, options))
        elif kind == "MODEL" and name.startswith("ModelMerge"):
            given[key] = stand_in(layers or ["a."], 0.5 * (key == "model2"))
        elif kind == "MODEL" and name.startswith(("FreeU", "UNet")):
            given[key] = stand_in(ATTENTION)
        elif key == "clip2":
            given[key] = wide_clip(2.0)
        elif kind in known:
            given[key] = known[kind]
    return given | OWN.get(name, {}), widgets


def default(kind, options):
    """The value that an input's widget begins with."""
    if isinstance(kind, list):
        return options.get("default", kind[0] if kind else None)
    return options.get("default", {"INT": 1, "FLOAT": 1.0, "BOOLEAN": False, "STRING": ""}[kind])


def changes(kind, options, value):
    """Other values of an input, of which each tuple has one that should be seen: a step, and for those that are rounded
    away a long way."""
    if isinstance(kind, list):
        return [(other,) for other in kind if other != value]
    if kind == "BOOLEAN":
        return [(not value,)]
    if kind == "STRING":
        return [(f"{value} 3",)]
    step, most, least = options.get("step") or 0.01, options.get("max", 1e6), options.get("min", 0)
    step = max(int(step), 1) if kind == "INT" else step
    near = value + step if value + step <= most else value - step
    far = (value + most) / 2 if most - value > value - least else (value + least) / 2
    far = min(max(far, value - 100), value + 100)
    return [(near, int(far) // 32 * 32 if kind == "INT" else far)]


class WideTokenizer:
    """Prompts to the tiny model's vectors, under every name that a node of the host's asks for."""

    NAMES = ("tiny", "l", "g", "h", "t5xxl", "clip_l", "bert", "mt5xl", "llama", "hydit_clip", "qwen25_7b")

    def __init__(self, embedding_directory=None, tokenizer_data=None):
        pass

    def tokenize_with_weights(self, text, return_word_ids=False, **options):
        from wan_motion_chunks.tiny.text import embed_text

        return {name: [embed_text(" ".join(map(str, (text, *options.values()))))[None]] for name in self.NAMES}


def wide_clip(gain=1.0):
    """The tiny text encoder, reading tokens under every name and giving out a pooled vector."""
    import comfy.sd
    from wan_motion_chunks.tiny.models import TinyTextModel

    class Model(TinyTextModel):
        def __init__(self, device="cpu", dtype=None, model_options=None):
            super().__init__(device, dtype, model_options)
            torch.manual_seed(0)
            parts = {name: torch.nn.Linear(2, 2) for name in ("q_proj", "k_proj", "v_proj", "out_proj")}
            self.self_attn = torch.nn.ModuleDict(parts)
            torch.nn.init.constant_(self.gain.weight, gain)

        def encode_token_weights(self, tokens):
            found = torch.cat([part.mean(dim=1, keepdim=True) for parts in tokens.values() for part in parts], dim=1)
            return found * self.gain.weight, found.mean(dim=1)

    return comfy.sd.CLIP(types.SimpleNamespace(params={}, clip=Model, tokenizer=WideTokenizer))


def stand_in(names, changed=0.0):
    """A MODEL of another family: the parts of its configuration that nodes ask for, and a weight under each name."""
    import comfy.latent_formats
    import comfy.model_patcher
    import comfy.model_sampling

    model, torch_device = torch.nn.Module(), torch.device("cpu")
    model.diffusion_model = torch.nn.Module()
    for name in names:
        *path, last = f"{name}weight".split(".")
        owner = model.diffusion_model
        for part in path:
            if not hasattr(owner, part):
                owner.add_module(part, torch.nn.Module())
            owner = getattr(owner, part)
        owner.register_parameter(last, torch.nn.Parameter(torch.full((2,), 1.0 + changed), requires_grad=False))
    config = {"model_channels": 16, "context_dim": 8, "num_heads": 2, "transformer_depth": [1], "channel_mult": [1]}
    model.model_config = types.SimpleNamespace(unet_config=config, sampling_settings={})
    model.model_sampling = comfy.model_sampling.ModelSamplingDiscrete(model.model_config)
    model.latent_format = comfy.latent_formats.SD15()
    return comfy.model_patcher.ModelPatcher(model, torch_device, torch_device)


def lora(model):
    """A LoRA file's tensors for one layer of the tiny model, and for its text encoder."""
    key = next(name for name in model.model_state_dict() if name.endswith("blocks.0.self_attn.q.weight"))
    rows, columns = model.model_state_dict()[key].shape
    name = key.removesuffix(".weight")
    torch.manual_seed(2)
    found = {f"{name}.lora_up.weight": torch.rand(rows, 2), f"{name}.lora_down.weight": torch.rand(2, columns)}
    return found | {"text_encoders.gain.diff": torch.rand(WORDS)}


def fill_folders(folder, model, list_folder):
    """Model files of two kinds each, each kind in a folder that `list_folder` makes one of the host's."""
    from safetensors.torch import load_file, save_file

    for kind, tensors in (
        ("diffusion_models", load_file(TRANSFORMER)),
        ("vae", load_file(VAE)),
        ("loras", lora(model)),
    ):
        (folder / kind).mkdir()
        save_file(tensors, folder / kind / "a.safetensors")
        save_file({name: tensor * 1.01 for name, tensor in tensors.items()}, folder / kind / "b.safetensors")
        list_folder(kind, folder / kind)


class PooledVae:
    """A VAE that averages squares of pixels, for nodes of other families: of any stride and number of channels."""

    def __init__(self, stride, channels):
        self.stride, self.latent_channels, self.downscale_index_formula = stride, channels, (8, stride, stride)

    def encode(self, pixels):
        small = torch.nn.functional.avg_pool2d(pixels[..., :3].movedim(-1, 1), self.stride)
        return small.mean(dim=1).expand(1, self.latent_channels, *small[:, 0].shape)[:, :, ::4].clone()

    def spacial_compression_encode(self):
        return self.stride


class Vision:
    """A CLIP_VISION that gives out what it sees, made small."""

    def encode_image(self, image, crop=True):
        return vision_output(float(image.mean()))


def vision_output(value=0.5):
    import comfy.clip_vision

    made = comfy.clip_vision.Output()
    made.image_embeds, made.last_hidden_state = torch.full((1, 8), value), torch.full((1, 4, 8), value)
    made.penultimate_hidden_states = torch.full((1, 4, 8), value)
    made.image_sizes, made.mm_projected = [(3, 32, 32)], None
    return made


class Style:
    def get_cond(self, output):
        return torch.ones(1, 1, WORDS) * output.image_embeds.mean()


def values(tiny):
    """A value of each type that nodes of the host's link."""
    import comfy.controlnet
    import comfy.samplers

    import nodes

    model = tiny[0]
    clip, mapping = wide_clip(), nodes.NODE_CLASS_MAPPINGS
    random = torch.Generator().manual_seed(0)
    image = torch.rand(FRAMES, HEIGHT, WIDTH, 3, generator=random)
    conditioning = clip.encode_from_tokens_scheduled(clip.tokenize("a red ball"))
    hooks = mapping["CreateHookLora"]().create_hook("a.safetensors", 0.5, 0.5)[0]
    control = comfy.controlnet.ControlNet(
        torch.nn.Linear(2, 2), load_device=torch.device("cpu"), manual_cast_dtype=torch.float32
    )
    operation = mapping["LatentOperationTonemapReinhard"].execute(multiplier=0.7).args[0]
    latent = torch.rand(1, 16, 2, 4, 6, generator=random)
    return {
        "MODEL": model,
        "CLIP": clip,
        "VAE": PooledVae(8, 16),
        "CONDITIONING": conditioning,
        "IMAGE": image,
        "MASK": image[..., 0],
        "LATENT": {"samples": latent},
        "SIGMAS": torch.linspace(1, 0, 6),
        "HOOKS": hooks,
        "TIMESTEPS_RANGE": (0.1, 0.9),
        "CONTROL_NET": control,
        "LATENT_OPERATION": operation,
        "CLIP_VISION": Vision(),
        "CLIP_VISION_OUTPUT": vision_output(),
        "STYLE_MODEL": Style(),
        "GLIGEN": torch.nn.Linear(2, 2),
        "LORA_MODEL": lora(model),
        "WAN_CAMERA_EMBEDDING": torch.rand(1, 6, FRAMES, HEIGHT, WIDTH, generator=random),
        "AUDIO_ENCODER_OUTPUT": {
            "encoded_audio": torch.rand(1, 12, 1024, generator=random),
            "encoded_audio_all_layers": [torch.rand(1, 12, 1024, generator=random) for _ in range(33)],
            "audio_samples": 16000,
        },
        "SAMPLER": comfy.samplers.sampler_object("euler"),
    }


ATTENTION = [
    f"input_blocks.{block}.{part}.{attention}.to_{weight}."
    for block, part in enumerate(("transformer_blocks", "time_stack"))
    for attention in ("attn1", "attn2")
    for weight in ("q", "k", "v", "out.0")
]
"""Layers of the old U-Nets."""
ONE = torch.rand(1, HEIGHT, WIDTH, 3, generator=torch.Generator().manual_seed(3))
OWN = {
    "ChromaRadianceOptions": {"nerf_tile_size": 64},
    "ExtendIntermediateSigmas": {"start_at_sigma": 0.9, "end_at_sigma": 0.1},
    "HunyuanVideo15ImageToVideo": {"vae": PooledVae(16, 32)},
    "HunyuanVideo15SuperResolution": {"vae": PooledVae(16, 16)},
    "LTXVAddGuide": {"vae": PooledVae(32, 16), "latent": {"samples": torch.zeros(1, 16, 4, 2, 2)}},
    "LTXVImgToVideo": {"vae": PooledVae(32, 128), "image": ONE},
    "SamplerER_SDE": {"solver_type": "Reverse-time SDE"},
    "StyleModelApply": {"strength": 0.5},
    "Wan22FunControlToVideo": {"vae": PooledVae(16, 48)},
    "WanAnimateToVideo": {"continue_motion_max_frames": 1},
    "TextEncodeQwenImageEdit": {"image": ONE},
    "TextEncodeQwenImageEditPlus": {"image1": ONE, "image2": None, "image3": None},
    "StableZero123_Conditioning_Batched": {"batch_size": 2},
    "SVD_img2vid_Conditioning": {"vae": PooledVae(8, 4)},
    "SV3D_Conditioning": {"vae": PooledVae(8, 4)},
}
"""What some nodes need besides: values at which an input has an effect, a VAE of their family."""
