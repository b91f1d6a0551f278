"""The host's own sampler in the place of ours: what fails there as well is not our fault."""

from __future__ import annotations

import copy

from ..graph import OURS
from .catalog import Catalog
from .sinks import PREFIX

SIZE = {"width": 64, "height": 64, "length": 17, "batch_size": 1}


def control(catalog: Catalog, prompt: dict, node_type: str) -> dict | None:
    """A prompt in which the host samples one chunk with what our node is given; None if ours is no sampler."""
    number = next((each for each, node in prompt.items() if node["class_type"] == node_type), None)
    if number is None:
        return None
    given = prompt[number]["inputs"]
    made = copy.deepcopy(prompt)
    fresh = iter(range(1 + max(map(int, prompt)), 10_000))

    def add(kind: str, **inputs) -> str:
        added = str(next(fresh))
        made[added] = {"class_type": kind, "inputs": inputs}
        return added

    if node_type == OURS + "LongVideo":
        aside = prompt[given["options"][0]]["inputs"] if "options" in given else {}
        positive, negative = aside.get("positive"), aside.get("negative")
        if not positive or not negative:
            clip = given.get("clip")
            if clip is None:
                return None
            text = given.get("prompt", "")
            positive = positive or [add("CLIPTextEncode", clip=clip, text=text), 0]
            negative = negative or [add("CLIPTextEncode", clip=clip, text=given.get("negative_prompt", "")), 0]
        links = {name: given[name] for name in ("vae", "start_image") if name in given}
        start = add("WanImageToVideo", positive=positive, negative=negative, **links, **SIZE)
        names = ("seed", "steps", "cfg", "sampler_name", "scheduler")
        links = {"positive": [start, 0], "negative": [start, 1], "denoise": 1.0}
        latent = [start, 2]
        for name in ("model", "model_low_noise"):  # one after the other, for whatever is wrong with either
            if name in given:
                numbers = {each: given[each] for each in names}
                latent = [add("KSampler", model=given[name], latent_image=latent, **numbers, **links), 0]
        last = latent[0]
    elif node_type == OURS + "LongVideoCustom":
        empty = add("EmptyHunyuanLatentVideo", **SIZE)
        noise, latent = add("RandomNoise", noise_seed=given["seed"]), [empty, 0]
        for expert in ("", "_low_noise"):
            if "guider" + expert in given:
                links = {name: given.get(name + expert, given[name]) for name in ("guider", "sampler", "sigmas")}
                latent = [add("SamplerCustomAdvanced", noise=[noise, 0], latent_image=latent, **links), 0]
        last = latent[0]
    else:
        return None
    save = add("SaveLatent", samples=[last, 0], filename_prefix=PREFIX)
    return reachable(made, save)


def reachable(prompt: dict, *ends: str) -> dict:
    """The nodes that these need, and they themselves."""
    found, queue = set(), list(ends)
    while queue:
        number = queue.pop()
        if number not in found:
            found.add(number)
            queue += [value[0] for value in prompt[number]["inputs"].values() if isinstance(value, list)]
    return {number: node for number, node in prompt.items() if number in found}
