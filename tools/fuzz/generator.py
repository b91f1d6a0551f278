"""Random valid prompts around one of our nodes, of the host's own kinds; the same seed gives the same prompt."""

from __future__ import annotations

from random import Random
from typing import Any

from ..graph import OURS
from .catalog import Catalog, Input, Kind, value_of
from .odds import BAD, BASIC, DEPTH, LINKED, MANNERS, NEVER, OPTIONAL, PLAIN, REUSED, ROOTS, SPOILED, WIDGET
from .sinks import SINKS, add_sinks
from .values import ordinary, outside, settle


class Builder:
    """Adds nodes to a prompt in the API format.

    Args:
        dice: draws everything.
        run_name: of every run that the prompt keeps.
        prompt: to add to.
        bad: how often a value is outside what a widget allows.
    """

    def __init__(self, catalog: Catalog, dice: Random, run_name: str, prompt: dict | None = None, bad: float = 0):
        self.catalog, self.dice, self.run_name, self.bad = catalog, dice, run_name, bad
        self.prompt: dict = {} if prompt is None else prompt
        self.sampling = 2
        """How many more nodes may run a model for some steps."""
        self.banned: set[str] = set()
        """Ids of nodes that nothing new may be linked to."""

    def node(self, kind: Kind, depth: int, **links: list) -> str:
        """A node of this kind and all that it needs; returns its id."""
        inputs: dict[str, Any] = {}
        wanted, unwanted = self._manner(kind)
        for declared in kind.inputs:
            if declared.name in links:
                inputs[declared.name] = links[declared.name]
            elif declared.widget:
                inputs[declared.name] = self._value(kind, declared, depth)
            elif declared.required or declared.name in wanted or self._is_linked(declared, unwanted, depth):
                link = self.link(declared.types, depth - 1)
                if link is not None:
                    inputs[declared.name] = link
        settle(inputs, self.dice)
        number = str(1 + max((int(each) for each in self.prompt), default=0))
        self.prompt[number] = {"class_type": kind.name, "inputs": inputs}
        return number

    def link(self, types: tuple[str, ...], depth: int, reuse: float = REUSED) -> list | None:
        """An output of one of these types, of a node that is there or of a new one."""
        if types == ("*",):
            types = ("IMAGE",)
        there = self._there(types)
        if there and self.dice.random() < (reuse if depth > 0 else 0.9):
            return self.dice.choice(there)
        kind = self._choose(types, depth)
        if kind is None:
            return self.dice.choice(there) if there else None
        if _samples(kind):
            self.sampling -= 1
        again = [link for link in there if self.prompt[link[0]]["class_type"] == kind.name]
        if again and not kind.inputs:  # loading the same again says nothing
            return again[0]
        number = self.node(kind, depth)
        return [number, self.dice.choice(self.catalog.slots(kind, types))]

    def _there(self, types: tuple[str, ...]) -> list[list]:
        free = {number: node for number, node in self.prompt.items() if number not in self.banned}
        kinds = {number: self.catalog.known[node["class_type"]] for number, node in free.items()}
        return [[number, slot] for number, kind in kinds.items() for slot in self.catalog.slots(kind, types)]

    def _choose(self, types: tuple[str, ...], depth: int) -> Kind | None:
        makers = self.catalog.makers_of(types, self._may)
        if not makers:
            return None
        least = min(self.catalog.depths[kind.name] for kind in makers)
        plain = [kind for kind in makers if kind.name in BASIC.get(types[0], ())]
        plain = plain or [kind for kind in makers if self.catalog.depths[kind.name] == least]
        if depth <= 0 or self.dice.random() < PLAIN.get(types[0], 0.3):
            return self.dice.choice(plain)
        return self.dice.choices(makers, [_weight(kind, types) for kind in makers])[0]

    def _may(self, kind: Kind) -> bool:
        return kind.name not in NEVER and (self.sampling > 0 or not _samples(kind))

    def _is_linked(self, declared: Input, unwanted: set[str], depth: int) -> bool:
        if declared.name in unwanted:
            return self.dice.random() < 0.02
        return self.dice.random() < LINKED.get(declared.name, OPTIONAL if depth > 0 else 0)

    def _manner(self, kind: Kind) -> tuple[tuple[str, ...], set[str]]:
        manners = MANNERS.get(kind.name)
        if manners is None:
            return (), set()
        wanted = self.dice.choice(manners)
        return wanted, {name for manner in manners for name in manner} - set(wanted)

    def _value(self, kind: Kind, declared: Input, depth: int) -> Any:
        if depth > 1 and declared.required and declared.choices is None and self.dice.random() < WIDGET:
            link = self.link(tuple(declared.types[0].split(",")), 0)
            if link is not None:
                return link
        if self.dice.random() < self.bad:
            return outside(declared, self.dice)
        if not declared.required and self.dice.random() < 0.5:
            return value_of(declared)
        return ordinary(kind, declared, self.dice, self.run_name)


def generate(catalog: Catalog, dice: Random, run_name: str, spoiled: float = SPOILED) -> dict:
    """A prompt around one of our nodes, whose pictures and latents are saved.

    Args:
        spoiled: the share of prompts that may have values outside of what widgets allow.
    """
    builder = Builder(catalog, dice, run_name, bad=BAD if dice.random() < spoiled else 0)
    roots = [kind for kind in catalog.kinds.values() if kind.ours and set(kind.outputs) & set(SINKS)]
    (root,) = dice.choices(roots, [ROOTS.get(kind.name, 1) for kind in roots])
    if root.name == OURS + "AssembleVideo":
        number = builder.node(root, DEPTH, state=_taken_apart(builder))
    else:
        builder.sampling -= _samples(root)
        number = builder.node(root, DEPTH)
    add_sinks(catalog, builder.prompt, number)
    return builder.prompt


def _taken_apart(builder: Builder) -> list:
    """The loop as nodes: a plan, and two times guide, sampler, finish; returns the last state."""
    kinds = builder.catalog.kinds
    vae = [builder.node(kinds[OURS + "TinyModels"], 0), 2]
    plan = builder.node(kinds[OURS + "PlanVideo"], DEPTH - 1)
    state = [plan, kinds[OURS + "PlanVideo"].outputs.index("WAN_MOTION_CHUNK_STATE")]
    guide_kind, finish_kind = kinds[OURS + "GuideNextChunk"], kinds[OURS + "FinishChunk"]
    for _ in range(2):
        guide = builder.node(guide_kind, DEPTH - 1, state=state, vae=vae)
        given = {name: [guide, slot] for slot, name in enumerate(guide_kind.names)}
        links = {name: given[name] for name in ("model", "positive", "negative")}
        sampler = builder.node(kinds["KSampler"], 0, latent_image=given["latent"], **links)
        finish = builder.node(finish_kind, 0, state=given["state"], latent=[sampler, 0], vae=vae)
        state = [finish, finish_kind.outputs.index("WAN_MOTION_CHUNK_STATE")]
    return state


def _weight(kind: Kind, types: tuple[str, ...]) -> int:
    """What changes such a thing is more to the point than what else makes it, and hooks are hardest to see."""
    taken = {each for declared in kind.sockets() for each in declared.types}
    return (3 if taken & set(types) else 1) * (4 if "HOOKS" in taken else 1)


def _samples(kind: Kind) -> bool:
    """Whether it runs a model for some steps."""
    takes = {each for declared in kind.sockets() for each in declared.types}
    return "LATENT" in kind.outputs and bool(takes & {"MODEL", "GUIDER"})
