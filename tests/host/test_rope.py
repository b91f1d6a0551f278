"""The host's rotary embedding with one frequency slowed."""

import math
import re

import pytest
import torch

LENGTHS = range(81, 401, 4)
"""Of a chunk, in frames."""


def rotations(model, latents):
    """``(N, D / 2, 2, 2)`` at one place, over time."""
    ids = torch.zeros(1, latents, 3)
    ids[0, :, 0] = torch.arange(latents)
    return model.get_model_object("diffusion_model.rope_embedder")(ids)[0, 0]


def measured(model):
    """Radians per latent of every component, as the model turns."""
    turned = rotations(model, 2)[1].double()
    return torch.atan2(turned[:, 1, 0], turned[:, 0, 0])


@pytest.fixture
def of_axes(tiny):
    """The tiny model with a rotary embedding of other sizes."""
    from comfy.ldm.flux.layers import EmbedND

    def make(axes, theta=10000.0):
        model = tiny[0].clone()
        model.add_object_patch("diffusion_model.rope_embedder", EmbedND(sum(axes), theta, axes))
        return model

    return make


@pytest.mark.parametrize("axes", [[44, 42, 42], [24, 20, 20], [16, 56, 56], [4, 2, 2]])
def test_no_frequency_is_ever_raised_and_only_what_would_repeat_is_lowered(of_axes, axes):
    from wan_motion_chunks.wan.host.rope import slow_rope

    model = of_axes(axes)
    own = measured(model)
    time = axes[0] // 2
    for component in range(1, time + 1):
        period = 2 * math.pi * 10000 ** ((component - 1) / time)
        for frames in LENGTHS:
            latents = (frames - 1) // 4 + 1
            slowed = slow_rope(model, component, frames)
            if frames == 81 or latents <= period:
                assert slowed is model, (component, frames)
                continue
            found = measured(slowed)
            others = [index for index in range(len(own)) if index != component - 1]
            assert torch.equal(found[others], own[others])
            assert found[component - 1] < own[component - 1], (component, frames)
            assert found[component - 1].item() == pytest.approx(0.9 * 2 * math.pi / latents, rel=1e-5)


@pytest.mark.parametrize(
    ("theta", "width", "trained", "component", "period"),
    # As the paper's authors found by looking: HunyuanVideo, 129 frames, and CogVideoX, 49.
    [(256.0, 16, 33, 4, 50), (10000.0, 16, 13, 2, 20)],
)
def test_the_component_that_repeats_first_is_the_papers(of_axes, theta, width, trained, component, period):
    from wan_motion_chunks.wan.host.rope import intrinsic_component, time_frequencies

    frequencies = time_frequencies(of_axes([width, 8, 8], theta))
    assert intrinsic_component(frequencies, trained) == component
    assert round(2 * math.pi / frequencies[component - 1]) == period


def test_the_node_slows_by_default_what_repeats_first_and_says_so(tiny):
    from wan_motion_chunks.nodes import SlowRope
    from wan_motion_chunks.wan.host.rope import shortest_slowed, time_frequencies

    model = tiny[0]
    default = {item.id: item.default for item in SlowRope.define_schema().inputs[1:]}
    slowed, report = SlowRope.execute(model, **default).args
    assert (measured(slowed) < measured(model)).nonzero().flatten().tolist() == [3]
    assert re.findall(r"component (\d+)|(0\.\d+)", report)[:3] == [("4", ""), ("", "0.2848"), ("", "0.1824")]
    assert [shortest_slowed(time_frequencies(model)[component - 1]) for component in (4, 5, 6)] == [89, 133, 201]


@pytest.mark.parametrize("frames", [17, 81, 85])
def test_the_node_says_when_it_has_nothing_to_do(tiny, frames):
    from wan_motion_chunks.nodes import SlowRope

    slowed, report = SlowRope.execute(tiny[0], frames, 0).args
    assert slowed is tiny[0]
    assert "nothing is slowed" in report


def test_the_node_refuses_to_slow_what_does_not_repeat(tiny):
    from wan_motion_chunks.nodes import SlowRope

    with pytest.raises(ValueError, match=r"^component: .*component 6 .*197 .* 201"):
        SlowRope.execute(tiny[0], 197, 6)
    slowed, _ = SlowRope.execute(tiny[0], 201, 6).args
    assert (measured(slowed) < measured(tiny[0])).nonzero().flatten().tolist() == [5]


@pytest.mark.parametrize("values", [{"component": -1}, {"component": 23}, {"chunk_frames": math.nan}])
def test_the_node_names_what_is_out_of_range(tiny, values):
    from wan_motion_chunks.nodes import SlowRope

    with pytest.raises(ValueError, match=next(iter(values))):
        SlowRope.execute(tiny[0], **{"chunk_frames": 121, "component": 0} | values)


def test_two_frequencies_are_slowed_one_after_the_other(tiny):
    from wan_motion_chunks.wan.host.rope import slow_rope

    both = slow_rope(slow_rope(tiny[0], 4, 161), 5, 161)
    assert (measured(both) < measured(tiny[0])).nonzero().flatten().tolist() == [3, 4]


def test_one_frequency_does_not_repeat_and_the_others_are_the_models(tiny):
    from wan_motion_chunks.wan.host.rope import slow_rope

    model = tiny[0]
    slowed = slow_rope(model, 4, 121)
    own, slow = rotations(model, 31), rotations(slowed, 31)
    others = [index for index in range(own.shape[1]) if index != 3]
    assert torch.equal(slow[:, others], own[:, others])
    angle = torch.atan2(slow[:, 3, 1, 0], slow[:, 3, 0, 0])
    turned = angle.diff().remainder(2 * math.pi).sum().item()
    assert turned == pytest.approx(0.9 * 2 * math.pi * 30 / 31, abs=1e-4)
    assert torch.equal(rotations(model, 31), own)  # the loaded model is left as it is


def test_it_reaches_the_sampler_and_leaves_no_trace(tiny):
    import comfy.sample
    from wan_motion_chunks.wan.host.rope import slow_rope

    model, clip, _ = tiny
    words = clip.encode_from_tokens_scheduled(clip.tokenize("a red ball"))
    image, mask = torch.zeros(1, 16, 22, 2, 2), torch.ones(1, 4, 22, 2, 2)
    words = [[words[0][0], {**words[0][1], "concat_latent_image": image, "concat_mask": mask}]]

    def sample(model):
        start = torch.zeros(1, 16, 22, 2, 2)
        noise = comfy.sample.prepare_noise(start, 0)
        return comfy.sample.sample(model, noise, 2, 1.0, "euler", "simple", words, words, start, seed=0)

    before, slowed, after = sample(model), sample(slow_rope(model, 2, 85)), sample(model)
    assert torch.equal(before, after)
    assert not torch.equal(before, slowed)


def test_chunks_of_a_trained_length_are_left_alone(tiny):
    from wan_motion_chunks.wan.host.rope import slow_rope

    assert slow_rope(tiny[0], 6, 81) is tiny[0]


@pytest.mark.parametrize(
    ("component", "frames", "says"), [(0, 121, "component"), (23, 121, "component"), (6, 120, "4n")]
)
def test_what_does_not_exist_is_refused(tiny, component, frames, says):
    from wan_motion_chunks.wan.host.rope import slow_rope

    with pytest.raises(ValueError, match=says):
        slow_rope(tiny[0], component, frames)


@pytest.mark.parametrize(("frames", "warned"), [(121, False), (125, True), (201, True)])
def test_chunks_of_another_length_than_it_was_set_for_are_warned_of(tiny, frames, warned):
    from wan_motion_chunks.nodes.prompt_inputs import find_warnings
    from wan_motion_chunks.wan import ChunkState, plan_chunks
    from wan_motion_chunks.wan.host.rope import slow_rope

    plan = plan_chunks(300, chunk_frames=121, overlap_frames=5)
    state = ChunkState(plan, torch.zeros(1, 3, 16, 16))
    assert [found.split(":")[0] for found in find_warnings(state, slow_rope(tiny[0], 4, frames), None, None)] == (
        ["model"] if warned else []
    )
    assert not find_warnings(state, tiny[0], None, None)
