"""What a model is known by: everything that nodes and packs put on it, however they do."""

import types
from functools import partial

import pytest
import torch
from wan_motion_chunks.tools.workflow import ROOT
from wan_motion_chunks.wan.identity import identify, identify_model, identify_vae, live
from wan_motion_chunks.wan.runs.fingerprint import VERSION


class Block(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.attention = torch.nn.Linear(8, 8)
        self.sampling = torch.nn.Linear(2, 2)

    def forward(self, x):
        return self.attention(x)


def base():
    torch.manual_seed(0)
    return Block()


def model(**changed):
    """The parts of a MODEL that tell what it makes."""
    parts = {"model": base(), "backup": {}, "patches": {}, "object_patches": {}, "model_options": {}}
    return types.SimpleNamespace(**(parts | {"wrappers": {}, "callbacks": {}} | changed))


def option(value):
    return model(model_options={"transformer_options": {"patches": {"attn1": [value]}}})


def rescale(multiplier):
    """A patch as the host's nodes make them: a function that closes over a number."""

    def function(arguments):
        return arguments * multiplier

    return function


def guided(scale, tau):
    """KJNodes' NAG: a function that closes over its numbers, bound to a live attention module."""

    def forward(self, x, context=None):
        return self.attention(x) * scale + tau

    return forward


def bound(scale, tau=2.5):
    made = model()
    made.object_patches["blocks.0.forward"] = types.MethodType(guided(scale, tau), made.model)
    return made


def around(function):
    """A handler around another, as packs chain what was there before."""

    def handler(*arguments):
        return function(*arguments)

    return handler


class Cache:
    """A callable object that packs put among a model's options."""

    def __init__(self, threshold, device="cpu"):
        self._threshold, self.device, self.skipped = threshold, device, []

    def __call__(self, x):
        self.skipped.append(x)
        return x * self._threshold


class Slotted:
    __slots__ = ("threshold",)

    def __init__(self, threshold):
        self.threshold = threshold


def layer(value, bias=0.0):
    made = torch.nn.Linear(3, 3)
    torch.nn.init.constant_(made.weight, value)
    torch.nn.init.constant_(made.bias, bias)
    return torch.nn.Sequential(made, torch.nn.Dropout(0.1))


def dropping(rate):
    made = layer(1.0)
    made[1].p = rate
    return made


WAYS = {
    "a LoRA": lambda v: model(patches={"attention.weight": [(v, ("diff", (torch.ones(8, 8),)), 1.0, None, None)]}),
    "one number of a LoRA": lambda v: model(
        patches={"w": [(1.0, ("diff", (torch.ones(9, 900).index_fill(1, torch.tensor(450), v),)), 1.0, None, None)]}
    ),
    "a closure": lambda v: model(model_options={"sampler_cfg_function": rescale(v)}),
    "a closure that is nested": lambda v: option(around(around(rescale(v)))),
    "a bound method's closure": bound,
    "another cell of it": lambda v: bound(1.0, v),
    "a bound method's object": lambda v: option(Cache(v).__call__),
    "a list that a function captured": lambda v: option(rescale([1, [v]])),
    "a dict that a function captured": lambda v: option(rescale({"a": {"b": v}})),
    "a list in an object in a list": lambda v: option([Cache([Cache([v])])]),
    "a partial's argument": lambda v: option(partial(rescale(1), v)),
    "a partial's keyword": lambda v: option(partial(rescale(1), multiplier=v)),
    "a default": lambda v: option(eval_default(v)),
    "a private attribute": lambda v: model(object_patches={"cache": Cache(v)}),
    "a slot": lambda v: option(Slotted(v)),
    "a wrapper": lambda v: model(wrappers={"sampler": {"cache": [rescale(v)]}}),
    "a callback": lambda v: model(callbacks={"on_load": {"cache": [Cache(v)]}}),
    "an injection": lambda v: model(injections={"bypass": [types.SimpleNamespace(inject=rescale(v), eject=around(1))]}),
    "a hook": lambda v: model(hook_patches={Slotted(0): {"w": [(v, ("diff", (torch.ones(2),)), 1.0, None, None)]}}),
    "an attachment": lambda v: model(attachments={"adapter": Cache(v)}),
    "another model beside it": lambda v: model(additional_models={"control": [option(v)]}),
    "a wrapped weight": lambda v: model(weight_wrapper_patches={"w": [rescale(v)]}),
    "something that only another pack has": lambda v: model(own_patches=[Cache(v)]),
    "a module's weight": lambda v: option(layer(v)),
    "a module's bias": lambda v: option(layer(1.0, v)),
    "an attribute of a module in a module": dropping,
    "a module's hook": lambda v: hooked(rescale(v)),
    "a tensor": lambda v: option(torch.full((2, 2), v)),
}


def eval_default(value):
    def function(x, scale=value):
        return x * scale

    return function


def hooked(function):
    made = layer(1.0)
    made[0].register_forward_hook(function)
    return option(made)


@pytest.mark.parametrize("way", WAYS)
def test_whatever_changes_a_model_changes_its_identity_and_the_same_does_not(way):
    seen = [identify_model(WAYS[way](value)) for value in (0.25, 0.25, 0.75)]
    assert seen[0] == seen[1]
    assert len({each.digest for each in seen} | {identify_model(model()).digest}) == 3
    assert not any(each.unknown or each.token for each in seen)


def test_the_ways_are_told_apart():
    seen = {identify_model(make(0.25)).digest for make in WAYS.values()}
    assert len(seen) == len(WAYS)


def test_weights_under_a_patch_are_known_by_what_they_were():
    patched = model()
    original = patched.model.attention.weight.detach().clone()
    expected = identify_model(patched)
    with torch.no_grad():
        patched.model.attention.weight += 1
    assert identify_model(patched) != expected
    patched.backup = {"attention.weight": types.SimpleNamespace(weight=original)}
    assert identify_model(patched) == expected
    patched.backup, patched.hook_backup = {}, {"attention.weight": (original, torch.device("cpu"))}
    assert identify_model(patched) == expected


def test_what_is_written_onto_live_modules_is_not_seen():
    made = model()
    made.object_patches["attention"] = types.MethodType(guided(2.0, 1.0), made.model.attention)
    before = identify_model(made)
    made.model.attention.cache = Cache(1.0)
    made.model.attention.forward = types.MethodType(guided(3.0, 1.0), made.model.attention)
    made.model.last = torch.ones(3)
    assert identify_model(made) == before


def test_a_module_in_the_place_of_one_is_known_by_what_it_is_while_it_is_there_too():
    seen = []
    for value in (0.25, 0.75):
        made = model(object_patches={"sampling": layer(value)})
        seen.append(identify_model(made))
        made.object_patches_backup = {"sampling": made.model.sampling}
        made.model.sampling = made.object_patches["sampling"]  # as the host does while the model is loaded
        assert identify_model(made) == seen[-1]
    assert seen[0].digest != seen[1].digest


def test_where_a_model_lies_and_what_is_loaded_of_it_is_no_part_of_it():
    made = model()
    before = identify_model(made)
    made.patches_uuid, made.load_device, made.size, made.is_injected = object(), torch.device("meta"), 3, True
    made.cached_hook_patches, made.pinned = {1: torch.ones(2)}, {"a"}
    assert identify_model(made) == before


class Vae:
    """A VAE as the host loads it."""

    def __init__(self, weights, dtype, **changed):
        self.first_stage_model = torch.nn.ParameterDict(weights).to(dtype)
        self.patcher = model(model=self.first_stage_model)
        self.vae_dtype, self.working_dtypes, self.output_device = dtype, [dtype], torch.device("cpu")
        self.memory_used_decode = rescale(dtype.itemsize)
        self.__dict__ |= {"process_input": rescale(2.0)} | changed


def test_a_vae_is_the_same_in_whatever_type_its_file_is_loaded():
    draw = torch.Generator().manual_seed(1)
    numbers = {name: torch.randn(size, generator=draw) for name, size in (("small", 50), ("large", 10_000))}
    numbers["tiny"] = torch.randn(50, generator=draw) * 1e-5
    types_of = {"full": torch.float32, "brain": torch.bfloat16, "half": torch.float16}
    for file in types_of.values():
        stored = {name: value.to(file).float() for name, value in numbers.items()}
        loaded = types_of.values() if file != torch.float32 else (torch.float32, torch.bfloat16)
        seen = [identify_vae(Vae(stored, dtype)) for dtype in loaded]
        assert seen == seen[:1] * len(seen)
        assert not seen[0].unknown
        for dtype in loaded:
            other = {**stored, "large": stored["large"].index_fill(0, torch.tensor(9_999), 0.5)}
            assert identify_vae(Vae(other, dtype)).digest != seen[0].digest
            assert identify_vae(Vae(stored, dtype, process_input=rescale(1.0))).digest != seen[0].digest
            held = Vae(stored, dtype)
            for looked_at in ({"vae": held}, rescale(held), types.SimpleNamespace(vae=held)):
                before = identify(looked_at)
                live.leave()
                assert identify(looked_at) == before
            assert identify({"vae": held}) == identify({"vae": Vae(stored, torch.float32)})


def test_a_model_in_another_type_is_another():
    assert identify_model(model()).digest != identify_model(model(model=base().half())).digest


def test_a_model_in_a_function_is_known_as_one():
    seen = [identify(rescale(model(patches={"a": value}))).digest for value in (1, 1, 2)]
    assert seen[0] == seen[1] != seen[2]
    made = model()
    made.model_options["function"] = rescale(made)  # as a patch that holds the model that it is on
    assert identify_model(made) == identify_model(made)


def test_the_version_is_the_packs():
    assert f'version = "{VERSION}"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")
