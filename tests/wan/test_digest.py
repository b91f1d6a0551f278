"""Digests of values: equal for equal ones, and for no others."""

import weakref
from enum import Enum
from fractions import Fraction
from functools import partial
from pathlib import PurePosixPath

import numpy
import torch
from wan_motion_chunks.wan import Keyframe
from wan_motion_chunks.wan.identity import digest


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


def test_a_digest_knows_order_dtype_and_shape():
    values = torch.arange(6.0)
    different = [values, values.half(), values.view(2, 3), values.flip(0), [values], {"a": values}, None, "", 0, 0.5]
    assert len({digest(value) for value in different}) == len(different)


def test_every_pixel_of_a_video_counts_however_long_it_is():
    video = torch.zeros(3, 3, 4096, 4096, dtype=torch.uint8)
    before = digest(video)
    video[1, 1, 1000, 1001] = 1
    assert digest(video) != before


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
        10**5000,
        -(10**5000),
        [10**5000 + 1],
    ]
    assert len({digest(value) for value in different}) == len(different)
    assert [digest(value) for value in different] == [digest(value) for value in different]


class Other:
    def __init__(self, component):
        self.other = component


class Kind(Enum):
    FIRST = 1
    SECOND = 2


def test_an_enum_is_known_by_its_value_too():
    made = [Enum("Kind", {"FIRST": value}).FIRST for value in (1, 1, 2)]
    assert digest(made[0]) == digest(made[1]) != digest(made[2])


def test_functions_methods_and_classes_are_told_apart_by_what_they_hold():
    different = [Kind.FIRST, Kind.SECOND, Kind, Rope, Other, rescale, rescale(1), rescale(2), partial(max, 1), max, min]
    different += [Rope(1).method, Rope([1]), Rope([2]), Rope([Rope(1)]), Rope([Rope(2)]), Rope(rescale(1))]
    different += [torch.nn.Linear(2, 2), torch.nn.Linear(2, 2), torch.nn.Identity()]
    assert len({digest(value) for value in different}) == len(different)


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
    assert len({digest(value) for value in (cycle(), ring, call, [ring], [[]])}) == 5


def test_the_order_in_which_a_mapping_or_a_set_was_filled_is_none():
    names = [f"name {index}" for index in range(50)]
    assert digest(dict.fromkeys(names, 1)) == digest(dict.fromkeys(reversed(names), 1))
    assert digest({*names}) == digest({*names[25:], *names[:25]})


def test_however_far_in_a_value_is_it_is_seen():
    def nested(value, depth):
        return value if depth == 0 else nested(Rope([{"a": value}]), depth - 1)

    assert digest(nested(1, 100)) == digest(nested(1, 100)) != digest(nested(2, 100))


def test_private_attributes_and_slots_count():
    class Held:
        __slots__ = ("__weakref__", "_strength", "empty")

        def __init__(self, strength):
            self._strength = strength

    class Further(Held):
        pass

    different = [Held(1.0), Held(2.0), Further(1.0), Further(2.0)]
    different[3].more = 1
    assert len({digest(value) for value in different}) == 4
    assert digest(Held(1.0)) == digest(Held(1.0))


def test_functions_are_told_apart_by_what_they_do():
    different = [
        lambda x: x.cond,
        lambda x: x.uncond,
        lambda x: x + 1,
        lambda x: x + 2,
        lambda x: x + 1.0,
        lambda x, y=1: x + 1,
        lambda x, y=2: x + 1,
        lambda x, *, y=2: x + 1,
        lambda x: [each + 1 for each in x],
        lambda x: [each + 2 for each in x],
        lambda x: lambda y: y + 1,
        lambda x: lambda y: y + 2,
    ]
    assert len({digest(value) for value in different}) == len(different)
    assert len({digest(made()) for made in [lambda: lambda x: x.cond] * 3}) == 1


SCALE = 1.0


def scaled(x):
    return x * SCALE


def test_a_plain_global_that_a_function_reads_is_seen(monkeypatch):
    before = digest(scaled)
    monkeypatch.setitem(scaled.__globals__, "SCALE", 2.0)
    assert digest(scaled) != before
    monkeypatch.undo()
    assert digest(scaled) == before


def test_a_class_that_a_function_makes_is_known_by_its_bases_and_all_that_is_in_it():
    def make(base, scale):
        class Sampling(base):
            def sigma(self, value):
                return value * scale

        return Sampling

    different = [make(Rope, 1.0), make(Rope, 2.0), make(Other, 1.0)]
    assert len({digest(kind) for kind in different}) == 3
    assert len({digest(kind(1)) for kind in different}) == 3
    assert digest(make(Rope, 1.0)) == digest(make(Rope, 1.0))


def test_a_weak_reference_is_what_it_points_to():
    values = [Rope(1), Rope(2)]
    assert digest(weakref.ref(values[0])) != digest(weakref.ref(values[1])) != digest(values[1])


def test_names_that_are_new_in_every_process_are_none():
    import uuid

    assert digest({"uuid": uuid.uuid4()}) == digest({"uuid": uuid.uuid4()}) != digest({"uuid": "1"})


def test_a_pixel_of_a_large_picture_and_a_number_of_a_small_weight_are_seen():
    picture = torch.zeros(1, 3, 2000, 2000)
    before = digest(picture)
    picture[0, 1, 1234, 777] = 1e-6
    assert digest(picture) != before
    weight = torch.nn.Parameter(torch.zeros(2000, 500), requires_grad=False)
    before = digest(weight)
    weight[1234, 77] = 1e-6
    assert digest(weight) != before


def test_a_tensor_that_is_written_to_in_place_is_read_again():
    with torch.inference_mode():
        tensors = [torch.zeros(1000, 1000)]
    tensors.append(torch.zeros(1000, 1000))
    for tensor in tensors:
        before = digest(tensor)
        with torch.inference_mode():
            tensor += 1
        assert digest(tensor) != before
        tensor.data.mul_(0)
        assert digest(tensor) == before
        with torch.inference_mode():
            tensor[511, 513] = 1  # between what is sampled
        assert digest(tensor) != before
