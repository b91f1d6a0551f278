"""What tells the inputs of a chunk apart: a digest of all that is understood of them, and what is not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .live import leave as leave
from .live import token
from .walk import describe_values


@dataclass(frozen=True)
class Identity:
    """What values are, for whoever asks whether they are the same as before."""

    digest: str
    """Of everything that is understood; equal in every process for equal values."""
    unknown: tuple[str, ...] = ()
    """What is not, and where in the values: ``lock at model_options.transformer_options.wrappers``."""
    token: str = ""
    """A digest of the live objects that are unknown, which no other process gives; empty without any."""


def digest(*values: Any) -> str:
    """A digest of any values: equal for equal ones, in every process; see :func:`identify`."""
    return describe_values(values)[0]


def identify(*values: Any) -> Identity:
    """The identity of any values.

    Numbers, texts, tensors and containers are taken in whole, functions by what they do and hold on to, objects by
    their class and attributes, models of the host's by their weights and what nodes put on them. What our own jobs
    changed since the values were first looked at is no part of it; see :mod:`~wan.identity.live`.
    """
    digest, unknown = describe_values(values)
    return Identity(
        digest, tuple(dict.fromkeys(words for words, _ in unknown)), token([serial for _, serial in unknown])
    )


def identify_model(patcher: Any) -> Identity:
    """The identity of a host's MODEL: weights, LoRAs, and what nodes such as ModelSamplingSD3 changed."""
    return identify(patcher)


def identify_vae(vae: Any) -> Identity:
    """The identity of a host's VAE: weights, and how it prepares pictures."""
    return identify(vae)
