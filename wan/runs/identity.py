"""What tells inputs of a chunk apart, and what of them nothing can."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Identity:
    """Inputs as far as they can be told apart."""

    digest: str
    """Of everything understood; equal in every process for equal inputs."""
    unknown: tuple[str, ...] = ()
    """What could not be fingerprinted, as a user can find it."""
    token: str = ""
    """Empty if nothing is unknown; else bound to these live objects of this process."""
