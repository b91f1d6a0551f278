"""Prompts as the sampler reads them: each text encoded once, and two mixed while one takes over from the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ..prompts import ChunkPrompt, Keyframe, Lora
from .checks import check_interrupt

Conditioning = list
"""The host's: a list of ``[tokens (1, n, c), options]``."""
TEXT = ("pooled_output", "attention_mask")
"""Options that belong to the text."""


def encode_keyframes(
    keyframes: Sequence[Keyframe], clip: Any, encoder: Callable[[tuple[Lora, ...]], Any]
) -> tuple[tuple[Conditioning, Conditioning], ...]:
    """Positive and negative conditioning of each keyframe; what is encoded already is taken as it is.

    Args:
        clip: the host's CLIP, or None.
        encoder: a set of LoRAs to the CLIP that they are applied to.

    Raises:
        ValueError: if there is a text and no ``clip``, or two keyframes of a transition cannot be mixed.
    """
    done: dict[tuple, Conditioning] = {}

    def encode(name: str, number: int, value: Any, loras: tuple[Lora, ...]) -> Conditioning:
        if not isinstance(value, str):
            return value
        if clip is None:
            raise ValueError(
                f"clip: the {name} prompt {number} is a text. Connect clip so that it can be encoded, or give a "
                "conditioning."
            )
        key = (value, loras)
        if key not in done:
            check_interrupt()  # a text takes seconds, and there may be many
            target = encoder(loras)
            done[key] = target.encode_from_tokens_scheduled(target.tokenize(value))
        return done[key]

    pairs = tuple(
        (
            encode("positive", number, keyframe.positive, keyframe.loras),
            encode("negative", number, keyframe.negative, keyframe.loras),
        )
        for number, keyframe in enumerate(keyframes, 1)
    )
    for number, (keyframe, before, after) in enumerate(zip(keyframes[1:], pairs, pairs[1:], strict=False), 2):
        for name, a, b in zip(("positive", "negative"), before, after, strict=True):
            if keyframe.transition and len(a) != len(b):
                raise ValueError(
                    f"prompt_stack: the transition to prompt {number} would mix {name} conditionings of {len(a)} and "
                    f"{len(b)} parts. Set its transition to 0, or combine fewer."
                )
    return pairs


def mix_prompts(
    pairs: Sequence[tuple[Conditioning, Conditioning]], chunk_prompt: ChunkPrompt
) -> tuple[Conditioning, Conditioning]:
    """Positive and negative conditioning of a chunk."""
    if len(chunk_prompt.shares) < 2:
        return pairs[chunk_prompt.shares[0][0] if chunk_prompt.shares else 0]
    positive, negative = (
        mix_conditioning([(pairs[index][side], share) for index, share in chunk_prompt.shares]) for side in (0, 1)
    )
    return positive, negative


def mix_conditioning(parts: Sequence[tuple[Conditioning, float]]) -> Conditioning:
    """Conditionings of as many items each, mixed in some shares.

    Items whose options are the same become one: tokens are averaged, shorter texts filled up with zeros, as the host's
    ConditioningAverage does; for Wan a zero is a token that says nothing. Items that differ in area, mask, hooks, steps
    or whatever else stay apart, with strengths by their shares, by which the host averages what the model predicts for
    each: a model call more.
    """
    mixed = []
    for items in zip(*(conditioning for conditioning, _ in parts), strict=True):
        shares = [share for _, share in parts]
        if not all(_same(_options(items[0]), _options(item)) for item in items[1:]):
            for (tokens, options), share in zip(items, shares, strict=True):
                mixed.append([tokens, {**options, "strength": share * options.get("strength", 1.0)}])
            continue
        tokens = _mix([item[0] for item in items], shares)
        options = dict(items[-1][1])
        pooled = [item[1].get("pooled_output") for item in items]
        if all(value is not None for value in pooled):
            options["pooled_output"] = sum(share * value for share, value in zip(shares, pooled, strict=True))
        masks = [item[1].get("attention_mask") for item in items]
        if all(mask is not None for mask in masks):
            longest = max(masks, key=lambda mask: mask.sum())
            options["attention_mask"] = F.pad(longest, (0, tokens.shape[1] - longest.shape[-1]))
        mixed.append([tokens, options])
    return mixed


def _options(item: Sequence) -> dict:
    """What an item asks for besides its text."""
    return {name: value for name, value in item[1].items() if name not in TEXT}


def _same(a: Any, b: Any) -> bool:
    """Whether two options are sure to mean the same."""
    if a is b:
        return True
    if type(a) is not type(b):
        return False
    if isinstance(a, Tensor):
        return a.shape == b.shape and a.dtype == b.dtype and torch.equal(a, b.to(a.device))
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(_same(value, b[name]) for name, value in a.items())
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(_same, a, b))
    return isinstance(a, (str, int, float, bool)) and a == b


def _mix(tokens: list[Tensor], shares: list[float]) -> Tensor:
    length = max(value.shape[1] for value in tokens)
    filled = [F.pad(value, (0, 0, 0, length - value.shape[1])) for value in tokens]
    return sum((share * value for share, value in zip(shares, filled, strict=True)), torch.zeros_like(filled[0]))
