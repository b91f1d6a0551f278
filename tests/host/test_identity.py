"""What chunks are made from in the real host: all that nodes and packs set, and nothing of what running changed."""

import json
import os
import subprocess
import sys
import types

import pytest
import torch
from wan_motion_chunks.tests.host import identity_graph as graph
from wan_motion_chunks.tests.host.video import guiders
from wan_motion_chunks.tools.environment import ROOT
from wan_motion_chunks.wan.identity import identify, identify_model, identify_vae, live


@pytest.fixture(autouse=True)
def _no_job_before():
    live.leave()
    yield
    live.leave()


def told_apart(*makers):
    """Whether each of some functions makes what has an identity of its own, the same each time."""
    seen = [identify(make()) for make in makers]
    assert seen == [identify(make()) for make in makers]
    assert not any(each.unknown for each in seen)
    return len({each.digest for each in seen}) == len(seen)


def test_a_hooks_strength_is_seen_on_a_prompt(tiny, conditioning):
    prompts = [lambda value=value: graph.hooked(tiny[0], conditioning[0], value) for value in (0.5, 0.6)]
    assert told_apart(lambda: conditioning[0], *prompts)


def test_a_hooks_keyframes_are_seen(tiny, conditioning):
    assert told_apart(*(lambda end=end: graph.hooked(tiny[0], conditioning[0], 0.5, end) for end in (0.5, 0.6)))


def test_a_hooks_strength_is_seen_on_clip_and_in_a_guider(tiny, conditioning):
    import comfy.hooks
    from comfy_extras.nodes_hooks import SetClipHooks
    from wan_motion_chunks.tests.host.core_nodes import lora

    def clip(strength):
        return SetClipHooks().apply_hooks(
            tiny[1], True, True, comfy.hooks.create_hook_lora(lora(tiny[0]), 1.0, strength)
        )[0]

    def guider(strength):
        return guiders(tiny[0], [graph.hooked(tiny[0], conditioning[0], strength), conditioning[1]])["cfg"]

    assert told_apart(lambda: clip(0.5), lambda: clip(0.6), lambda: guider(0.5), lambda: guider(0.6))


def test_every_attribute_of_a_guider_is_seen_and_what_sampling_left_is_not(tiny, conditioning):
    import comfy.samplers

    class Own(comfy.samplers.CFGGuider):
        def __init__(self, scales):
            super().__init__(tiny[0])
            self.set_conds(*conditioning)
            self.scales = scales

    assert told_apart(lambda: Own([1.0, 2.0]), lambda: Own([1.0, 2.5]), lambda: guiders(tiny[0], conditioning)["cfg"])
    guider = Own([1.0])
    before = identify(guider)
    guider.inner_model, guider.conds, guider.loaded_models = object(), {"positive": [1]}, [object()]
    assert identify(guider) == before


def test_a_sampler_with_its_parameters_in_a_closure_is_seen():
    import comfy.samplers

    def sampler(eta):
        def sample(model, x, sigmas, extra_args=None, callback=None, disable=None):
            return x * eta

        return comfy.samplers.KSAMPLER(sample)

    assert told_apart(lambda: sampler(0.5), lambda: sampler(0.6), lambda: comfy.samplers.sampler_object("euler"))


def test_context_windows_are_seen(tiny):
    ways = [("standard_static", "pyramid"), ("standard_static", "flat"), ("standard_uniform", "pyramid")]
    assert told_apart(*(lambda way=way: graph.windows(tiny[0], *way) for way in ways))


def test_a_bound_methods_closure_is_seen_and_live_modules_are_not(tiny, conditioning):
    import comfy.sample

    def guided(scale):
        """As KJNodes' NAG: on each sampling it writes onto the module that it is bound to."""
        model = tiny[0].clone()
        module = model.get_model_object("diffusion_model.blocks.0.cross_attn")
        plain = type(module).forward

        def forward(self, x, *arguments, **options):
            self.last = x
            return plain(self, x, *arguments, **options) * scale

        model.add_object_patch("diffusion_model.blocks.0.cross_attn.forward", types.MethodType(forward, module))
        return model

    assert told_apart(lambda: guided(0.9), lambda: guided(0.8))
    model = guided(0.9)
    before = identify_model(model)
    latent = torch.zeros(1, 16, 2, 4, 6)
    comfy.sample.sample(model, latent + 1, 1, 2.0, "euler", "simple", *conditioning, latent, seed=1)
    assert hasattr(model.get_model_object("diffusion_model.blocks.0.cross_attn"), "last")
    assert identify_model(model) == before
    live.leave()
    assert identify_model(model) == before == identify_model(guided(0.9))


def test_a_model_that_is_loaded_with_its_patches_is_the_same(tiny, conditioning):
    import comfy.sample
    import comfy.sd
    from comfy_extras.nodes_model_advanced import ModelSamplingSD3
    from wan_motion_chunks.tests.host.core_nodes import lora

    def patched(shift):
        return ModelSamplingSD3().patch(comfy.sd.load_lora_for_models(tiny[0], None, lora(tiny[0]), 0.5, 0)[0], shift)[
            0
        ]

    model = patched(3.0)
    plain, before = identify_model(tiny[0]), identify_model(model)
    latent = torch.zeros(1, 16, 2, 4, 6)
    comfy.sample.sample(model, latent + 1, 1, 1.0, "euler", "simple", *conditioning, latent, seed=1)
    assert identify_model(model) == before == identify_model(patched(3.0))
    assert identify_model(patched(4.0)).digest != before.digest
    assert identify_model(tiny[0]) == plain


def test_a_vae_is_the_same_in_whatever_type_the_host_loads_it(comfy):
    import comfy.utils
    from wan_motion_chunks.tiny.models import VAE

    def loaded(dtype, change=0.0):
        weights = comfy.utils.load_torch_file(str(VAE))
        name = sorted(weights)[0]
        weights[name] = weights[name] + change
        return comfy.sd.VAE(sd=weights, dtype=dtype)

    types_of = (torch.float32, torch.bfloat16, torch.float16)
    vaes = [loaded(dtype) for dtype in types_of]
    seen = [identify_vae(vae) for vae in vaes]
    assert seen[0] == seen[1]
    stored = {value.dtype for value in comfy.utils.load_torch_file(str(VAE)).values()}
    assert (seen[2] == seen[0]) == (stored <= {torch.bfloat16, torch.float16})
    assert identify_vae(loaded(torch.float32, 0.5)).digest != seen[0].digest
    vaes[0].decode(vaes[0].encode(torch.rand(5, 32, 48, 3)))
    live.leave()
    assert identify_vae(vaes[0]) == seen[0]


def test_the_hosts_quantized_weights_are_read_as_they_are_stored(comfy, monkeypatch):
    quant = pytest.importorskip("comfy.quant_ops")

    def weight(value, scale):
        numbers = torch.full((64, 64), 0.5)
        numbers[31, 7] = value
        return quant.QuantizedTensor.from_float(numbers, "TensorCoreFP8Layout", scale=torch.tensor(scale))

    def refuse(self):
        raise AssertionError("it is dequantized")

    makers = [
        lambda value=value, scale=scale: weight(value, scale) for value, scale in ((1.0, 1.0), (2.0, 1.0), (1.0, 2.0))
    ]
    made = [[make() for make in makers] for _ in range(2)]
    monkeypatch.setattr(quant.QuantizedTensor, "dequantize", refuse)
    seen = [[identify(each) for each in each_time] for each_time in made]
    assert seen[0] == seen[1]
    assert len({each.digest for each in seen[0]}) == 3


def test_a_run_leaves_what_it_is_made_from_as_it_was(tiny):
    job = graph.patched_job(tiny)
    first, vae = job.sampler.fingerprint(job.state), identify_vae(job.vae)
    for _ in range(2):
        graph.made(job)
        live.leave()
        assert graph.patched_job_again(job) == first
        assert identify_vae(job.vae) == vae
    other = graph.patched_job(tiny)
    assert other.sampler.fingerprint(other.state) == first
    for changed in ({"momentum": -0.3}, {"strength": 0.6}):
        other = graph.patched_job(tiny, **changed)
        assert other.sampler.fingerprint(other.state) != first


def test_two_fresh_hosts_agree_before_sampling_and_after(comfy):
    script = [sys.executable, str(ROOT / "tools" / "run.py"), "tests.host.identity_graph"]
    found = []
    for seed, words in (("1", []), ("2", ["after"])):
        environment = os.environ | {"PYTHONHASHSEED": seed}
        made = subprocess.run([*script, *words], env=environment, cwd=ROOT, check=True, capture_output=True, text=True)
        found.append(json.loads(made.stdout.splitlines()[-1]))
    assert found[0] == found[1]
