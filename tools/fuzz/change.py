"""One thing of a prompt changed: a value, a link, or a node put between two."""

from __future__ import annotations

import copy
from collections.abc import Callable
from random import Random

from .catalog import RUN_NAME, Catalog
from .generator import Builder
from .sinks import SAVERS
from .values import ordinary, outside

TRIES = 20
HIDDEN = {"MODEL", "CONDITIONING", "SAMPLER", "GUIDER", "SIGMAS", "HOOKS", "HOOK_KEYFRAMES", "CLIP"}
"""Types of objects that tell nobody what they were made from."""
WEIGHTS = {"value": 55, "outside": 10, "link": 15, "between": 20}
PATHS = ("MODEL", "CONDITIONING", "SAMPLER", "GUIDER", "LATENT", "SIGMAS", "HOOKS", "CLIP", "VAE", "IMAGE", "MASK")
"""Types that a node is put between."""


def change(catalog: Catalog, dice: Random, prompt: dict, run_name: str) -> tuple[dict, str]:
    """Another prompt and, in a few words, what is other; the prompt given stays as it is."""
    for _ in range(TRIES):
        (way,) = dice.choices(list(WEIGHTS), list(WEIGHTS.values()))
        builder = Builder(catalog, dice, run_name, copy.deepcopy(prompt), bad=0)
        builder.sampling = 0
        numbers = [each for each, node in prompt.items() if node["class_type"] not in SAVERS]
        (number,) = dice.choices(numbers, [_weight(catalog, prompt[each]["class_type"]) for each in numbers])
        builder.banned = _fed(builder, number)
        said = WAYS[way](builder, number)
        if said and builder.prompt != prompt:
            return builder.prompt, said
    return copy.deepcopy(prompt), "nothing"


def _weight(catalog: Catalog, name: str) -> int:
    """What is changed on the way from a model to the sampler is hardest for us to see."""
    kind = catalog.known[name]
    given, taken = set(kind.outputs), {each for declared in kind.sockets() for each in declared.types}
    return 4 if given & HIDDEN and (given & taken or "HOOKS" in given) else 2 if given & HIDDEN else 1


def _value(builder: Builder, number: str) -> str:
    return _set(builder, number, ordinary)


def _outside(builder: Builder, number: str) -> str:
    return _set(builder, number, lambda kind, declared, dice, run_name: outside(declared, dice))


def _set(builder: Builder, number: str, draw: Callable) -> str:
    node = builder.prompt[number]
    kind = builder.catalog.known[node["class_type"]]
    widgets = [each for each in kind.widgets() if each.name in node["inputs"]]
    if not widgets:
        return ""
    declared = builder.dice.choice(widgets)
    if declared.name == RUN_NAME and draw is ordinary:
        return ""
    old, new = node["inputs"][declared.name], draw(kind, declared, builder.dice, builder.run_name)
    node["inputs"][declared.name] = new
    return "" if old == new else f"{kind.name}.{declared.name}: {old!r} -> {str(new)[:40]!r}"


def _link(builder: Builder, number: str) -> str:
    node = builder.prompt[number]
    kind = builder.catalog.known[node["class_type"]]
    linked = [each for each in kind.sockets() if each.name in node["inputs"]]
    if not linked:
        return ""
    declared = builder.dice.choice(linked)
    if not declared.required and builder.dice.random() < 0.3:
        del node["inputs"][declared.name]
        return f"{kind.name}.{declared.name} disconnected"
    link = builder.link(declared.types, 1, reuse=0)
    if link is None:
        return ""
    node["inputs"][declared.name] = link
    return f"{kind.name}.{declared.name} from {builder.prompt[link[0]]['class_type']}"


def _between(builder: Builder, number: str) -> str:
    node, catalog = builder.prompt[number], builder.catalog
    kind = catalog.known[node["class_type"]]
    linked = [each for each in kind.sockets() if each.name in node["inputs"] and set(each.types) & set(PATHS)]
    if not linked:
        return ""
    declared = builder.dice.choice(linked)
    takers = [
        (maker, each)
        for maker in catalog.makers_of(declared.types)
        for each in maker.sockets()
        if each.required and each.types == declared.types
    ]
    if not takers:
        return ""
    maker, socket = builder.dice.choice(takers)
    placed = builder.node(maker, 1, **{socket.name: node["inputs"][declared.name]})
    node["inputs"][declared.name] = [placed, builder.dice.choice(catalog.slots(maker, declared.types))]
    return f"{maker.name} before {kind.name}.{declared.name}"


def _fed(builder: Builder, number: str) -> set[str]:
    """The node and all that it feeds, which must not come to feed it."""
    found = {number}
    while True:
        more = {
            each
            for each, node in builder.prompt.items()
            if any(isinstance(value, list) and value[0] in found for value in node["inputs"].values())
        }
        if more <= found:
            return found
        found |= more


WAYS: dict[str, Callable[[Builder, str], str]] = {
    "value": _value,
    "outside": _outside,
    "link": _link,
    "between": _between,
}
