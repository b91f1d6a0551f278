"""What a value is made of, as a tree of bytes, and digests of such trees.

Objects that live on from job to job stand in a tree as a :class:`Record` of them, what cannot be read as an
:class:`Unknown`.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TypeAlias

LONGEST_PATH = 100
"""Characters of the place of something unknown."""


@dataclass(frozen=True)
class Branch:
    """A value that holds others."""

    kind: str
    items: tuple[tuple[str, Tree], ...]
    """What each is called, for the digest and for paths, and what it is."""
    ordered: bool = True


@dataclass(frozen=True)
class Unknown:
    """A value that has more to it than can be read."""

    kind: str
    serial: int
    """Of the live object."""


@dataclass(eq=False)
class Record:
    """A live object as it was first looked at, and as the last job left it."""

    serial: int
    first: Tree | None = None
    left: bytes | None = field(default=None)
    """:func:`sign` of it when the last job that looked at it ended."""


Tree: TypeAlias = bytes | Branch | Record | Unknown
Path: TypeAlias = "tuple[Path, str] | None"


def sign(tree: Tree) -> bytes:
    """A digest for this process: of what a tree holds itself, and of which live objects it refers to."""
    return _Fold(deep=False).fold(tree)


def describe(tree: Tree) -> tuple[str, list[tuple[str, int]]]:
    """The digest of a tree, in hexadecimal, and what is unknown in it: what it is and where, and its serial."""
    fold = _Fold(deep=True)
    return fold.fold(tree).hex(), fold.unknown


class _Fold:
    def __init__(self, deep: bool):
        self._deep = deep
        self._known: dict[int, bytes] = {}
        self._within: dict[int, int] = {}
        """How far in each record is that the current one is in: some refer to themselves."""
        self.unknown: list[tuple[str, int]] = []

    def fold(self, tree: Tree) -> bytes:
        """The digest of a tree. Trees are followed without recursion: objects may be in one another without end."""
        stack, found = [self._steps(tree, None)], b""
        while stack:
            try:
                asked = stack[-1].send(found) if found else next(stack[-1])
            except StopIteration as done:
                stack.pop()
                found = done.value
            else:
                stack.append(self._steps(*asked))
                found = b""
        return found

    def _steps(self, tree: Tree, path: Path) -> Generator[tuple[Tree, Path], bytes, bytes]:
        """Ask for the digests of what is in a tree, one after another; returns its own."""
        if isinstance(tree, bytes):
            return _leaf(tree)
        if isinstance(tree, Branch):
            return (yield from self._branch(tree, path))
        if not self._deep:
            return sha256(f"live {tree.serial}".encode()).digest()
        if isinstance(tree, Unknown):
            return self._lost(tree.kind, tree.serial, path)
        if tree.serial in self._within:
            return sha256(f"back {len(self._within) - self._within[tree.serial]}".encode()).digest()
        if tree.serial not in self._known:
            if tree.first is None:
                return self._lost("too much to look at", tree.serial, path)
            self._within[tree.serial] = len(self._within)
            self._known[tree.serial] = yield tree.first, path
            del self._within[tree.serial]
        return self._known[tree.serial]

    def _branch(self, tree: Branch, path: Path) -> Generator[tuple[Tree, Path], bytes, bytes]:
        parts = []
        # where values refer to each other, the first that is met has the others in it
        for name, item in tree.items if tree.ordered else sorted(tree.items, key=lambda each: each[0]):
            inner = _leaf(item) if isinstance(item, bytes) else (yield item, (path, name) if name else path)
            label = name.encode("utf-8", "surrogatepass")
            parts.append(b"%d:%b" % (len(label), label) + inner)
        kind = tree.kind.encode("utf-8", "surrogatepass")
        found = sha256(b"%d:%b of %d;" % (len(kind), kind, len(parts)))
        for part in parts if tree.ordered else sorted(parts):
            found.update(b"%d:%b" % (len(part), part))
        return found.digest()

    def _lost(self, kind: str, serial: int, path: Path) -> bytes:
        self.unknown.append((f"{kind} at {_written(path)}", serial))
        return sha256(b"? " + kind.encode("utf-8", "surrogatepass")).digest()


def _leaf(content: bytes) -> bytes:
    return sha256(b"=" + content).digest()


def _written(path: Path) -> str:
    parts: list[str] = []
    while path is not None:
        path, name = path
        parts.append(name if name.startswith("[") else f".{name}")
    words = "".join(reversed(parts)).removeprefix(".") or "the value itself"
    words = "".join(letter if letter.isprintable() else "?" for letter in words)
    return words if len(words) <= LONGEST_PATH else f"{words[: LONGEST_PATH // 2]}...{words[-LONGEST_PATH // 2 :]}"
