"""Videos of the tiny model by the pack's nodes; the host must be importable."""

SEED, CFG = 7, 1.5
SIZE = {"width": 48, "height": 32}
OPTIONS = {"positive", "negative", "clip_vision_output", "motion_region", "optical_flow", "feature_continuity"}
OPTIONS |= {"noise", "seed_list", "switch_step", "boundary"}
"""Inputs of Options."""


def long_video(*parameters, **changed):
    """The outputs of :func:`execute`."""
    return execute(*parameters, **changed).args


def execute(tiny, image, positive, negative, sampler_name, scheduler, **changed):
    """Long Video of the tiny model, as the host runs it."""
    from wan_motion_chunks.nodes import LongVideo
    from wan_motion_chunks.wan.settings import choose_settings

    model, _, vae = tiny
    arguments = {
        "width": 64,
        "height": 48,
        "length": 17.0,
        "length_unit": "frames",
        "fps": 16.0,
        "chunk_frames": 17,
        "seed": SEED,
        "steps": 4,
        "cfg": 2.5,
        "sampler_name": sampler_name,
        "scheduler": scheduler,
        "prompt": "",
        "negative_prompt": "",
        "settings": choose_settings(own={"overlap_frames": 8}),
    }
    given = with_options({"positive": positive, "negative": negative} | changed)
    return LongVideo.execute(model, vae, start_image=image, **(arguments | given))


def options(**given):
    """What Options gives out."""
    from wan_motion_chunks.nodes import Options

    values = {"feature_continuity": 0.0, "noise": "per_chunk", "seed_list": "", "switch_step": 0, "boundary": 0.9}
    return Options.execute(**(values | given)).args[0]


def with_options(given):
    """Inputs of a node that makes a video, those of Options in its ``options``."""
    aside = {name: value for name, value in given.items() if name in OPTIONS}
    return {name: value for name, value in given.items() if name not in OPTIONS} | {"options": options(**aside)}


def custom_video(tiny, image, guider, sampler, sigmas, **changed):
    """The outputs of Long Video, Custom Sampling, of 48 x 32 pixels."""
    from wan_motion_chunks.nodes import CustomLongVideo
    from wan_motion_chunks.wan.settings import choose_settings

    values = {"length": 17.0, "length_unit": "frames", "fps": 16.0, "chunk_frames": 17, "seed": SEED}
    values |= SIZE | {"settings": choose_settings(own={"overlap_frames": 8})}
    values["start_image"] = image[:1]
    return CustomLongVideo.execute(guider, sampler, sigmas, tiny[2], **with_options(values | changed)).args


def guiders(model, conditioning):
    """The host's guiders around a model, by what they are called."""
    import comfy.samplers
    from comfy_extras.nodes_custom_sampler import Guider_Basic

    basic = Guider_Basic(model)
    basic.set_conds(conditioning[0])
    cfg = comfy.samplers.CFGGuider(model)
    cfg.set_conds(*conditioning)
    cfg.set_cfg(CFG)
    return {"basic": basic, "cfg": cfg}


def keep(**changed):
    """What Keep Run gives out."""
    from wan_motion_chunks.nodes import KeepRun

    values = {"run_name": "run", "frames_in_memory": True, "stop_after": 0, "vary_from": 0, "variation": 1}
    values |= {"keep_later": False, "use_takes": "", "takes_to_keep": 0, "when_unsure": "regenerate"}
    return KeepRun.execute(**(values | changed)).args[0]


def svi_recipe(tiny, conditioning, picture, previous):
    """The conditioning of 17 frames by SVI 2.0 Pro: anchor, the last latent before, zeros of the model's space."""
    import comfy.latent_formats
    import node_helpers
    import torch

    anchor = tiny[2].encode(picture)
    parts = [anchor] if previous is None else [anchor, previous[:, :, -1:]]
    zeros = torch.zeros(1, 16, 5 - len(parts), *anchor.shape[3:])
    image = torch.cat((*parts, comfy.latent_formats.Wan21().process_out(zeros)), dim=2)
    mask = torch.ones(1, 1, *image.shape[2:])
    mask[:, :, :1] = 0
    values = {"concat_latent_image": image, "concat_mask": mask}
    return [node_helpers.conditioning_set_values(text, values) for text in conditioning]
