"""The host's stop button gets through what takes long before the first chunk."""

import pytest
import torch


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
