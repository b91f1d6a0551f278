"""The tiny text encoder: a fixed pseudo-random vector per word, with a share of its clause mixed in.

Wan reads 4096 numbers per token and its cross-attention knows nothing of word order. UMT5 tells the
model which words belong together; here the mean of a clause does, so that in ``a red ball moves
left, a blue ball moves right`` each direction carries its color.
"""

from __future__ import annotations

import functools
import re
import zlib

import torch
from torch import Tensor

WIDTH = 4096
TOKENS = 24
"""Shorter prompts are filled up to this many tokens, so that training and use see the same length."""
END = "<end>"


def split_words(text: str) -> list[list[str]]:
    """Lower-case words, one list per clause (separated by ``, . ; :`` or a line break)."""
    clauses = [re.findall(r"[^\W_]+", clause) for clause in re.split(r"[,.;:\n]+", text.lower())]
    return [words for words in clauses if words]


def embed_text(text: str) -> Tensor:
    """``(max(words, TOKENS), 4096)`` float32, elements of about unit variance; an empty text is all end marks."""
    rows = []
    for words in split_words(text):
        vectors = torch.stack([word_vector(word) for word in words])
        clause = vectors.sum(0) / len(words) ** 0.5
        rows.append((vectors + clause) / 2**0.5)
    missing = TOKENS - sum(len(row) for row in rows)
    if missing > 0:
        rows.append(word_vector(END).expand(missing, WIDTH))
    return torch.cat(rows)


@functools.lru_cache(maxsize=4096)
def word_vector(word: str) -> Tensor:
    """``(4096,)``: standard normal numbers drawn from a seed that the word's letters give."""
    generator = torch.Generator().manual_seed(zlib.crc32(word.encode()))
    return torch.randn(WIDTH, generator=generator)
