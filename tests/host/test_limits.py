"""Linked inputs do not keep to the limits of widgets: what is beyond them is refused by name, before anything runs."""

import math

import pytest
import torch


@pytest.fixture(scope="module")
def nodes(tiny):
    """Nodes that start something, with values that they take."""
    import wan_motion_chunks.nodes as ours

    image = torch.rand(1, 64, 64, 3)
    plan = {"start_image": image, "width": 64, "height": 64, "length": 33.0, "length_unit": "frames", "fps": 16.0}
    plan |= {"chunk_frames": 17, "settings": ours.Settings.execute(**SETTINGS).args[0]}
    moment = {"positive": "a", "negative": "", "start": 0.0, "unit": "seconds", "transition": 0.0, "chunk_frames": 0}
    return {
        "PlanVideo": (ours.PlanVideo, plan),
        "PromptStack": (ours.PromptStack, moment),
        "LoraStack": (ours.LoraStack, {"lora_name": "a", "strength_model": 1.0, "strength_clip": 1.0}),
        "Settings": (ours.Settings, SETTINGS),
        "SlowRope": (ours.SlowRope, {"model": tiny[0], "chunk_frames": 121, "component": 0}),
    }


SETTINGS = dict.fromkeys(("motion_weight", "mask_sigma", "blend_strength"), -1.0) | {"step_gain": 1.0}
SETTINGS |= {"preset": "Standard", "overlap_frames": 8, "continuity": "auto", "color_match": "affine"}
SETTINGS |= {"color_anchor": 0.0, "seam_retries": 0, "lora_at_rest": 1.0, "lora_in_motion": 1.0}


@pytest.mark.parametrize("name", ["PlanVideo", "PromptStack", "LoraStack", "Settings", "SlowRope"])
def test_what_is_beyond_a_widget_is_refused_by_its_name(nodes, name):
    node, values = nodes[name]
    node.execute(**values)
    numbers = [item for item in node.define_schema().inputs if getattr(item, "max", None) is not None]
    assert numbers
    for item in numbers:
        for value in (2 * item.max + 1, item.min - 1000, math.nan, math.inf, -math.inf, 10**400):
            with pytest.raises(ValueError, match=rf"^(component: )?{item.id}( must be|:) .*got"):
                node.execute(**values | {item.id: value})


@pytest.mark.parametrize("length", [8000.0, 100_000.0])
def test_a_video_of_too_many_chunks_is_refused_by_the_length_that_was_given(nodes, length):
    node, values = nodes["PlanVideo"]
    with pytest.raises(ValueError, match=rf"^length: {1000 * length:.0f} .* 100000"):
        node.execute(**values | {"length": length, "length_unit": "seconds", "fps": 1000.0})


def test_an_end_picture_that_cannot_fit_is_refused_when_planned(nodes):
    node, values = nodes["PlanVideo"]
    end = torch.rand(1, 64, 64, 3)
    with pytest.raises(ValueError, match=r"^end_image: .* 17 .*chunk 1 16 .* 0 "):
        node.execute(**values | {"end_image": end, "start_image": torch.rand(16, 64, 64, 3), "length": 17.0})
    state = node.execute(**values | {"end_image": end, "start_image": torch.rand(15, 64, 64, 3), "length": 17.0}).args[
        0
    ]
    assert state.plan.start_frames == 15
