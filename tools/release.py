"""Whether a tag may be published; run with ``python tools/release.py v1.2.3``. Standard library only."""

from __future__ import annotations

import sys
from pathlib import Path

import tomllib

ROOT = Path(__file__).resolve().parents[1]


def check_tag(tag: str, project: Path = ROOT / "pyproject.toml") -> None:
    """Raise SystemExit unless ``tag`` is v and the version that ``project`` has."""
    version = tomllib.loads(project.read_text(encoding="utf-8"))["project"]["version"]
    if tag != f"v{version}":
        raise SystemExit(f"The tag is {tag!r}, but pyproject.toml has version {version}: expected v{version}.")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit("python tools/release.py TAG")
    check_tag(sys.argv[1])
