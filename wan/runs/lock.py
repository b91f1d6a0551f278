"""A lock on a run's folder that ends with its job, however that ends.

Written by hand, since torch takes any version of ``filelock``: before 3.20.1 it follows a link in the lock's place; up
to 3.20.3 it empties the file, which a hard link may share, and takes every failure for another job's lock; before 3.30
it falls back to a file that outlives a kill where there are no locks.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from .names import RunError, not_writable, reason, shown

NAME = "run.lock"
TRIES = 8
"""How often a lock whose file was taken away meanwhile is asked for."""
BUSY = {errno.EAGAIN, errno.EWOULDBLOCK, errno.EACCES, errno.EDEADLK, getattr(errno, "EDEADLOCK", errno.EDEADLK)}
"""What systems say of a lock that another process has; EACCES and EDEADLOCK are Windows'."""
NONE = {errno.ENOLCK, errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP}
"""What they say where there are no locks, as on some network file systems."""
NEW = os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
"""Flags of a file that is ours to make: no link in its place is followed."""


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold a folder for this job; the operating system lets go of it when the job ends, however it ends.

    Raises:
        RunError: if another job holds it, it cannot be written to or locked, or it is a link to what is no run.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if _is_link(folder) and any(folder.iterdir()) and not (folder / NAME).is_file():
            raise RunError(
                f"run_name: {shown(folder)} is a link to a folder with other files in it. Link to an empty folder, or "
                "name another run."
            )
        descriptor = _acquire(folder)
    except OSError as error:
        raise not_writable(folder, error) from error
    try:
        yield
    finally:
        os.close(descriptor)


def _acquire(folder: Path) -> int:
    """A descriptor of the folder's lock file that holds the lock."""
    for _ in range(TRIES):
        descriptor = _open(folder)
        try:
            _lock(descriptor)
            # Who tidies up may have taken the file away since it was opened: a lock on that would shut nobody out.
            if os.path.samestat(os.fstat(descriptor), os.lstat(folder / NAME)):
                return descriptor
        except FileNotFoundError:
            pass
        except OSError as error:
            os.close(descriptor)
            raise RunError(_refusal(folder, error)) from None
        os.close(descriptor)
    raise RunError(f"run_name: {shown(folder)}/{NAME} is taken away again and again. Find out what does it.")


def _open(folder: Path) -> int:
    path, flags = folder / NAME, os.O_RDWR | NEW | getattr(os, "O_NONBLOCK", 0)
    try:
        if _is_link(path):
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
        descriptor = os.open(path, flags, 0o666)
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            return descriptor
        os.close(descriptor)
    except OSError as error:
        if error.errno not in (errno.ELOOP, errno.EISDIR, errno.ENXIO):
            raise
    raise RunError(f"run_name: {shown(folder)}/{NAME} is a link or no file. Take it away, or name another run.")


def _is_link(path: Path) -> bool:
    """Whether a path is a link, or what Windows calls a junction."""
    return path.is_symlink() or getattr(path, "is_junction", bool)()


def _lock(descriptor: int) -> None:
    if os.name == "nt":
        import msvcrt

        os.lseek(descriptor, 0, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _refusal(folder: Path, error: OSError) -> str:
    if error.errno in NONE:
        return (
            f"run_name: locking is unavailable on the file system of {shown(folder)} ({reason(error)}): two jobs could "
            "spoil one run. Mount it with locks, or put ComfyUI's output folder on another disk."
        )
    if error.errno in BUSY:
        return (
            f"run_name: another job is making {folder.name} and holds {shown(folder)}. Wait for it, or give this one "
            "another name."
        )
    return f"run_name: {shown(folder)} cannot be locked ({reason(error)}). Free it, or name another."
