"""From values to trees: everything that can be read is, whatever it is in; what cannot is counted as unknown."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from .live import looked_at, record_of, serial_of
from .models import register
from .trees import Branch, Record, Tree, Unknown, describe
from .values import label_of, read_value

MOST = 200_000
"""Values that are looked at for one identity."""
NOT_OURS = {"InterruptProcessingException", "OutOfMemoryError"}
"""Names of exceptions of the host's and PyTorch's that end a job wherever they are raised."""
DEEPEST = 40
"""Containers, one in another, between two live objects."""


class Walk:
    """One look at values, and at all that they refer to."""

    def __init__(self, follow: bool = True):
        """
        Args:
            follow: whether live objects are looked into that the first one refers to.
        """
        self.follow = follow
        self.bases: set[int] = set()
        """``id`` of each base model whose weights were read."""
        self._at: Any = None
        """What is being read."""
        self._seen: dict[int, tuple[Any, Record]] = {}
        self._next: list[tuple[Any, Record, Callable[[Any, Walk], Tree]]] = []
        self._within: list[int] = []
        self._count = 0

    def look(self, values: Iterable[Any]) -> Tree:
        """The tree of values; every record in it has been looked at."""
        values, found = list(values), []
        for value in values:
            try:
                register(value, self)
            except Exception as error:  # noqa: BLE001  as in read
                _stranger(value, error)
        for at, value in enumerate(values):
            self._at = value
            found.append(("" if len(values) == 1 else f"[{at}]", self.read(value)))
        while self._next:
            self._at, record, reader = self._next.pop()
            looked_at(self._at, record, _tree(self._at, reader, self), _alone(reader))
        return Branch("", tuple(found))

    def read(self, value: Any) -> Tree:
        """The tree of one value."""
        self._count += 1
        if self._count > MOST or len(self._within) > DEEPEST:
            return Unknown("too much to look at", serial_of(self._at))
        try:
            return read_value(value, self)
        except Exception as error:  # noqa: BLE001  values of other packs raise whatever they like
            return _stranger(value, error)

    def inside(self, value: Any, kind: str, items: Callable[[], Iterable[tuple[str, Any]]], ordered=True) -> Tree:
        """What a container holds; ``items`` gives values by their names."""
        return self._within_it(
            value, lambda: Branch(kind, tuple((name, self.read(item)) for name, item in list(items())), ordered)
        )

    def mapping(self, value: Any, kind: str) -> Tree:
        """Keys with what they stand for, in whatever order."""
        return self._within_it(
            value,
            lambda: Branch(
                kind,
                tuple(
                    (label_of(key), Branch("", (("key", self.read(key)), ("", self.read(item)))))
                    for key, item in list(value.items())
                ),
                ordered=False,
            ),
        )

    def live(self, value: Any, reader: Callable[[Any, Walk], Tree]) -> Tree:
        """An object that lives on: its record. It is read later, so that its own tree depends on nothing around it."""
        if id(value) in self._seen:
            return self._seen[id(value)][1]
        record = record_of(value)
        if record is None:
            return self._within_it(value, lambda: reader(value, self))
        self._seen[id(value)] = value, record
        if self.follow:
            self._next.append((value, record, reader))
        return record

    def _within_it(self, value: Any, read: Callable[[], Tree]) -> Tree:
        """What ``read`` gives; for a value that is in itself, how far out it is."""
        if id(value) in self._within:
            return f"within {len(self._within) - self._within.index(id(value))}".encode()
        self._within.append(id(value))
        try:
            return read()
        finally:
            self._within.pop()


def _alone(reader: Callable[[Any, Walk], Tree]) -> Callable[[Any], Tree]:
    return lambda value: _tree(value, reader, Walk(follow=False))


def _tree(value: Any, reader: Callable[[Any, Walk], Tree], walk: Walk) -> Tree:
    try:
        return reader(value, walk)
    except Exception as error:  # noqa: BLE001  as in read
        return _stranger(value, error)


def _stranger(value: Any, error: Exception) -> Unknown:
    """A value that is stranger than any that we know; raises errors that say nothing of it."""
    if isinstance(error, MemoryError) or type(error).__name__ in NOT_OURS:
        raise error
    return Unknown(type(value).__qualname__, serial_of(value))


def describe_values(values: Iterable[Any]) -> tuple[str, list[tuple[str, int]]]:
    """The digest of values, and what is unknown in them; see :func:`~wan.identity.trees.describe`."""
    return describe(Walk().look(values))
