"""Prompts, LoRAs and settings by chunk, with the tiny Wan2.1 in the host's own loaders and sampler."""

import gc
import logging
import weakref

import pytest
import torch
from wan_motion_chunks.tests.host.video import long_video
from wan_motion_chunks.tests.reports import read_report
from wan_motion_chunks.wan import Keyframe, Lora

TOTAL = 17 + 3 * 8
LEFT, RIGHT = "a red ball moves left fast", "a red ball moves right fast"


@pytest.fixture(scope="module")
def image():
    from wan_motion_chunks.tiny.scenes import draw_scenes

    scene = draw_scenes(1, 1, torch.Generator().manual_seed(11), turn=0.0, two_sprites=0.0, pan=0.0)
    return scene.frames[0].movedim(1, -1)


@pytest.fixture
def make(tiny, image, finished):
    """A video of four chunks by Long Video; returns its frames and the state that it ends with."""

    def run(**changed):
        values = {"width": 32, "height": 32, "length": float(TOTAL), "clip": tiny[1], "cfg": 1.0} | changed
        frames, _, report, _ = long_video(tiny, image, None, None, "euler", "simple", **values)
        state, _ = finished[-1]
        assert set(state.report().splitlines()[1:]) <= set(report.splitlines())
        return frames, state

    return run


@pytest.fixture(scope="module")
def loras(tiny, list_folder, tmp_path_factory):
    """Real LoRA files for the tiny Wan2.1, in a folder of the host's LoRAs."""
    import comfy.utils

    folder = tmp_path_factory.mktemp("loras")
    list_folder("loras", folder)
    generator = torch.Generator().manual_seed(0)
    sizes = {
        name.removesuffix(".weight"): weight.shape
        for name, weight in tiny[0].model.diffusion_model.state_dict().items()
        if name.endswith("self_attn.v.weight")
    }

    def write(name, weights):
        comfy.utils.save_torch_file(weights, str(folder / name))

    def attention(amount):
        weights = {}
        for name, (out, into) in sizes.items():
            weights[f"diffusion_model.{name}.lora_up.weight"] = amount * torch.randn(out, 4, generator=generator)
            weights[f"diffusion_model.{name}.lora_down.weight"] = torch.randn(4, into, generator=generator)
        return weights

    for number in range(5):
        write(f"walk{number}.safetensors", attention(0.02))
    write("text.safetensors", {"text_encoders.gain.diff": torch.full((4096,), -0.5)})
    return folder


def added(frames, chunk):
    """The frames of the finished video that a chunk added."""
    return frames[0 if chunk == 0 else 9 + 8 * chunk : 17 + 8 * chunk]


def same_until(a, b):
    """How many chunks are equal in both videos, bit for bit."""
    for chunk in range(4):
        if not torch.equal(added(a, chunk), added(b, chunk)):
            return chunk
    return 4


def test_a_prompt_changes_the_chunks_from_its_start_on(make):
    alone, _ = make(prompt=LEFT)
    frames, state = make(prompt=f"1: {LEFT}\n3: {RIGHT}")
    assert same_until(frames, alone) == 2
    assert [(record.added, record.prompt.shares) for record in state.records] == [
        (17, ((0, 1.0),)),
        (8, ((0, 1.0),)),
        (8, ((1, 1.0),)),
        (8, ((1, 1.0),)),
    ]
    assert [(keyframe.positive, keyframe.start) for keyframe in state.plan.keyframes] == [(LEFT, 0), (RIGHT, 2)]
    report = read_report(state.report())
    assert all(f"prompt {n} {each.describe()}" in report.details for n, each in enumerate(state.plan.keyframes, 1))
    assert [text in row[2] for row, text in zip(report.rows, (LEFT, LEFT, RIGHT, RIGHT), strict=True)] == [True] * 4


def test_a_stack_a_list_and_a_schedule_say_the_same(make):
    from wan_motion_chunks.nodes import PromptStack

    schedule, _ = make(prompt=f"1: {LEFT}\n3: {RIGHT}")
    listed, _ = make(prompt_stack=[[LEFT, "", 0, None], [RIGHT, "", 2, None]])
    (stack,) = PromptStack.execute(LEFT, "", 1.0, "chunks", 0.0, 0).args
    (longer,) = PromptStack.execute(RIGHT, "", 3.0, "chunks", 0.0, 0, prompt_stack=stack).args
    assert len(stack) == 1  # what the host caches is left as it is
    stacked, _ = make(prompt_stack=longer)
    assert torch.equal(schedule, listed)
    assert torch.equal(schedule, stacked)


def test_encoded_prompts_make_the_same_video(make, tiny):
    from wan_motion_chunks.nodes import ConditioningStack

    clip = tiny[1]
    stack = None
    for start, text in ((1.0, LEFT), (3.0, RIGHT)):
        pair = (clip.encode_from_tokens_scheduled(clip.tokenize(words)) for words in (text, ""))
        (stack,) = ConditioningStack.execute(*pair, start, "chunks", 0.0, 0, prompt_stack=stack).args
    encoded, _ = make(prompt_stack=stack, clip=None)
    assert torch.equal(encoded, make(prompt=f"1: {LEFT}\n3: {RIGHT}")[0])


def test_a_transition_is_the_hosts_average_of_both_prompts(tiny):
    from wan_motion_chunks.wan.host.encoding import mix_conditioning

    import nodes

    clip = tiny[1]
    texts = (LEFT, ", ".join([RIGHT] * 9))  # the second has more tokens
    a, b = (clip.encode_from_tokens_scheduled(clip.tokenize(text)) for text in texts)
    assert a[0][0].shape[1] < b[0][0].shape[1]
    (expected,) = nodes.ConditioningAverage().addWeighted(b, a, 0.25)
    torch.testing.assert_close(mix_conditioning([(a, 0.75), (b, 0.25)])[0][0], expected[0][0])


def test_a_transition_reaches_both_ends(make):
    switched, _ = make(prompt=f"1: {LEFT}\n2: {RIGHT}")
    gradual, state = make(prompt=f"1: {LEFT}\n2 over 2: {RIGHT}")
    assert same_until(switched, gradual) == 1
    assert [record.prompt.shares for record in state.records[1:3]] == [
        ((0, 0.75), (1, 0.25)),
        ((0, 0.25), (1, 0.75)),
    ]


def test_a_lora_changes_the_chunks_of_its_prompt(make, loras):
    plain, _ = make(prompt=LEFT)
    stack = [Keyframe(LEFT, ""), Keyframe(LEFT, "", 2, loras=(Lora("walk0.safetensors", 1.0, 1.0),))]
    frames, state = make(prompt_stack=stack)
    assert same_until(frames, plain) == 2
    prompts = [record.prompt for record in state.records]
    assert [prompt.shares[0][0] for prompt in prompts] == [0, 0, 1, 1]
    assert [prompt.loras for prompt in prompts] == [(), (), stack[1].loras, stack[1].loras]
    none = [Keyframe(LEFT, ""), Keyframe(LEFT, "", 2, loras=(Lora("walk0.safetensors", 0.0, 1.0),))]
    assert torch.equal(make(prompt_stack=none)[0], plain)


def test_a_lora_equals_the_hosts_loader_bit_for_bit(make, tiny, loras, image):
    import nodes

    model, clip = nodes.LoraLoader().load_lora(tiny[0], tiny[1], "text.safetensors", 0.5, 0.5)
    model, clip = nodes.LoraLoader().load_lora(model, clip, "walk1.safetensors", 0.7, 0.7)
    values = {"width": 32, "height": 32, "cfg": 1.0, "clip": clip, "prompt": LEFT}
    expected, _, _, _ = long_video((model, clip, tiny[2]), image, None, None, "euler", "simple", **values)
    stack = (Lora("text.safetensors", 0.5, 0.5), Lora("walk1.safetensors", 0.7, 0.7))
    ours, _ = make(prompt_stack=[Keyframe(LEFT, "", loras=stack)], length=17.0)
    assert torch.equal(ours, expected)
    no_text, _ = make(prompt_stack=[Keyframe(LEFT, "", loras=stack[1:])], length=17.0)
    assert not torch.equal(ours, no_text)


def test_five_sets_over_forty_chunks_are_patched_five_times_and_let_go(tiny, loras, image, monkeypatch, caplog):
    from comfy.model_patcher import ModelPatcher
    from wan_motion_chunks.wan.host.lora import LoraFiles

    patched, alive, clones = [], [], []
    real, build = ModelPatcher.patch_weight_to_device, LoraFiles.on_model

    def count(self, key, *arguments, **more):
        if key in self.patches:  # the host passes every weight
            patched.append(key)
        return real(self, key, *arguments, **more)

    def watch(self, model, chosen):
        clone = build(self, model, chosen)
        clones.append(weakref.ref(clone))
        return clone

    monkeypatch.setattr(ModelPatcher, "patch_weight_to_device", count)
    monkeypatch.setattr(LoraFiles, "on_model", watch)

    class Listener(logging.Handler):
        """Counts the clones that are left whenever a chunk is done."""

        def emit(self, record):
            if not record.getMessage().startswith("chunk "):
                return
            gc.collect()
            alive.append(sum(clone() is not None for clone in clones))

    caplog.set_level("INFO", logger="wan_motion_chunks.wan.loop")
    monkeypatch.setattr(logging.getLogger("wan_motion_chunks.wan.loop"), "handlers", [Listener()])
    keyframes = [Keyframe(LEFT, "", 8 * set_, loras=(Lora(f"walk{set_}.safetensors", 1.0, 1.0),)) for set_ in range(5)]
    values = {"width": 32, "height": 32, "length": 17.0 + 39 * 8, "cfg": 1.0, "steps": 1, "clip": tiny[1]}
    long_video(tiny, image, None, None, "euler", "simple", prompt_stack=keyframes, **values)
    weights = len([name for name in tiny[0].model.diffusion_model.state_dict() if name.endswith("self_attn.v.weight")])
    assert len(patched) == 5 * weights
    assert len(alive) == 40
    assert max(alive) == 1


def test_motion_scales_loras_between_two_limits_and_the_report_says_so(make, loras):
    from wan_motion_chunks.wan.settings import choose_settings

    stack = [Keyframe(LEFT, "", loras=(Lora("walk2.safetensors", 1.0, 1.0),))]
    settings = {"own": {"overlap_frames": 8}}
    plain, _ = make(prompt_stack=stack, settings=choose_settings(**settings))
    chosen = choose_settings(**settings, lora_at_rest=0.5, lora_in_motion=0.5)
    none, state = make(prompt_stack=stack, settings=chosen)
    assert same_until(none, plain) == 1
    assert chosen.describe() in state.notes
    assert chosen.describe() != choose_settings(**settings).describe()
    assert [record.prompt.loras[0].model for record in state.records] == [1.0, 0.5, 0.5, 0.5]
    assert [record.speed is None for record in state.records] == [True, False, False, False]


def test_settings_are_in_the_report_and_change_no_first_chunk(make):
    from wan_motion_chunks.wan.settings import choose_settings

    chosen = {
        "Standard": choose_settings(own={"overlap_frames": 8}, continuity="motion"),
        "Slow or static": choose_settings("Slow or static", own={"step_gain": 0.3}, continuity="motion"),
        "Auto": choose_settings("Auto", own={"overlap_frames": 8}, continuity="motion"),
    }
    made = {name: make(prompt=LEFT, settings=settings) for name, settings in chosen.items()}
    assert same_until(made["Slow or static"][0], made["Standard"][0]) == 1
    for name, settings in chosen.items():
        state = made[name][1]
        assert (state.settings, state.plan.requested_overlap) == (settings.guide, 8)
        assert settings.describe() in state.notes
        assert any(detail.startswith("noise per_chunk, seed 7") for detail in read_report(state.report()).details)
        followed = [record.speed is not None and "blend_strength" in dict(record.adapted) for record in state.records]
        assert followed == [False, *[name == "Auto"] * 3]
    words = [chosen[name].describe() for name in ("Standard", "Slow or static", "Auto")]
    for text, weight in zip(words, ("0.3", "0.2", "by speed"), strict=True):
        assert f"motion_weight {weight}," in text


@pytest.mark.parametrize(
    ("policy", "words"), [("fixed", "noise fixed, seed 7"), ("list", "noise list, seed 7, 3"), ("absolute", "absolute")]
)
def test_a_seed_policy_is_in_the_report(make, policy, words):
    frames, state = make(prompt=LEFT, noise=policy, seed_list="7, 3" if policy == "list" else "")
    assert any(words in detail for detail in read_report(state.report()).details)
    if policy != "absolute":
        assert same_until(frames, make(prompt=LEFT)[0]) == 1


def test_a_cut_starts_anew_and_leaves_the_chunks_before_it_alone(make):
    from wan_motion_chunks.tiny.scenes import draw_scenes

    other = draw_scenes(1, 1, torch.Generator().manual_seed(5), size=32).frames[0].movedim(1, -1)
    plain, _ = make(prompt=LEFT)
    keyframes = [Keyframe(LEFT, ""), Keyframe(RIGHT, "", 2, start_image=other)]
    frames, state = make(prompt_stack=keyframes)
    assert len(frames) == TOTAL
    assert torch.equal(frames[:25], plain[:25])
    assert (frames[25] - other[0]).abs().mean() < 0.1  # what the VAE makes of the picture
    record = state.records[2]
    assert (len(state.records), record.added, record.prompt.shares) == (3, 16, ((1, 1.0),))
    assert (record.cut, record.join, record.seam) == (True, None, None)


def test_the_split_nodes_follow_a_stack_bit_for_bit(make, tiny, image, loras):
    from wan_motion_chunks.nodes import FinishChunk, GuideNextChunk, PlanVideo
    from wan_motion_chunks.wan.settings import choose_settings

    import nodes

    model, clip, vae = tiny
    keyframes = [Keyframe(LEFT, ""), Keyframe(RIGHT, "", 1, transition=2, loras=(Lora("walk3.safetensors", 1.0, 1.0),))]
    whole, made = make(prompt_stack=keyframes)
    settings = choose_settings(own={"overlap_frames": 8})
    state, chunks, _ = PlanVideo.execute(
        32, 32, float(TOTAL), "frames", 16.0, 17, image, settings=settings, prompt_stack=keyframes
    ).args
    for index in range(chunks):
        state, *graph, patched = GuideNextChunk.execute(state, vae, model=model, clip=clip).args
        latent = nodes.common_ksampler(patched, 7 + index, 4, 1.0, "euler", "simple", *graph)[0]
        state, _, _ = FinishChunk.execute(state, latent, vae).args
    assert torch.equal(state.video.movedim(1, -1), whole)
    assert state.records == made.records
    (lora,) = made.records[1].prompt.loras
    assert (made.records[1].prompt.shares, lora.name) == (((0, 0.75), (1, 0.25)), "walk3.safetensors")
    assert lora.model == pytest.approx(0.25)
    with pytest.raises(ValueError, match=r"positive .*negative.*prompt_stack"):
        GuideNextChunk.execute(
            PlanVideo.execute(32, 32, 17.0, "frames", 16.0, 17, start_image=image).args[0], vae, model=model
        )
