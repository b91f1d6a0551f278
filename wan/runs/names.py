"""Names of runs: each is one folder on every file system, and what messages call it."""

from __future__ import annotations

import unicodedata
from pathlib import Path

LONGEST = 120
"""Bytes of a run's name: with what is appended to it file systems take 255."""
PORTS = ("com", "lpt")
RESERVED = {"con", "prn", "aux", "nul", *(f"{port}{digit}" for port in PORTS for digit in "123456789\xb9\xb2\xb3")}
"""What Windows takes for a device, whatever follows the first dot; the raised digits of Latin-1 count as digits."""
INVISIBLE = {0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x180B, 0x180C, 0x180D, 0x180F, 0x3164, 0xFFA0}
INVISIBLE |= {*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)}
"""Letters and marks that show nothing (Unicode's Default_Ignorable_Code_Point): two names could look like one."""
SHOWN = 60
"""Characters of a name that a message repeats."""


class RunError(Exception):
    """A run that cannot be kept; the message says why and what to do."""


def check_name(name: str) -> str:
    """The name of a run's folder, in composed form (NFC): however it is typed, it is one folder.

    Raises:
        RunError: if it is no text, empty or too long, could name a place outside the folder of runs or a device, or
            holds what cannot be seen.
    """
    if not isinstance(name, str):
        raise RunError(f"run_name: expected text, got {type(name).__name__}. It is the name of one folder.")
    wrong, name = None, unicodedata.normalize("NFC", name)
    if not name.strip() or name != name.strip():
        wrong = "is empty, or begins or ends with a space"
    elif name[0] == "." or name[-1] == "." or not all(map(_is_plain, name)) or unicodedata.category(name[0])[0] == "M":
        wrong = "may hold letters, digits, spaces and ._-() only, and no dot at either end"
    elif len(name.encode()) > LONGEST:
        wrong = f"has {len(name.encode())} bytes, more than {LONGEST}"
    elif name.split(".")[0].rstrip(" ").lower() in RESERVED:
        wrong = "is a device's name on Windows"
    if wrong:
        quoted = repr(name[:SHOWN]) + ("..." if len(name) > SHOWN else "")
        raise RunError(f"run_name: {quoted} {wrong}. It is the name of one folder, such as my-video.")
    return name


def _is_plain(letter: str) -> bool:
    known = letter in " ._-()" or letter.isalnum() or unicodedata.category(letter)[0] == "M"
    return known and ord(letter) not in INVISIBLE


def shown(folder: Path) -> str:
    """What messages call a run's folder: its place in the output folder, whose own is nobody else's business."""
    return f"{folder.parent.name}/{folder.name}"


def printable(text: str) -> str:
    """Text on one line, with escapes for what cannot be seen or turns the rest around: names come from strangers."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def reason(error: OSError) -> str:
    """What the system says is wrong, without the path that Python puts behind it."""
    return error.strerror or str(error)


def not_writable(folder: Path, error: OSError) -> RunError:
    """That a run's folder takes no files."""
    return RunError(f"run_name: {shown(folder)} cannot be written to ({reason(error)}). Free it, or name another.")
