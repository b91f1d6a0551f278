"""The pack's nodes by their schemas: every input of some kind, and what each node can be called with."""

import inspect

import torch

WIDTH, HEIGHT = 48, 32


def kind_of(declared):
    """The type of an input as its widget has it."""
    return (getattr(declared, "input_override", None) or declared).io_type


def inputs(classes, *kinds):
    """Node id and input of each input of some kinds."""
    return [
        (name, declared)
        for name, each in sorted(classes.items())
        for declared in each.define_schema().inputs
        if kind_of(declared) in kinds
    ]


def flat(value):
    """The tensors of what a node gives out, in their order."""
    if isinstance(value, torch.Tensor):
        return [value]
    if isinstance(value, dict):
        return [tensor for each in value.values() for tensor in flat(each)]
    if isinstance(value, (list, tuple)):
        return [tensor for each in value for tensor in flat(each)]
    return flat(vars(value)) if hasattr(value, "__dict__") and not inspect.isclass(value) else []


def call(classes, arguments, name, **changed):
    """What a node gives out; of Options what Long Video does with them."""
    made = classes[name].execute(**arguments[name] | changed)
    if name != "Options":
        return made
    return classes["LongVideo"].execute(**arguments["LongVideo"] | {"options": made.args[0]})


def call_all(tiny):
    """Arguments of each node that runs on any computer, by id without its prefix; pictures are 48 x 32 pixels."""
    import comfy.samplers
    from wan_motion_chunks.nodes import EstimateFlow, PredictMotion
    from wan_motion_chunks.wan.settings import choose_settings

    model, clip, vae = tiny
    conditioning = clip.encode_from_tokens_scheduled(clip.tokenize("a red ball"))
    # Values that half precision holds exactly.
    frames = torch.randint(0, 129, (5, HEIGHT, WIDTH, 3), generator=torch.Generator().manual_seed(0)) / 128
    flow, occlusion, _ = EstimateFlow.execute(frames, "auto").args
    motion = PredictMotion.execute(frames, 8, 0.5).args[2]
    size = {"start_image": frames[:1], "width": WIDTH, "height": HEIGHT, "length": 17.0, "length_unit": "frames"}
    plan = size | {"fps": 16.0, "chunk_frames": 17, "end_image": frames[:1]}
    plan |= {"source": frames, "reference_image": frames[:1]}
    plan["settings"] = choose_settings(own={"overlap_frames": len(frames)})
    region = {"motion_region": frames[:1, ..., 0]}
    aside = {"feature_continuity": 0.0, "noise": "per_chunk", "seed_list": "", "switch_step": 0, "boundary": 0.9}
    sampling = {"seed": 0, "steps": 1, "cfg": 1.0, "sampler_name": "euler", "scheduler": "simple"}
    sampling["cfg_low_noise"] = 0.0
    texts = {"prompt": "", "negative_prompt": "", "clip": clip}
    moment = {"start": 1.0, "unit": "chunks", "transition": 0.0, "chunk_frames": 0}
    moment |= {"start_image": frames[:1], "end_image": frames[:1]}
    knobs = dict.fromkeys(("motion_weight", "mask_sigma", "blend_strength"), -1.0)
    knobs |= {"step_gain": 1.0}
    knobs |= {"preset": "Standard", "overlap_frames": 0, "continuity": "auto", "color_match": "affine"}
    knobs |= {"color_anchor": 0.0, "seam_retries": 0, "lora_at_rest": 1.0, "lora_in_motion": 1.0}
    guider = comfy.samplers.CFGGuider(model)
    schedule = {"sampler": comfy.samplers.sampler_object("euler"), "sigmas": torch.tensor([1.0, 0.0])}
    return {
        "LongVideo": {"model": model, "vae": vae} | plan | sampling | texts,
        "LongVideoCustom": {"guider": guider, "vae": vae, "seed": 0} | schedule | plan,
        "Options": region | aside,
        "BridgeClips": {"model": model, "vae": vae, "first": frames, "second": frames.flip(2), "frames": 4, "fps": 16.0}
        | {"color_match": 0.5, "settings": plan["settings"]}
        | sampling
        | texts,
        "PlanVideo": plan | region,
        "PromptStack": {"positive": "", "negative": ""} | moment,
        "ConditioningStack": {"positive": conditioning, "negative": conditioning} | moment,
        "LoraStack": {"lora_name": "a", "strength_model": 1.0, "strength_clip": 1.0},
        "KeepRun": {
            "run_name": "a",
            "frames_in_memory": True,
            "stop_after": 0,
            "vary_from": 0,
            "variation": 1,
            "keep_later": False,
            "use_takes": "",
            "takes_to_keep": 0,
            "when_unsure": "regenerate",
        },
        "LoadRun": {"run_name": "none such", "fps": 16.0},
        "Settings": knobs,
        "JoinClips": {"first": frames, "second": frames.flip(2), "overlap_frames": 3, "blend_strength": 0.5}
        | {"mask_sigma": 0.35, "color_match": "mkl", "cut": False},
        "MatchColor": {"images": frames, "reference": frames.flip(0) / 2, "method": "mkl", "strength": 1.0},
        "MeasureSeams": {"images": frames, "seams": "2"},
        "GaussianBlendMask": {"frames": 3, "width": WIDTH, "height": HEIGHT, "mask_sigma": 0.35}
        | {"region": frames[:1, ..., 0]},
        "EstimateFlow": {"images": frames, "estimator": "auto"},
        "FlowToImage": {"flow": flow, "style": "arrows", "largest": 0.0, "images": frames, "occlusion": occlusion},
        "PredictMotion": {"images": frames, "frames": 4, "step_gain": 0.5},
        "WarpLatent": {"latent": {"samples": torch.rand(1, 16, 3, 4, 6)}, "motion": motion, "latents": 1},
        "SlowRope": {"model": model, "chunk_frames": 401, "component": 6},
        "TinyScene": {"seed": 0, "frames": 1},
    }
