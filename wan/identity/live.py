"""Live objects of this process: what each was when it was first looked at, and how the last job left it.

A patch may count, average or cache while it runs. What only our own jobs changed is no part of what a chunk is made
from: a fresh process begins without it. So an object that is as our last job left it counts as what it was before; one
that anybody else changed counts as what it is now.
"""

from __future__ import annotations

import itertools
import os
import weakref
from collections.abc import Callable
from hashlib import sha256
from typing import Any, Generic, TypeVar

from .trees import Record, Tree, sign

Held = TypeVar("Held")
MOST_HELD = 1000
"""Objects without weak references that are held on to, so that their serials stay theirs."""


class WeakIds(Generic[Held]):
    """A mapping from objects as such, whatever they are equal to; an entry goes with its object."""

    def __init__(self):
        self._held: dict[int, tuple[weakref.ref, Held]] = {}

    def get(self, value: Any) -> Held | None:
        reference, held = self._held.get(id(value), (None, None))
        return held if reference is not None and reference() is value else None

    def put(self, value: Any, held: Held) -> Held:
        """Raises TypeError if there are no weak references to such a value."""
        key = id(value)

        def drop(gone: weakref.ref) -> None:
            if self._held.get(key, (None,))[0] is gone:
                del self._held[key]

        self._held[key] = weakref.ref(value, drop), held
        return held


_NONCE = os.urandom(16).hex()
_serials = itertools.count(1)
_records: WeakIds[Record] = WeakIds()
_unknown: WeakIds[int] = WeakIds()
_strong: dict[int, tuple[Any, int]] = {}
_touched: dict[int, tuple[weakref.ref, Record, Callable[[Any], Tree]]] = {}
"""By serial: what was looked at since the last job ended, and how it is read."""


def record_of(value: Any) -> Record | None:
    """The record of a live object; None if there are no weak references to it."""
    try:
        return _records.get(value) or _records.put(value, Record(next(_serials)))
    except TypeError:
        return None


def serial_of(value: Any) -> int:
    """A number that no other object of this process has or had."""
    try:
        return _unknown.get(value) or _unknown.put(value, next(_serials))
    except TypeError:
        if id(value) not in _strong:
            if len(_strong) >= MOST_HELD:
                del _strong[next(iter(_strong))]
            _strong[id(value)] = value, next(_serials)
        return _strong[id(value)][1]


def looked_at(value: Any, record: Record, tree: Tree, read: Callable[[Any], Tree]) -> None:
    """Take in what a live object is now.

    Args:
        read: reads it again when the job ends, without what it refers to.
    """
    if record.first is None or record.left is None or record.left != sign(tree):
        record.first, record.left = tree, None
    _touched[record.serial] = weakref.ref(value), record, read


def token(serials: list[int]) -> str:
    """A digest of live objects that no other process gives, nor this one for others."""
    return sha256(f"{_NONCE}{sorted(set(serials))}".encode()).hexdigest() if serials else ""


def leave() -> None:
    """Note how a job leaves what it looked at: to be called when it ends, however it ends."""
    while _touched:
        _, (reference, record, read) = _touched.popitem()
        value = reference()
        if value is not None:
            record.left = sign(read(value))
