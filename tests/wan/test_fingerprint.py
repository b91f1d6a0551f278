import types
from enum import Enum
from fractions import Fraction
from functools import partial
from pathlib import PurePosixPath

import numpy
import pytest
import torch
from wan_motion_chunks.tools.workflow import ROOT
from wan_motion_chunks.wan import Keyframe
from wan_motion_chunks.wan.runs.digest import digest, identify_model
from wan_motion_chunks.wan.runs.fingerprint import VERSION


def rescale(multiplier):
    """A patch as the host's nodes make them: a function that closes over a number."""

    def function(arguments):
        return arguments * multiplier

    return function


class Rope:
    def __init__(self, component):
        self.component = component

    def method(self):
        return self.component


def model(**changed):
    """The parts of a MODEL that tell what it makes."""
    torch.manual_seed(0)
    parts = {"model": torch.nn.Linear(40, 3), "backup": {}, "patches": {}, "object_patches": {}, "model_options": {}}
    return types.SimpleNamespace(**(parts | {"wrappers": {}, "callbacks": {}} | changed))


@pytest.mark.parametrize(
    "changed",
    [
        {"patches": {"weight": [(0.5, ("diff", (torch.ones(3),)), 1.0, None, None)]}},
        {"model_options": {"sampler_cfg_function": rescale(0.7)}},
        {"model_options": {"sampler_cfg_function": rescale(0.1)}},
        {"model_options": {"transformer_options": {"patches": [Rope(4).method]}}},
        {"model_options": {"transformer_options": {"patches": [Rope(6).method]}}},
        {"object_patches": {"rope": Rope(4)}},
        {"object_patches": {"rope": Rope(6)}},
        {"wrappers": {"sampler": {"cache": [rescale(0.2)]}}},
        {"wrappers": {"sampler": {"cache": [rescale(0.3)]}}},
    ],
)
def test_what_changes_a_model_changes_its_digest_and_the_same_does_not(changed):
    seen = identify_model(model(**changed))
    assert seen != identify_model(model())
    assert seen == identify_model(model(**changed))
    others = [{"object_patches": {"rope": Rope(5)}}, {"model_options": {"sampler_cfg_function": rescale(0.5)}}]
    assert all(seen != identify_model(model(**other)) for other in others)


def test_weights_under_a_patch_are_known_by_what_they_were():
    patched = model()
    original = patched.model.weight.detach().clone()
    expected = identify_model(patched)
    with torch.no_grad():
        patched.model.weight += 1
    assert identify_model(patched) != expected
    patched.backup = {"weight": types.SimpleNamespace(weight=original)}
    assert identify_model(patched) == expected


def test_a_digest_knows_order_dtype_and_shape():
    values = torch.arange(6.0)
    different = [values, values.half(), values.view(2, 3), values.flip(0), [values], {"a": values}, None, "", 0, 0.5]
    assert len({digest(value) for value in different}) == len(different)


def test_no_two_values_have_one_digest():
    different = [
        [[1], 2],
        [[1, 2]],
        [1, [2]],
        [1, 2],
        [12],
        [[], []],
        [[[]]],
        [],
        {},
        {"a": {"b": 1}},
        {"a": {}, "b": 1},
        {"a:": 1},
        {"a": ":1"},
        {1: "a"},
        {"1": "a"},
        "1",
        1,
        1.0,
        True,
        b"1",
        bytearray(2),
        1 + 0j,
        range(3),
        range(4),
        Fraction(1, 3),
        Fraction(1, 2),
        PurePosixPath("a"),
        PurePosixPath("b"),
        torch.float16,
        torch.bfloat16,
        numpy.float32(0.25),
        numpy.float32(0.5),
        numpy.float64(0.5).astype("float16"),
        numpy.arange(3),
        numpy.arange(3).astype("int32"),
        numpy.arange(4),
        Rope(1),
        Rope(2),
        Rope("1"),
        Other(1),
        Keyframe("a", "b"),
        Keyframe("b", "a"),
        {"a"},
        {"a", "b"},
        {"a", 1},
        "\udcff",
        {"\udcff": 1},
        float("nan"),
    ]
    assert len({digest(value) for value in different}) == len(different)
    assert [digest(value) for value in different] == [digest(value) for value in different]


class Other:
    def __init__(self, component):
        self.other = component


def test_what_a_partial_function_holds_is_seen():
    seen = {
        identify_model(model(model_options={"sampler_cfg_function": partial(max, share)})) for share in (0.1, 0.2, 0.1)
    }
    assert len(seen) == 2


class Kind(Enum):
    FIRST = 1
    SECOND = 2


def test_functions_methods_and_classes_are_told_apart_by_what_they_hold():
    different = [Kind.FIRST, Kind.SECOND, Kind, Rope, Other, rescale, rescale(1), rescale(2), partial(max, 1), max, min]
    different += [Rope(1).method, Rope([1]), Rope([2]), Rope([Rope(1)]), Rope([Rope(2)]), Rope(rescale(1))]
    different += [torch.nn.Linear(2, 2), torch.nn.Linear(2, 2), torch.nn.Identity()]
    assert len({digest(value, reach=3) for value in different}) == len(different)


def test_objects_are_looked_into_as_far_as_asked():
    near, far = Rope([Rope([Rope(1)])]), Rope([Rope([Rope(2)])])
    assert digest(near, reach=2) == digest(far, reach=2)
    assert digest(near, reach=3) != digest(far, reach=3)


def test_what_holds_itself_has_a_digest():
    def cycle(*held):
        found = [*held, {}]
        found[-1]["back"] = found
        return found

    def call():
        return call

    ring = Rope(0)
    ring.component = [1, ring]
    assert digest(cycle(1)) == digest(cycle(1)) != digest(cycle(2))
    assert len({digest(value, reach=9) for value in (cycle(), ring, call, [ring], [[]])}) == 5


def test_the_order_in_which_a_mapping_or_a_set_was_filled_is_none():
    names = [f"name {index}" for index in range(50)]
    assert digest(dict.fromkeys(names, 1)) == digest(dict.fromkeys(reversed(names), 1))
    assert digest({*names}) == digest({*names[25:], *names[:25]})


def test_the_version_is_the_packs():
    assert f'version = "{VERSION}"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")


def test_private_attributes_count_but_on_a_model():
    class Held:
        def __init__(self, strength):
            self._strength = strength

    assert digest(Held(1.0)) == digest(Held(1.0)) != digest(Held(2.0))
    assert digest(Held(1.0), private=False) == digest(Held(2.0), private=False)
