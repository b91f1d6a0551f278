"""A failing scenario made smaller for as long as it fails: fewer nodes, fewer links, values as they are at first."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace

from .catalog import RUN_NAME, Catalog, value_of
from .control import reachable
from .scenario import Scenario
from .sinks import savers
from .values import SMALL

KEPT = (*SMALL, "chunk_frames", RUN_NAME)
"""Inputs whose first values would make a graph slow, or another one."""


def shrink(catalog: Catalog, scenario: Scenario, fails: Callable[[Scenario], bool], seconds: float) -> Scenario:
    """The smallest scenario found in the time that is given; ``fails`` tells whether one still does."""
    until = time.monotonic() + seconds
    smaller = True
    while smaller:
        smaller = False
        for candidate in _smaller(catalog, scenario):
            if time.monotonic() > until:
                return scenario
            if candidate != scenario and fails(candidate):
                scenario, smaller = candidate, True
                break
    return scenario


def _smaller(catalog: Catalog, scenario: Scenario) -> Iterator[Scenario]:
    """Candidates, those that take most away first."""
    if scenario.event != "nothing":
        yield replace(scenario, event="nothing")
    if scenario.back:
        yield replace(scenario, back=False)
    if scenario.load:
        yield replace(scenario, load=False)
    ends = set(savers(scenario.after))
    for end in sorted(ends):
        if len(ends) > 1:
            yield _both(scenario, lambda prompt, end=end: {key: node for key, node in prompt.items() if key != end})
    numbers = sorted({*scenario.before, *scenario.after}, key=int, reverse=True)
    for number in numbers:
        yield from _without(catalog, scenario, number)
    for number in numbers:
        yield from _plainer(catalog, scenario, number)


def _without(catalog: Catalog, scenario: Scenario, number: str) -> Iterator[Scenario]:
    """Optional links of a node gone, and nodes that it is linked to bypassed."""
    node = scenario.after.get(number) or scenario.before[number]
    kind = catalog.known[node["class_type"]]
    for name, value in node["inputs"].items():
        declared = kind.by_name.get(name)
        if not isinstance(value, list) or declared is None:
            continue
        if declared.widget:
            yield _both(scenario, lambda prompt, name=name, d=declared: _set(prompt, number, name, value_of(d)))
        elif not declared.required:
            yield _both(scenario, lambda prompt, name=name: _set(prompt, number, name, None))
        else:
            yield _both(scenario, lambda prompt, name=name: _bypass(catalog, prompt, number, name))


def _plainer(catalog: Catalog, scenario: Scenario, number: str) -> Iterator[Scenario]:
    """Each widget of a node as it is at first, where that is not too large to run."""
    before, after = scenario.before.get(number), scenario.after.get(number)
    if before is None or after is None:
        return
    kind = catalog.known[after["class_type"]]
    for name, value in after["inputs"].items():
        declared = kind.by_name.get(name)
        same = before["inputs"].get(name) == value
        if (
            declared is None
            or isinstance(value, list)
            or not same
            or name in SMALL
            or name in ("chunk_frames", RUN_NAME)
        ):
            continue
        if value != value_of(declared):
            yield _both(scenario, lambda prompt, name=name, d=declared: _set(prompt, number, name, value_of(d)))


def _both(scenario: Scenario, act: Callable[[dict], dict]) -> Scenario:
    """Both prompts changed alike, without what nothing saves any more."""
    made = [act(prompt) for prompt in (scenario.before, scenario.after)]
    before, after = (reachable(prompt, *savers(prompt)) for prompt in made)
    return replace(scenario, before=before, after=after)


def _set(prompt: dict, number: str, name: str, value: object) -> dict:
    """One input with another value, or gone for None."""
    if number not in prompt:
        return prompt
    inputs = {key: each for key, each in prompt[number]["inputs"].items() if key != name}
    if value is not None:
        inputs[name] = value
    return prompt | {number: prompt[number] | {"inputs": inputs}}


def _bypass(catalog: Catalog, prompt: dict, number: str, name: str) -> dict:
    """What an input is linked to, passed over: its own source of the same type stands in."""
    link = prompt.get(number, {"inputs": {}})["inputs"].get(name)
    if not isinstance(link, list):
        return prompt
    source = prompt[link[0]]
    kind = catalog.known[source["class_type"]]
    given = kind.outputs[link[1]]
    for declared in kind.sockets():
        if given in declared.types and isinstance(source["inputs"].get(declared.name), list):
            return _set(prompt, number, name, source["inputs"][declared.name])
    return prompt
