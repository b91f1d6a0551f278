"""What Plan Long Video and Guide Next Chunk take from a prompt stack and from Settings, and what they do not."""

import pytest
import torch
from wan_motion_chunks.wan import Keyframe, Lora
from wan_motion_chunks.wan.settings import choose_settings

NAME = "split.safetensors"


@pytest.fixture(scope="module")
def image():
    return torch.rand(1, 32, 32, 3, generator=torch.Generator().manual_seed(4))


@pytest.fixture(scope="module")
def lora(list_folder, tmp_path_factory):
    """A LoRA of one weight of the tiny model."""
    import comfy.utils

    folder = tmp_path_factory.mktemp("loras")
    list_folder("loras", folder)
    layer = "diffusion_model.blocks.0.self_attn.v"
    tensors = {f"{layer}.lora_up.weight": torch.ones(256, 1), f"{layer}.lora_down.weight": torch.ones(1, 256)}
    comfy.utils.save_torch_file(tensors, str(folder / NAME))
    return Lora(NAME, 1.0, 1.0)


@pytest.fixture
def plan(comfy, image):
    from wan_motion_chunks.nodes import PlanVideo

    def run(**more):
        return PlanVideo.execute(32, 32, 41.0, "frames", 16.0, 33, image, **more).args[0]

    return run


@pytest.fixture
def guide(tiny, plan):
    from wan_motion_chunks.nodes import GuideNextChunk

    def run(given=(), model=tiny[0], clip=None, **stack):
        state = plan(prompt_stack=[Keyframe("a red ball moves left", "", **stack)])
        return GuideNextChunk.execute(state, tiny[2], *given, model=model, clip=clip).args

    return run


def test_loras_are_on_the_model_whoever_encodes_the_texts(tiny, guide, conditioning, lora):
    by_stack, by_hand = guide(clip=tiny[1], loras=(lora,))[-1], guide(conditioning, loras=(lora,))[-1]
    assert len(by_hand.patches) == 1
    assert by_hand.patches.keys() == by_stack.patches.keys()
    assert not guide(conditioning)[-1].patches


def test_loras_that_no_model_here_is_for_are_refused(guide, conditioning, lora):
    with pytest.raises(ValueError, match=r"^model: "):
        guide(conditioning, None, loras=(lora,))
    with pytest.raises(ValueError, match="lora_stack_low_noise"):
        guide(conditioning, low_noise_loras=(lora,))


def test_a_model_that_follows_a_guide_is_not_given_another(tiny, guide, conditioning):
    with pytest.raises(ValueError, match=r"^model: "):
        guide(conditioning, guide(conditioning)[-1])


@pytest.mark.parametrize(
    ("settings", "masked", "expected"),
    [
        ({}, True, []),
        ({"continuity": "overlap_pinned"}, True, ["motion_region"]),
        ({"continuity": "overlap_pinned"}, False, []),
        ({"seam_retries": 1}, False, ["seam_retries"]),
    ],
)
def test_what_does_nothing_is_said(plan, settings, masked, expected):
    mask = torch.ones(1, 32, 32) if masked else None
    state = plan(motion_region=mask, settings=choose_settings(**settings))
    assert [words.split()[0] for words in state.warnings] == expected


@pytest.mark.parametrize("second", [False, True])
def test_loras_for_a_second_expert_that_is_not_there_are_said(second):
    from wan_motion_chunks.nodes.prompt_inputs import idle_loras

    keyframes = [Keyframe("", ""), Keyframe("", "", 1, low_noise_loras=())]
    said = [words.split()[0] for words in idle_loras(keyframes, second)]
    assert said == ([] if second else ["lora_stack_low_noise"])
    assert idle_loras(keyframes[:1], second) == ()
