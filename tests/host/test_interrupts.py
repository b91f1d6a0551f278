"""The host's stop button gets through what takes long before the first chunk."""

import time

import pytest
import torch

SOON = 6
"""Seconds, on a machine that is busy with other tests; by itself it takes one."""


@pytest.fixture
def stopped(comfy):
    """The stop button, pressed; the host forgets it when it raises."""
    import comfy.model_management

    comfy.model_management.interrupt_current_processing(True)
    yield comfy.model_management.InterruptProcessingException
    comfy.model_management.interrupt_current_processing(False)


def test_it_stops_between_texts(tiny, stopped):
    from wan_motion_chunks.wan import Keyframe
    from wan_motion_chunks.wan.host.encoding import encode_keyframes

    keyframes = [Keyframe(str(number), "", number) for number in range(3)]
    with pytest.raises(stopped):
        encode_keyframes(keyframes, tiny[1], lambda loras: tiny[1])


def test_it_stops_between_lora_files(tiny, stopped):
    from wan_motion_chunks.wan import Keyframe, Lora
    from wan_motion_chunks.wan.host.lora import LoraFiles

    keyframes = [Keyframe("", "", loras=(Lora("none such.safetensors", 1.0, 1.0),))]
    with pytest.raises(stopped):
        LoraFiles(keyframes, tiny[0], None)


def test_it_stops_between_frames_of_a_flow(stopped):
    from wan_motion_chunks.nodes import EstimateFlow

    with pytest.raises(stopped):
        EstimateFlow.execute(torch.rand(3, 16, 16, 3), "auto")


LONG = {
    "MeasureSeams": ((640, 360, 200), {"images": ["first", 0], "seams": ""}),
    "EstimateFlow": ((640, 360, 200), {"images": ["first", 0], "estimator": "auto"}),
    "JoinClips": (
        (1280, 720, 24),
        {"first": ["first", 0], "second": ["second", 0], "overlap_frames": 20, "blend_strength": 0.8}
        | {"mask_sigma": 0.35, "color_match": "affine", "cut": False},
    ),
}
"""Pictures, and what a node is given of them that keeps it busy for half a minute."""


@pytest.mark.parametrize("name", LONG)
def test_it_stops_a_node_that_looks_at_a_video_within_seconds(server, name):
    from wan_motion_chunks.tools.server import failure

    (width, height, count), inputs = LONG[name]
    picture = {"width": width, "height": height, "batch_size": count}
    prompt = {
        key: {"class_type": "EmptyImage", "inputs": picture | {"color": color}}
        for key, color in (("first", 0x204060), ("second", 0x304060))
    }
    prompt["node"] = {"class_type": f"WanMotion{name}", "inputs": inputs}
    prompt["show"] = {"class_type": "PreviewAny", "inputs": {"source": ["node", 0]}}
    queued = server.queue(prompt)
    time.sleep(5)  # until the node is at it
    pressed = time.monotonic()
    server.post("/interrupt")
    entry = server.wait(queued)
    assert failure(entry) == f"WanMotion{name}: interrupted"
    assert time.monotonic() - pressed < SOON
