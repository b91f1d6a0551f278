"""A prompt, the same with one thing changed, and what happens in between."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from random import Random
from typing import Any

from ..graph import OURS
from .catalog import RUN_NAME, Catalog, value_of
from .change import change
from .generator import generate

EVENTS = {"nothing": 70, "interrupt": 13, "loss": 6, "kill": 5, "restart": 6}
LONGEST_DELAY = 2.5
KEEP, LOAD = OURS + "KeepRun", OURS + "LoadRun"
PLAIN = (RUN_NAME, "frames_in_memory", "vary_from", "variation", "overwrite", "takes_to_keep")
"""Inputs of Keep Run under which a video is what a fresh run makes; others, once set, ask for what is kept."""


@dataclass(frozen=True)
class Scenario:
    """What is tried in the host."""

    before: dict
    """A prompt in the API format."""
    after: dict
    said: str = "nothing"
    """What is changed."""
    event: str = "nothing"
    """``interrupt`` and ``kill`` come while the second prompt runs, which is queued again then; ``restart`` and
    ``loss``, of a file of the run, between the two."""
    early: bool = False
    """Whether ``interrupt`` and ``kill`` come while the first prompt runs instead."""
    delay: float = 1.0
    """Seconds from queueing to the event."""
    back: bool = False
    """Whether the first prompt is queued again in the end."""
    load: bool = False
    """Whether Load Run is asked for the video in the end."""
    run_name: str = "fuzz"

    def text(self) -> str:
        """One line of JSON, with the second prompt as its difference from the first."""
        content: dict[str, Any] = asdict(self)
        after = {number: node for number, node in self.after.items() if self.before.get(number) != node}
        gone = sorted(self.before.keys() - self.after.keys())
        return json.dumps(content | {"after": after} | ({"gone": gone} if gone else {}), ensure_ascii=True)


def read_scenario(text: str) -> Scenario:
    """What :meth:`Scenario.text` wrote."""
    content = json.loads(text)
    gone = content.pop("gone", ())
    kept = {number: node for number, node in content["before"].items() if number not in gone}
    return Scenario(**(content | {"after": kept | content["after"]}))


def draw(catalog: Catalog, seed: int, index: int, attempt: int = 0) -> Scenario:
    """The scenario of a seed, an index and an attempt; the same on every machine with the same host."""
    dice = Random(f"{seed}/{index}/{attempt}")
    name = f"fuzz-{index}-{attempt}"
    before = generate(catalog, dice, name)
    (event,) = dice.choices(list(EVENTS), list(EVENTS.values()))
    after, said = change(catalog, dice, before, name)
    if event == "restart" and dice.random() < 0.5:
        after, said = before, "nothing"
    early, delay = dice.random() < 0.5, round(dice.uniform(0.1, LONGEST_DELAY), 2)
    back, load = dice.random() < 0.3, dice.random() < 0.4
    return Scenario(before, after, said, event, early, delay, back, load, name)


def renamed(prompt: dict, old: str, new: str) -> dict:
    """The prompt with its runs kept under another name."""
    return {
        number: node | {"inputs": node["inputs"] | {RUN_NAME: new}} if node["inputs"].get(RUN_NAME) == old else node
        for number, node in prompt.items()
    }


def is_comparable(catalog: Catalog, prompt: dict) -> bool:
    """Whether the result is one that does not depend on what is kept already."""
    for node in prompt.values():
        if node["class_type"] == LOAD:
            return False
        if node["class_type"] == KEEP:
            declared = catalog.known[KEEP].by_name
            asked = [name for name in node["inputs"] if name in declared and name not in PLAIN]
            if any(node["inputs"][name] != value_of(declared[name]) for name in asked):
                return False
    return True


def is_kept(catalog: Catalog, prompt: dict) -> bool:
    """Whether nothing of it asks for chunks to be made again, or for more of them."""
    anew = any(node["inputs"].get("overwrite") for node in prompt.values() if node["class_type"] == KEEP)
    return not anew and is_comparable(catalog, prompt)
