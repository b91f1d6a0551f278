"""Every number and text of every node may come over any link, or is refused by name.

The nodes and their inputs are read from the schemas: a new node is in these tests, or they fail.
"""

import math
import re

import pytest
import torch
from wan_motion_chunks.tests.host.schemas import call, flat, inputs, kind_of


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
                    call(classes, arguments, name, **{declared.id: value})
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
                call(classes, arguments, name, **{declared.id: value})
            assert declared.id in str(error.value).split(":")[0], (name, declared.id, value)


def test_a_whole_float_is_as_good_as_an_integer_and_the_other_way(classes, arguments):
    for kind, change in (("INT", float), ("FLOAT", int)):
        for name, declared in inputs(classes, kind):
            given = arguments[name]
            value = given[declared.id]
            if change(value) != value or name == "LoadRun":
                continue
            made, expected = (
                call(classes, arguments, name, **values).args for values in ({declared.id: change(value)}, {})
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
    numbers = re.findall(r"\d+", outputs["5"]["text"][0])
    assert {"49", "2", "33"} <= set(numbers)
