"""What a video of patched models is made from: printed by a process of its own, or looked at in this one."""

import json
import os
import sys


def load_host():
    sys.path.insert(0, os.environ["COMFYUI_PATH"])
    import comfy.cli_args

    comfy.cli_args.args.cpu = True


def apg(model, momentum):
    from comfy_extras.nodes_apg import APG

    return APG.execute(model, 0.8, 5.0, momentum).args[0]


def windows(model, schedule="standard_static", fuse="pyramid", length=3):
    from comfy_extras.nodes_context_windows import ContextWindowsManualNode

    given = {each.id: each.default for each in ContextWindowsManualNode.define_schema().inputs if each.id != "model"}
    given |= {"context_length": length, "context_overlap": 1, "dim": 2}
    given |= {"context_schedule": schedule, "fuse_method": fuse}
    return ContextWindowsManualNode.execute(model, **given).args[0]


def hooked(model, conditioning, strength, end=0.5):
    """A conditioning under a LoRA hook whose strength falls in the middle."""
    import comfy.hooks
    from comfy_extras.nodes_hooks import CreateHookKeyframe, SetHookKeyframes
    from node_helpers import conditioning_set_values
    from wan_motion_chunks.tests.host.core_nodes import lora

    hooks = comfy.hooks.create_hook_lora(lora(model), strength, strength)
    keyframes = CreateHookKeyframe().create_hook_keyframe(strength_mult=1.0, start_percent=0.0)[0]
    keyframes = CreateHookKeyframe().create_hook_keyframe(end, 0.5, keyframes)[0]
    hooks = SetHookKeyframes().set_hook_keyframes(hooks, keyframes)[0]
    return conditioning_set_values(conditioning, {"hooks": hooks})


def job_of(node, **given):
    """What a node of ours would make, and what makes it: called with a ``vae`` and the like, but making nothing."""
    from comfy_api.latest import io
    from wan_motion_chunks.nodes import long_video

    jobs, real = [], long_video.make_video
    long_video.make_video = lambda job: jobs.append(job) or io.NodeOutput()
    try:
        node(**given)
    finally:
        long_video.make_video = real
    return jobs[0]


def patched_job(tiny, momentum=-0.4, strength=0.5):
    """A video of two chunks by a model with APG, context windows and a LoRA hook on its prompt."""
    import torch
    from wan_motion_chunks.tests.host.video import execute

    model, clip, vae = tiny
    model = windows(apg(model, momentum), length=5)  # the host's own windows cut an i2v model's pictures wrong
    positive, negative = (clip.encode_from_tokens_scheduled(clip.tokenize(text)) for text in ("a red ball", ""))
    image = torch.rand(1, 32, 48, 3, generator=torch.Generator().manual_seed(1))
    return job_of(
        lambda **given: execute((model, clip, vae), image, hooked(model, positive, strength), negative, **given),
        sampler_name="euler",
        scheduler="simple",
        width=48,
        height=32,
        length=25.0,
        steps=3,
    )


def made(job):
    """The frames of a job; what runs changes its model."""
    from wan_motion_chunks.nodes.making import make_video

    return make_video(job).args[0]


def main(arguments):
    """Print what a job is made from before it runs and after, for a job of a fresh process."""
    load_host()
    import torch
    from wan_motion_chunks.tiny.models import load_tiny_models
    from wan_motion_chunks.wan.identity import digest, identify_vae, live

    with torch.inference_mode():
        tiny = load_tiny_models()
        job = patched_job(tiny)
        first = job.sampler.fingerprint(job.state)
        found = {name: digest(value) for name, value in first.items()} | {"vae": identify_vae(job.vae).digest}
        if arguments:
            made(job)
            live.leave()
            again = patched_job_again(job)
            found |= {name: digest(value) for name, value in again.items()} | {"vae": identify_vae(job.vae).digest}
    sys.stdout.write(json.dumps(found) + "\n")
    return 0


def patched_job_again(job):
    """What a second sampler of the same live objects is made from, as when the graph is queued again."""
    from dataclasses import replace

    sampler = job.sampler
    return type(sampler)(sampler.experts, sampler.sampling, sampler.noise, replace(sampler.inputs)).fingerprint(
        job.state
    )
