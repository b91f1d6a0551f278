"""Files of a run: names that stay in their folder, writes that are whole or not there, a lock that ends with a job."""

from __future__ import annotations

import contextlib
import json
import logging
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

logger = logging.getLogger(__name__)

FORMAT = "1"
LONGEST = 120
"""Bytes of a run's name: with what is appended to it file systems take 255."""
RESERVED = {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10))}


class RunError(Exception):
    """A run that cannot be kept; the message says why and what to do."""


def check_name(name: str) -> str:
    """The name of a run's folder.

    Raises:
        RunError: if it is empty or too long, or could name a place outside the folder of runs.
    """
    wrong = None
    if not name.strip() or name != name.strip():
        wrong = "is empty, or begins or ends with a space"
    elif len(name.encode()) > LONGEST:
        wrong = f"has {len(name.encode())} bytes, more than {LONGEST}"
    elif name[0] == "." or name[-1] == "." or not all(letter.isalnum() or letter in " ._-()" for letter in name):
        wrong = "may hold letters, digits, spaces and ._-() only, and no dot at either end"
    elif name.split(".")[0].lower() in RESERVED:
        wrong = "is a device's name on Windows"
    if wrong:
        raise RunError(f"run_name: {name!r} {wrong}. It is the name of one folder, such as my-video.")
    return name


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold a folder for this job; the operating system lets go of it when the job ends, however it ends.

    Raises:
        RunError: if another job holds it, or it cannot be written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = open(folder / "run.lock", "a+b")  # noqa: SIM115  closed below, after it is unlocked
    except OSError as error:
        raise RunError(
            f"run_name: {folder} cannot be written to ({error.strerror}). Free it, or name another."
        ) from error
    with handle:
        try:
            _lock(handle)
        except OSError:
            raise RunError(
                f"run_name: another job is making {folder.name}. Wait for it, or give this one another name."
            ) from None
        yield


def _lock(handle) -> None:
    if os.name == "nt":
        import msvcrt

        handle.seek(0)
        msvcrt.locking(handle.fileno(), msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


@dataclass(frozen=True)
class Facts:
    """What is known of a kept chunk besides its tensors."""

    index: int
    contract: str
    """Digest of everything that the chunk was made from, the chunk before included."""
    previous: str
    """Content digest of the chunk before; empty for the first."""
    start: int
    """The first frame that it added."""
    frames: int
    """How many it added."""
    tail: int
    """How many frames of the chunks before it changed, in its join."""
    planned_overlap: int
    """Of the plan, which may follow the speed."""
    intact: int
    line: str
    """Of the report."""
    excess: float | None
    """How far its seam stands out; see :attr:`~wan.state.ChunkState.excess`."""


def write_chunk(path: Path, facts: Facts, tensors: dict[str, Tensor]) -> str:
    """Write a chunk as a whole or not at all; returns the digest of its content.

    Raises:
        OSError: if the disk does not take it. What was there before stays.
    """
    content = _digest(facts, tensors)
    metadata = {"format": FORMAT, "facts": json.dumps(asdict(facts)), "content": content}

    def save(temporary: Path) -> None:
        try:
            save_file(tensors, temporary, metadata)
        except SafetensorError as error:  # which is no OSError, whatever the disk said
            raise OSError(str(error)) from error

    _replace(path, save)
    return content


def read_facts(path: Path) -> tuple[Facts, str] | None:
    """Facts and content digest of a chunk file, unread; None if there is none of ours."""
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
        if metadata.get("format") != FORMAT:
            raise ValueError("it is of another format")
        return Facts(**json.loads(metadata["facts"])), metadata["content"]
    except FileNotFoundError:
        return None
    except (SafetensorError, OSError, ValueError, KeyError, TypeError) as error:
        logger.warning("%s cannot be read and is made anew: %s", path.name, error)
        return None


def read_tensors(path: Path, names: tuple[str, ...] | None = None) -> dict[str, Tensor]:
    """The tensors of a chunk file, or those of them that are named."""
    with safe_open(path, framework="pt") as file:
        # Copied: a file that is still mapped cannot be replaced on Windows.
        return {name: file.get_tensor(name).clone() for name in file.keys() if names is None or name in names}  # noqa: SIM118


def is_whole(path: Path, facts: Facts, content: str) -> bool:
    """Whether a chunk file holds what was written, to the bit."""
    try:
        whole = _digest(facts, read_tensors(path)) == content
    except (SafetensorError, OSError) as error:
        logger.warning("%s is damaged and is made anew: %s", path.name, error)
        return False
    if not whole:
        logger.warning("%s is damaged and is made anew: its content is not what was written", path.name)
    return whole


def write_text(path: Path, text: str) -> None:
    """Write a text file as a whole or not at all."""
    _replace(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))


def _digest(facts: Facts, tensors: dict[str, Tensor]) -> str:
    known = {name: value for name, value in asdict(facts).items() if name not in ("line", "excess")}
    found = sha256(json.dumps(known, sort_keys=True).encode())
    for name, tensor in sorted(tensors.items()):
        found.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        found.update(memoryview(tensor.contiguous().view(torch.uint8).numpy()).cast("B"))
    return found.hexdigest()


def _replace(path: Path, write) -> None:
    temporary = path.with_name(f".{path.name}.part")
    try:
        write(temporary)
        with open(temporary, "rb+") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
    if os.name != "nt":
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
