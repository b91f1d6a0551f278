"""Writes down which files are installed, by their hashes; run with ``python dev.py lock``."""

from __future__ import annotations

import argparse
import subprocess
import tempfile
from pathlib import Path

from . import environment

OLDEST_PYTHON = "3.11"
"""That the test environment is locked for: scikit-image has no older."""


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--upgrade", action="store_true", help="take the newest of all that is not pinned by name")
    options = parser.parse_args(arguments)
    if not environment.is_reference():
        raise SystemExit(f"Locks are of ComfyUI {environment.HOST_VERSION}: unset COMFYUI_PATH.")
    environment.fetch_registry_tools()
    for name, (wanted, more) in environment.lock_inputs().items():
        write(environment.LOCKED / name, wanted, [*more, *(["--upgrade"] if options.upgrade else [])])
    return 0


def write(path: Path, wanted: tuple[str, ...], more: list[str]) -> None:
    """Resolve requirements for every platform and write them with the hashes of all their files; versions that the file
    names already stay."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "requirements.in"
        source.write_text("\n".join(wanted), encoding="utf-8")
        command = [str(environment.registry_tools() / "uv"), "pip", "compile", "--quiet", str(source), "--output-file"]
        command += [str(path), "--universal", "--python-version", OLDEST_PYTHON, "--generate-hashes", "--no-annotate"]
        command += ["--custom-compile-command", "python dev.py lock", *more]
        subprocess.run(command, check=True)
