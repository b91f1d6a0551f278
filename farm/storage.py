"""What the farm keeps, on any file system that fsspec knows; what is away for a while is tried again."""

from __future__ import annotations

import contextlib
import errno
import json
import logging
import os
import secrets
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import fsspec
from fsspec.implementations.local import LocalFileSystem

from .scratch import check_below, remove

logger = logging.getLogger(__name__)

FIRST_PAUSE, LONGEST_PAUSE = 0.2, 10.0
"""Seconds between tries; each pause is twice the one before."""
FINAL = (FileExistsError, PermissionError, IsADirectoryError, NotADirectoryError)
"""Answers of a storage that is there; that there is no such file is another."""
NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS)
T = TypeVar("T")


class StorageError(OSError):
    """The storage takes no such thing, or did not answer for as long as it may be away."""


class Storage:
    """A folder below ``url``.

    Args:
        url: such as ``/mnt/farm`` or ``s3://bucket/farm``.
        options: of fsspec's file system, such as ``endpoint_url``; secrets come from each machine's environment.
        patience: seconds that it may be away.

    Raises:
        StorageError: if there is no such kind of place, it is a whole file system, or its package is missing.
    """

    def __init__(self, url: str, options: dict[str, Any] | None = None, patience: float = 600.0):
        self.options, self.patience = dict(options or {}), patience
        try:
            self.fs, root = fsspec.core.url_to_fs(url, **self.options)
        except (ValueError, ImportError) as error:
            raise StorageError(f"storage: {url} cannot be used: {error}") from error
        self.root = root.rstrip("/")
        self.local = isinstance(self.fs, LocalFileSystem)
        if self.local and not self.root:
            raise StorageError(f"storage: {url} is the whole file system. Give a folder of the farm's own.")
        self.url = self.root if self.local else url  # absolute: workers have other working directories

    def path(self, *names: str) -> str:
        return "/".join((self.root, *names))

    def write(self, content: object, *names: str, new: bool = False) -> bool:
        """Write JSON as a whole or not at all.

        Args:
            new: whether a file that is there stays as it is.

        Returns:
            Whether it was written.
        """
        return self._bring(lambda: self._put(json.dumps(content, indent=1).encode(), self.path(*names), new))

    def read(self, *names: str) -> Any:
        """The JSON of a file; None where there is none, or none yet."""

        def read() -> Any:
            with contextlib.suppress(FileNotFoundError, ValueError):
                return json.loads(self.fs.cat_file(self.path(*names)))
            return None

        return self.insist(read)

    def list(self, *names: str) -> list[str]:
        """Names of the files in a folder, in order; none where there is no folder."""

        def read() -> list[str]:
            self.fs.invalidate_cache()
            try:
                entries = self.fs.ls(self.path(*names), detail=False)
            except FileNotFoundError:
                return []
            found = (entry.rstrip("/").rsplit("/", 1)[-1] for entry in entries)
            return sorted(name for name in found if name and not name.startswith("."))

        return self.insist(read)

    def exists(self, *names: str) -> bool:
        def read() -> bool:
            self.fs.invalidate_cache()
            return self.fs.exists(self.path(*names))

        return self.insist(read)

    def upload(self, source: Path, *names: str) -> None:
        """Copy a file there, as a whole or not at all."""
        self._bring(lambda: self._upload(source, self.path(*names)), source)

    def download(self, target: Path, *names: str) -> None:
        """Copy a file here, as a whole or not at all; raises FileNotFoundError where there is none."""
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_name(f".{target.name}.{secrets.token_hex(4)}.farm")

        def fetch() -> None:
            try:
                self.fs.get_file(self.path(*names), str(part))
                os.replace(part, target)
            finally:
                remove(part, target.parent)

        self.insist(fetch)

    def remove(self, *names: str) -> None:
        """Delete a file, if it is there."""
        if self.local:
            check_below(Path(self.path(*names)), Path(self.root))

        def delete() -> None:
            with contextlib.suppress(FileNotFoundError):
                self.fs.rm_file(self.path(*names))

        self.insist(delete)

    def insist(self, action: Callable[[], T]) -> T:
        """Do something with the storage, again and again while it is away.

        Raises:
            StorageError: if that lasts longer than its patience, or the storage refuses it.
        """
        pause, until = FIRST_PAUSE, time.monotonic() + self.patience
        while True:
            try:
                return action()
            except FileNotFoundError:
                raise
            except FINAL as error:
                raise StorageError(f"storage: {self.url}: {type(error).__name__}: {error}") from error
            except _away() as error:
                if time.monotonic() + pause > until:
                    words = f"storage: {self.url} fails for {self.patience:g} s: {type(error).__name__}: {error}"
                    raise StorageError(words) from error
                logger.warning("The storage %s fails, tried again in %.1f s: %s", self.url, pause, error)
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    def _bring(self, action: Callable[[], T], source: Path | None = None) -> T:
        try:
            return self.insist(action)
        except FileNotFoundError as error:
            if source is not None and not source.exists():
                raise
            raise StorageError(f"storage: {self.url} is not there: {error}") from error

    def _put(self, content: bytes, path: str, new: bool) -> bool:
        if not self.local:
            try:
                self.fs.pipe_file(path, content, mode="create" if new else "overwrite")
            except FileExistsError:
                return False
            return True
        target = Path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
        try:
            part.write_bytes(content)
            return _publish(part, target, new)
        finally:
            remove(part, Path(self.root))

    def _upload(self, source: Path, path: str) -> None:
        if not self.local:
            self.fs.put_file(str(source), path)
            return
        target = Path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
        try:
            self.fs.put_file(str(source), str(part))
            os.replace(part, target)
        finally:
            remove(part, Path(self.root))


def _publish(part: Path, target: Path, new: bool) -> bool:
    """Put a whole file in its place; returns whether it is there now."""
    if not new:
        os.replace(part, target)
        return True
    try:
        os.link(part, target)
    except FileExistsError:
        return False
    except OSError as error:
        if error.errno not in NO_LINKS:
            raise
        try:
            with target.open("xb") as file:
                file.write(part.read_bytes())
        except FileExistsError:
            return False
    return True


def _away() -> tuple[type[BaseException], ...]:
    """What file systems raise of a storage that does not answer."""
    try:
        from botocore.exceptions import BotoCoreError
    except ImportError:
        return (OSError,)
    return (OSError, BotoCoreError)
