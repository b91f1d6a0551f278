"""The chunk files of a run's folder: for each place of the video the takes that were made for it, by name alone."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

NAME = "chunk_{:04d}_take_{:02d}_{}{}.safetensors"
PATTERN = re.compile(r"chunk_([0-9]{4,9})_take_([0-9]{2,9})_([0-9a-f]{16})(_[0-9a-f]{8})?\.safetensors")
MOST = 10**6
"""Takes of a chunk; a stranger's file of a higher number does not count."""
OLD = re.compile(r"chunk_[0-9]{4,9}\.safetensors")
"""What chunks of 0.1.0 were called, of which a place had one."""


@dataclass(frozen=True)
class Take:
    """A chunk file, as far as its name tells; it holds what its facts say."""

    name: str
    index: int
    """Of the chunk; counts from 0."""
    number: int
    """Counts the takes of a chunk from 1, in the order in which they were made."""
    address: str
    """The beginning of its fingerprint."""
    token: str
    """The beginning of its token; empty without one."""

    @property
    def order(self) -> tuple[int, int, str]:
        return self.index, self.number, self.name


def name_take(index: int, number: int, fingerprint: str, token: str) -> Take:
    """What a chunk's file is called."""
    address, short = fingerprint[:16], token[:8]
    return Take(NAME.format(index + 1, number, address, short and f"_{short}"), index, number, address, short)


def parse_take(name: str) -> Take | None:
    """The take that a file is called; None for any other file."""
    found = PATTERN.fullmatch(name)
    if found is None or int(found[1]) < 1 or int(found[2]) < 1:
        return None
    return Take(name, int(found[1]) - 1, int(found[2]), found[3], (found[4] or "")[1:])


class Takes:
    """The takes of a run, as they are on disk."""

    def __init__(self, folder: Path):
        self.folder = folder
        self._takes: dict[int, dict[str, Take]] = {}
        self.old = 0
        """Files of 0.1.0, which are not read."""
        for name in _names(folder):
            take = parse_take(name)
            if take is not None:
                self.add(take)
            self.old += OLD.fullmatch(name) is not None

    def __iter__(self) -> Iterator[Take]:
        """All of them, in order."""
        for index in sorted(self._takes):
            yield from self.of(index)

    def of(self, index: int) -> list[Take]:
        """The takes of a chunk, in the order in which they were made."""
        return sorted(self._takes.get(index, {}).values(), key=lambda take: take.order)

    def find(self, index: int, fingerprint: str, token: str | None) -> list[Take]:
        """The takes of a chunk that were made from something, the newest first.

        Args:
            token: of what no fingerprint tells; None takes any.
        """
        address = fingerprint[:16]
        return [
            take
            for take in reversed(self.of(index))
            if take.address == address and (token is None or take.token == token[:8])
        ]

    def next_number(self, index: int) -> int:
        numbers = (take.number for take in self._takes.get(index, {}).values())
        return max((number for number in numbers if number < MOST), default=0) + 1

    def add(self, take: Take) -> None:
        self._takes.setdefault(take.index, {})[take.name] = take

    def remove(self, take: Take) -> None:
        self._takes.get(take.index, {}).pop(take.name, None)

    def path(self, take: Take) -> Path:
        return self.folder / take.name

    def size(self, take: Take) -> int:
        """Bytes on disk; 0 where there is no such file any more."""
        try:
            return os.stat(self.path(take)).st_size
        except OSError:
            return 0


def list_files(folder: Path) -> list[tuple[str, int, int, int]]:
    """What can be seen of a run's files without reading them; changes whenever one does."""
    found = []
    for name in _names(folder):
        if parse_take(name) is not None or name == "run.json":
            try:
                status = os.stat(folder / name)
            except FileNotFoundError:  # it is being replaced, or is a link to nothing
                continue
            found.append((name, status.st_size, status.st_mtime_ns, status.st_ino))
    return found


def _names(folder: Path) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entry.name for entry in entries)
    except (FileNotFoundError, NotADirectoryError):
        return []
