"""Every input of every node takes what the host may bring to it, or refuses it by name.

The nodes and their inputs are read from the schemas: a new node is in these tests, or they fail.
"""

import asyncio
import inspect
import math

import pytest
import torch

WIDTH, HEIGHT = 48, 32


@pytest.fixture(scope="module")
def classes(comfy):
    """Node classes of the pack by id."""
    from wan_motion_chunks.nodes import MotionChunksExtension

    found = asyncio.run(MotionChunksExtension().get_node_list())
    return {each.define_schema().node_id.removeprefix("WanMotion"): each for each in found}


@pytest.fixture(scope="module")
def frames():
    """``(5, 32, 48, 3)``: values that half precision holds exactly."""
    return torch.randint(0, 129, (5, HEIGHT, WIDTH, 3), generator=torch.Generator().manual_seed(0)) / 128


@pytest.fixture
def arguments(tiny, frames, conditioning, monkeypatch):
    """What each node is called with, by id; nodes that sample give out the state that they would begin with."""
    import comfy.samplers
    from wan_motion_chunks.nodes import EstimateFlow, PredictMotion, custom, video
    from wan_motion_chunks.nodes._compat import io
    from wan_motion_chunks.nodes.told import read_features

    def begin(state, vae, make_sampler, *, model, feature_continuity=0.0, **more):
        make_sampler(read_features(state, model, None, None, feature_continuity))
        return io.NodeOutput(state)

    for module in (custom, video):
        monkeypatch.setattr(module, "make_video", begin)
    model, clip, vae = tiny
    flow, occlusion, _ = EstimateFlow.execute(frames, "auto").args
    motion = PredictMotion.execute(frames, 8, 0.5).args[2]
    size = {"start_image": frames[:1], "width": WIDTH, "height": HEIGHT, "length": 17.0, "length_unit": "frames"}
    plan = size | {"fps": 16.0, "chunk_frames": 17, "end_image": frames[:1], "motion_region": frames[:1, ..., 0]}
    seeds = {"seed": 0, "noise": "per_chunk", "seed_list": ""}
    sampling = {"steps": 1, "cfg": 1.0, "sampler_name": "euler", "scheduler": "simple", "switch_step": 0}
    texts = {"prompt": "", "negative_prompt": "", "boundary": 0.9, "clip": clip, "feature_continuity": 0.0}
    moment = {"start": 0.0, "unit": "chunks", "transition": 0.0, "chunk_frames": 0}
    moment |= {"start_image": frames[:1], "end_image": frames[:1]}
    knobs = dict.fromkeys(("motion_weight", "mask_sigma", "step_gain", "blend_strength"), -1.0)
    knobs |= {"preset": "Standard", "overlap_frames": 0, "continuity": "auto", "color_match": "affine"}
    knobs |= {"color_anchor": 0.0, "seam_retries": 0, "lora_at_rest": 1.0, "lora_in_motion": 1.0}
    guider = comfy.samplers.CFGGuider(model)
    schedule = {"sampler": comfy.samplers.sampler_object("euler"), "sigmas": torch.tensor([1.0, 0.0])}
    return {
        "LongVideo": {"model": model, "vae": vae} | plan | seeds | sampling | texts,
        "LongVideoCustom": {"guider": guider, "vae": vae, "feature_continuity": 0.0} | schedule | plan | seeds,
        "PlanVideo": plan,
        "PromptStack": {"positive": "", "negative": ""} | moment,
        "ConditioningStack": {"positive": conditioning, "negative": conditioning} | moment,
        "LoraStack": {"lora_name": "a", "strength_model": 1.0, "strength_clip": 1.0},
        "KeepRun": {"run_name": "a", "frames_in_memory": True, "vary_from": 0, "variation": 1, "start_anew": False},
        "LoadRun": {"run_name": "none such", "fps": 16.0},
        "Settings": knobs,
        "JoinClips": {"first": frames, "second": frames.flip(2), "overlap_frames": 3, "blend_strength": 0.5}
        | {"mask_sigma": 0.35, "color_match": "mkl", "cut": False},
        "MatchColor": {"images": frames, "reference": frames.flip(0) / 2, "method": "mkl", "strength": 1.0},
        "MeasureSeams": {"images": frames, "seams": "2"},
        "GaussianBlendMask": {"frames": 3, "width": WIDTH, "height": HEIGHT, "mask_sigma": 0.35}
        | {"region": frames[:1, ..., 0]},
        "EstimateFlow": {"images": frames, "estimator": "auto"},
        "FlowToImage": {"flow": flow, "style": "arrows", "largest": 0.0, "images": frames, "occlusion": occlusion},
        "PredictMotion": {"images": frames, "frames": 4, "step_gain": 0.5},
        "WarpLatent": {"latent": {"samples": torch.rand(1, 16, 3, 4, 6)}, "motion": motion, "latents": 1},
        "SlowRope": {"model": model, "chunk_frames": 401, "component": 6},
        "TinyScene": {"seed": 0, "frames": 1},
    }


@pytest.fixture(scope="module")
def conditioning(tiny):
    clip = tiny[1]
    return clip.encode_from_tokens_scheduled(clip.tokenize("a red ball"))


def kind_of(declared):
    """The type of an input as its widget has it."""
    return (getattr(declared, "input_override", None) or declared).io_type


def inputs(classes, *kinds):
    """Node id and input of each input of some kinds."""
    return [
        (name, declared)
        for name, each in sorted(classes.items())
        for declared in each.define_schema().inputs
        if kind_of(declared) in kinds
    ]


def flat(value):
    """The tensors of what a node gives out, in their order."""
    if isinstance(value, torch.Tensor):
        return [value]
    if isinstance(value, dict):
        return [tensor for each in value.values() for tensor in flat(each)]
    if isinstance(value, (list, tuple)):
        return [tensor for each in value for tensor in flat(each)]
    return flat(vars(value)) if hasattr(value, "__dict__") and not inspect.isclass(value) else []


def gray(image):
    return image[..., :1]


def with_alpha(image):
    return torch.cat((image, torch.ones_like(image[..., :1])), dim=-1)


PICTURES = {
    "float64": lambda image: image.double(),
    "float16": lambda image: image.half(),
    "bfloat16": lambda image: image.bfloat16(),
    "gray": gray,
    "gray and alpha": lambda image: with_alpha(gray(image)),
    "alpha": with_alpha,
    "not contiguous": lambda image: image.transpose(1, 2).contiguous().transpose(1, 2),
}


@pytest.mark.parametrize("kind", PICTURES)
def test_a_picture_of_any_type_and_channels_is_as_good_as_rgb(classes, arguments, kind):
    for name, declared in inputs(classes, "IMAGE"):
        given = arguments[name]
        changed = PICTURES[kind](given[declared.id])
        plain = gray(given[declared.id]).expand_as(given[declared.id]) if "gray" in kind else given[declared.id]
        made = flat(classes[name].execute(**given | {declared.id: changed}).args)
        expected = flat(classes[name].execute(**given | {declared.id: plain}).args)
        if made[0].shape != expected[0].shape:  # alpha is kept where a clip is given back
            assert name in ("JoinClips", "MatchColor"), (name, declared.id)
            assert (made[0][..., 3] == 1).all(), (name, declared.id)
            made[0] = made[0][..., :3]
        assert [each.dtype for each in made] == [each.dtype for each in expected], (name, declared.id)
        assert all(map(torch.equal, made, expected)), (name, declared.id)


BAD_PICTURES = {
    "NaN": (lambda image: image.index_fill(1, torch.tensor([3]), math.nan), "holds NaN or infinite pixels"),
    "infinite": (lambda image: image.index_fill(1, torch.tensor([3]), math.inf), "holds NaN or infinite pixels"),
    "none": (lambda image: image[:0], "expected at least one picture"),
    "no height": (lambda image: image[:, :0], "expected at least one picture"),
    "bytes": (lambda image: (255 * image).byte(), "expected pictures (T, H, W, C) of floats"),
    "of bytes": (lambda image: 255 * image, "expected values in [0, 1]"),
    "of [-1, 1]": (lambda image: 2 * image - 1, "expected values in [0, 1]"),
    "five channels": (lambda image: image[..., [0, 1, 2, 0, 1]], "expected 1 to 4 channels"),
    "no channel": (lambda image: image[..., :0], "expected 1 to 4 channels"),
    "no batch": (lambda image: image[0], "expected pictures (T, H, W, C)"),
    "a latent": (lambda image: {"samples": image}, "expected pictures (T, H, W, C)"),
}


@pytest.mark.parametrize("kind", BAD_PICTURES)
def test_what_is_no_picture_is_refused_by_name(classes, arguments, kind):
    change, message = BAD_PICTURES[kind]
    for name, declared in inputs(classes, "IMAGE"):
        given = arguments[name]
        with pytest.raises(ValueError) as error:  # noqa: PT011  the message is matched
            classes[name].execute(**given | {declared.id: change(given[declared.id])})
        assert declared.id in str(error.value), (name, declared.id)
        assert message in str(error.value), (name, declared.id)


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (2, 2), (3, 200), (37, 53)], ids=str)
def test_a_picture_of_any_size_is_taken_or_refused_by_name(classes, arguments, size):
    refused = []
    for name, declared in inputs(classes, "IMAGE"):
        pictures = [each.id for each in classes[name].define_schema().inputs if kind_of(each) == "IMAGE"]
        changed = {key: torch.rand(len(arguments[name][key]), *size, 3) for key in pictures}
        given = {key: value for key, value in arguments[name].items() if key not in ("motion_region", "occlusion")}
        try:
            classes[name].execute(**given | changed)
        except ValueError as error:
            refused.append((name, declared.id, str(error).split(":")[0]))
    expected = [("FlowToImage", "images", "images")]  # which are to be of the flow's size
    if min(size) < 2:
        expected.append(("PredictMotion", "images", "images"))
    assert refused == expected


MASKS = {
    "float64": lambda mask: mask.double(),
    "float16": lambda mask: mask.half(),
    "one without a batch": lambda mask: mask[0] if len(mask) == 1 else mask,
    "not contiguous": lambda mask: mask.transpose(1, 2).contiguous().transpose(1, 2),
}
BAD_MASKS = {
    "NaN": (lambda mask: torch.full_like(mask, math.nan), "expected values in [0, 1], got nan"),
    "of bytes": (lambda mask: torch.full_like(mask, 255), "expected values in [0, 1], got 255 to 255"),
    "negative": (lambda mask: torch.full_like(mask, -1), "expected values in [0, 1], got -1 to -1"),
    "none": (lambda mask: mask[:0], "expected at least one mask"),
    "no height": (lambda mask: mask[:, :0], "expected at least one mask"),
    "a picture": (lambda mask: mask[..., None].expand(-1, -1, -1, 3), "expected masks (N, H, W)"),
    "another count": (lambda mask: mask[[0] * (len(mask) + 1)], "expected"),
    "another size": (lambda mask: mask[:, :, :3], "expected"),
}


@pytest.mark.parametrize("kind", MASKS)
def test_a_mask_of_any_type_is_as_good_as_float32(classes, arguments, kind):
    for name, declared in inputs(classes, "MASK"):
        given = arguments[name]
        changed = {declared.id: MASKS[kind](given[declared.id])}
        made, expected = (flat(classes[name].execute(**values).args) for values in (given | changed, given))
        assert all(map(torch.equal, made, expected)), (name, declared.id)


@pytest.mark.parametrize("kind", BAD_MASKS)
def test_what_is_no_mask_is_refused_by_name(classes, arguments, kind):
    change, message = BAD_MASKS[kind]
    for name, declared in inputs(classes, "MASK"):
        given = arguments[name]
        with pytest.raises(ValueError) as error:  # noqa: PT011  the message is matched
            classes[name].execute(**given | {declared.id: change(given[declared.id])})
        assert str(error.value).startswith(f"{declared.id}: "), (name, declared.id)
        assert message in str(error.value), (name, declared.id)


def test_numbers_and_texts_of_another_type_are_refused_by_name(classes, arguments):
    """A node of another pack may say that its output fits anything: the host checks no type then."""
    seen = 0
    for kind, wrong in (
        ("INT", (16.5, math.nan, math.inf, True, "16", None, torch.tensor(16))),
        ("FLOAT", (True, "16", None, 10**400, torch.tensor(16.0))),
        ("STRING", (None, 7, ["a"])),
    ):
        for name, declared in inputs(classes, kind):
            for value in wrong:
                with pytest.raises(ValueError) as error:  # noqa: PT011  the message is matched
                    classes[name].execute(**arguments[name] | {declared.id: value})
                assert str(error.value).startswith(f"{declared.id} must be a"), (name, declared.id, value)
                seen += 1
    assert seen > 300


def test_numbers_outside_of_the_widgets_limits_are_refused_by_name(classes, arguments):
    """The host checks those of what is typed in alone."""
    for name, declared in inputs(classes, "FLOAT", "INT"):
        widget = getattr(declared, "input_override", None) or declared
        wrong = [widget.min - 1, 2 * widget.max + 1]
        for value in wrong if kind_of(declared) == "INT" else (*wrong, math.nan, math.inf, -math.inf):
            with pytest.raises(ValueError) as error:  # noqa: PT011  the message is matched
                classes[name].execute(**arguments[name] | {declared.id: value})
            assert declared.id in str(error.value).split(":")[0], (name, declared.id, value)


def test_a_whole_float_is_as_good_as_an_integer_and_the_other_way(classes, arguments):
    for kind, change in (("INT", float), ("FLOAT", int)):
        for name, declared in inputs(classes, kind):
            given = arguments[name]
            value = given[declared.id]
            if change(value) != value or name == "LoadRun":
                continue
            made, expected = (
                classes[name].execute(**values).args for values in (given | {declared.id: change(value)}, given)
            )
            assert all(map(torch.equal, flat(made), flat(expected))), (name, declared.id)


def test_what_is_a_whole_number_as_a_rule_takes_links_of_integers(classes):
    joined = {(name, declared.id): declared.get_io_type() for name, declared in inputs(classes, "FLOAT")}
    for name in ("LongVideo", "LongVideoCustom", "PlanVideo"):
        assert joined[name, "length"] == joined[name, "fps"] == "FLOAT,INT"
    assert joined["LongVideo", "cfg"] == joined["LoadRun", "fps"] == "FLOAT,INT"
    assert joined["PromptStack", "start"] == joined["ConditioningStack", "transition"] == "FLOAT,INT"


def test_prompts_expand_as_the_hosts_own_do(classes):
    from comfy_api.latest import io

    import nodes

    (_, host) = nodes.CLIPTextEncode.INPUT_TYPES()["required"]["text"]
    for name, declared in inputs(classes, "STRING"):
        if isinstance(declared, io.String.Input) and declared.multiline:
            assert declared.as_dict()["dynamicPrompts"] == host["dynamicPrompts"], (name, declared.id)


def test_the_host_joins_an_integer_to_the_length(server):
    """In the graph of a running host, which checks the types of links."""
    plan = {"start_image": ["1", 0], "width": 64, "height": 64, "length": ["2", 0], "length_unit": "frames"}
    plan |= {"fps": ["3", 0], "chunk_frames": 33}
    outputs = server.execute(
        {
            "1": {"class_type": "WanMotionTinyScene", "inputs": {"seed": 0, "frames": 1}},
            "2": {"class_type": "PrimitiveInt", "inputs": {"value": 49}},
            "3": {"class_type": "PrimitiveInt", "inputs": {"value": 8}},
            "4": {"class_type": "WanMotionPlanVideo", "inputs": plan},
            "5": {"class_type": "PreviewAny", "inputs": {"source": ["4", 2]}},
        }
    )
    assert outputs["5"]["text"][0].startswith("49 frames in 2 chunks of 33")
