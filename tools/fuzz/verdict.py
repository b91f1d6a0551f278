"""How a scenario went."""

from __future__ import annotations

from dataclasses import dataclass, field

from .outcome import Outcome

FAULT, UNSTEADY, REMADE, FINE = "fault", "unsteady", "made again", "fine"
"""Unsteady: two fresh runs differ. Made again: chunks of an unchanged prompt, after a restart; where the pack cannot
tell that it is unchanged, that is right."""


class FaultFound(Exception):
    """Something that must hold does not."""

    def __init__(self, step: str, words: str):
        super().__init__(f"{step}: {words}")
        self.step, self.words = step, words


class UnsteadyError(Exception):
    """Two fresh runs of one prompt differ."""


@dataclass
class Verdict:
    """How a scenario went."""

    kind: str
    step: str = ""
    words: str = ""
    outcomes: list[tuple[str, Outcome]] = field(default_factory=list)

    @property
    def first(self) -> str:
        """How the first prompt went, once it was let run."""
        return next((outcome.kind for step, outcome in self.outcomes if step == "first"), "")
