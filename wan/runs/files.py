"""Files of a run: written as a whole or not at all, and read only where they are what they say."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import re
import secrets
import stat
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from .facts import FRAMES, LATENTS, Facts, parse_facts
from .lock import NEW
from .names import RunError as RunError
from .names import check_name as check_name
from .names import printable, reason

FORMAT = "4"
DTYPES = {
    torch.uint8: "U8",
    torch.float16: "F16",
    torch.bfloat16: "BF16",
    torch.float32: "F32",
    torch.float64: "F64",
}
"""What safetensors calls what we keep."""
SHOWN = 200
"""Characters of what a parser says of a file, which may repeat the file."""
LONGEST_HEADER = 2**22
"""Bytes of a chunk file's header."""
PART = re.compile(
    r"\.(chunk_[0-9][0-9a-z_]*\.(safetensors|mp4|jpg)|run\.json)(\.[0-9a-f]{8})?\.part|\.tmp[0-9A-Za-z]{6}"
)
"""What a write is called before it is whole; the last is what safetensors' own writer, of 0.1.0, called it."""


FULL = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))
"""What a disk says that has no room: chunks then stay in memory."""


class ChunkFileError(Exception):
    """A chunk file that cannot be taken; the message goes behind its name, and the chunk is regenerated."""


def write_chunk(path: Path, facts: Facts, tensors: dict[str, Tensor]) -> str:
    """Write a chunk as a whole or not at all; returns the digest of its content.

    Raises:
        OSError: if the disk does not take it. What was there before stays.
    """
    content, text = _digest(facts, tensors), facts.write()
    metadata = {"format": FORMAT, "facts": text, "content": content, "seal": _seal(text, content)}
    _replace(path, lambda temporary: save_file(tensors, temporary, metadata))
    return content


def read_facts(path: Path) -> tuple[Facts, str] | None:
    """Facts and content digest of a chunk file, its tensors unread; None if there is no file.

    Raises:
        ChunkFileError: if it is none of ours, or its parts do not fit each other.
    """
    found = read_chunk(path, ())
    return None if found is None else found[:2]


def read_chunk(path: Path, names: tuple[str, ...] | None = None) -> tuple[Facts, str, dict[str, Tensor]] | None:
    """Facts, content digest and tensors of a chunk file, or those of them that are named; None if there is no file.

    All three are of one file, though another may take its place meanwhile.

    Raises:
        ChunkFileError: if it is none of ours, or its parts do not fit each other.
    """
    try:
        _check_file(path)
        with safe_open(path, framework="pt") as file:
            facts, content = _parse(file.metadata() or {})
            keys = list(file.keys())
            facts.check_shapes({name: tuple(file.get_slice(name).get_shape()) for name in keys})
            # Copied: a file that is still mapped cannot be replaced on Windows.
            tensors = {name: file.get_tensor(name).clone() for name in keys if names is None or name in names}
            _check_numbers(tensors)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ChunkFileError(f"cannot be read ({reason(error)})") from None
    except (SafetensorError, ValueError) as error:
        raise ChunkFileError(f"is damaged or none of ours ({printable(str(error))[:SHOWN]})") from None
    return facts, content, tensors


def read_whole(path: Path, facts: Facts, content: str) -> dict[str, Tensor]:
    """The tensors of the chunk file that says ``facts`` and ``content``, if it holds what was written, to the bit.

    Raises:
        ChunkFileError: if it does not.
    """
    found = read_chunk(path)
    if found is None or found[:2] != (facts, content) or _digest(facts, found[2]) != content:
        raise ChunkFileError("is damaged (its content is not what was written)")
    return found[2]


def write_text(path: Path, text: str) -> None:
    """Write a text file as a whole or not at all; half a surrogate pair is written as JSON escapes it."""
    write_bytes(path, text.encode("utf-8", "backslashreplace"))


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file as a whole or not at all.

    Raises:
        OSError: if the disk does not take it. What was there before stays.
    """

    def save(temporary: Path) -> None:
        with _create(temporary) as file:
            file.write(content)

    _replace(path, save)


def check_writable(folder: Path) -> None:
    """Raise OSError unless files with the longest names that a run has can be made in its folder, or will be when there
    is room; removes what jobs that were killed left of theirs."""
    for entry in list(os.scandir(folder)):
        if PART.fullmatch(entry.name) and not entry.is_dir(follow_symlinks=False):
            os.unlink(entry.path)
    probe = folder / f".chunk_00000_take_00_{'0' * 16}_{'0' * 8}.safetensors.{secrets.token_hex(4)}.part"
    try:
        _create(probe).close()
        os.unlink(probe)
    except OSError as error:
        if error.errno not in FULL:
            raise


def save_file(tensors: dict[str, Tensor], path: Path, metadata: dict[str, str]) -> None:
    """Write a new file as safetensors does, whose own writer leaves files behind when it is killed that only their
    owner may read, and says of a full disk what is no OSError."""
    ordered = sorted(tensors.items(), key=lambda item: (-item[1].element_size(), item[0]))  # all are aligned
    header: dict[str, Any] = {"__metadata__": metadata}
    end = 0
    for name, tensor in ordered:
        begin, end = end, end + tensor.numel() * tensor.element_size()
        header[name] = {"dtype": DTYPES[tensor.dtype], "shape": list(tensor.shape), "data_offsets": [begin, end]}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with _create(path) as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for _, tensor in ordered:
            file.write(_bytes(tensor))


def _check_file(path: Path) -> None:
    """Raise ValueError unless there is a plain file with a header that can be one of ours."""
    if not stat.S_ISREG(os.stat(path).st_mode):  # opening a pipe would wait for somebody to write to it
        raise ValueError("it is no file")
    with open(path, "rb") as file:
        length = int.from_bytes(file.read(8), "little")
    if length > LONGEST_HEADER:
        raise ValueError(f"its header has {length} bytes")


def _parse(metadata: dict[str, str]) -> tuple[Facts, str]:
    if metadata.get("format") != FORMAT and {"format", "facts"} <= set(metadata):
        theirs = printable(metadata["format"])[:9]
        raise ChunkFileError(f"was kept by another version (in format {theirs}, here {FORMAT})")
    if not {"format", "facts", "content"} <= set(metadata):
        raise ValueError("it is of another format")
    text, content = metadata["facts"], metadata["content"]
    facts = parse_facts(text)
    if metadata.get("seal") != _seal(text, content):
        raise ValueError("its facts are not what was written")
    return facts, content


def _check_numbers(tensors: dict[str, Tensor]) -> None:
    """Raise ValueError unless tensors are of the kinds that are kept, and finite."""
    for name, tensor in tensors.items():
        if tensor.dtype not in (LATENTS if name == "latent" else FRAMES):
            raise ValueError(f"{name} must not be {tensor.dtype}")
        if tensor.is_floating_point() and not torch.isfinite(tensor).all():
            raise ValueError(f"{name} holds NaN or infinite numbers")


def _digest(facts: Facts, tensors: dict[str, Tensor]) -> str:
    found = sha256(json.dumps(facts.decided, sort_keys=True).encode())
    for name, tensor in sorted(tensors.items()):
        found.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        found.update(_bytes(tensor))
    return found.hexdigest()


def _seal(text: str, content: str) -> str:
    return sha256(f"{content} {text}".encode()).hexdigest()


def _bytes(tensor: Tensor) -> memoryview:
    return tensor.contiguous().view(torch.uint8).numpy().data.cast("B")


def _create(path: Path) -> BinaryIO:
    """A new file, and never one that somebody has laid a link for."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_EXCL | NEW, 0o666), "wb")


def _replace(path: Path, write: Callable[[Path], None]) -> None:
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
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
        _synchronize_folder(path.parent)


def _synchronize_folder(folder: Path) -> None:
    try:
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        # Some network file systems synchronize files only; the file itself is there.
        if error.errno not in (errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EBADF, errno.EACCES, errno.ENOSYS):
            raise
