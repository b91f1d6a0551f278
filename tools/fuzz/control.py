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
        positive, negative = given.get("positive"), given.get("negative")
        if not positive or not negative:
            clip = given.get("clip")
            if clip is None:
                return None
            text = given.get("prompt", "")
            positive = positive or [add("CLIPTextEncode", clip=clip, text=text), 0]
            negative = negative or [add("CLIPTextEncode", clip=clip, text=given.get("negative_prompt", "")), 0]
        links = {"vae": given["vae"], "start_image": given["start_image"]}
        start = add("WanImageToVideo", positive=positive, negative=negative, **links, **SIZE)
        names = ("model", "seed", "steps", "cfg", "sampler_name", "scheduler")
        links = {"positive": [start, 0], "negative": [start, 1], "latent_image": [start, 2], "denoise": 1.0}
        last = add("KSampler", **{name: given[name] for name in names}, **links)
    elif node_type == OURS + "LongVideoCustom":
        empty = add("EmptyHunyuanLatentVideo", **SIZE)
        noise = add("RandomNoise", noise_seed=given["seed"])
        links = {name: given[name] for name in ("guider", "sampler", "sigmas")}
        last = add("SamplerCustomAdvanced", noise=[noise, 0], latent_image=[empty, 0], **links)
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
