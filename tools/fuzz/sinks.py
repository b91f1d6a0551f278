"""Where a graph's results go so that they can be compared: pictures as PNG, latents as they are."""

from __future__ import annotations

from .catalog import Catalog

SINKS = {"IMAGE": "SaveImage", "LATENT": "SaveLatent", "MASK": "MaskToImage", "VIDEO": "GetVideoComponents"}
"""What saves a type, or turns it into pictures."""
SAVERS = ("SaveImage", "SaveLatent")
PREFIX = "fuzz/made"


def add_sinks(catalog: Catalog, prompt: dict, number: str) -> None:
    """Save all that a node gives and that can be compared."""
    for slot, given in enumerate(catalog.known[prompt[number]["class_type"]].outputs):
        if given in SINKS:
            _save(prompt, given, [number, slot])


def _save(prompt: dict, given: str, link: list) -> None:
    kind = SINKS[given]
    number = str(1 + max(map(int, prompt)))
    if kind in SAVERS:
        name = "images" if kind == "SaveImage" else "samples"
        prompt[number] = {"class_type": kind, "inputs": {name: link, "filename_prefix": PREFIX}}
        return
    prompt[number] = {"class_type": kind, "inputs": {"mask" if given == "MASK" else "video": link}}
    _save(prompt, "IMAGE", [number, 0])


def savers(prompt: dict) -> list[str]:
    """Ids of the nodes whose files are compared."""
    return [
        number
        for number, node in prompt.items()
        if node["class_type"] in SAVERS and node["inputs"].get("filename_prefix") == PREFIX
    ]


def with_prefix(prompt: dict, prefix: str) -> dict:
    """The prompt saving under another name, so that the host's cache does not stand in for what it saves."""
    renamed = {number: prompt[number]["inputs"] | {"filename_prefix": prefix} for number in savers(prompt)}
    return prompt | {number: prompt[number] | {"inputs": inputs} for number, inputs in renamed.items()}
