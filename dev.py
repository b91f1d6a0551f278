#!/usr/bin/env python3
"""Everything a developer does here, by a word: ``python dev.py --help`` lists them.

Needs Python 3.11 or newer and nothing else: the first call makes ``.venv`` and fetches ComfyUI into
a cache folder, later calls find them. ``COMFYUI_PATH`` puts another ComfyUI in its place.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent

if sys.version_info < (3, 11):  # said before anything else fails
    sys.exit(f"dev.py needs Python 3.11 or newer, this is {sys.version.split()[0]}. Try: python3.12 dev.py")

from tools import browser, environment  # noqa: E402  standard library only, like this file

COMMANDS = {
    "demo": "make a long video with the tiny model in a real ComfyUI; leaves it in demo/",
    "test": "all that CI runs: lint, all tests, 30 random graphs; with --fast unit tests only; more goes to pytest",
    "lint": "ruff and pyright; with --fix ruff mends what it can",
    "fuzz": "random graphs in a real ComfyUI, and what must hold in each; see fuzz --help",
    "bench": "a benchmark by name; without one it lists them",
    "examples": "write the example workflows anew from the nodes of a running host",
    "pages": "write help pages and translations anew from the nodes of a running host",
    "pictures": "photograph the example workflows in a real browser, and draw what the README shows",
    "host": "run ComfyUI with this pack, at --port N; further arguments go to it, such as --cpu",
    "train": "train a tiny model: vae, transformer",
    "lock": "write down anew which files are installed, by hash; with --upgrade the newest",
}

FAST = ("-m", "not host and not browser and not farm and not registry and not slow", "--durations=10")
"""Of pytest, for unit tests only."""
PARALLEL = ("-n", "logical", "--maxprocesses", "4", "--dist", "loadfile")
APART = ("-m", "not farm")
"""Of pytest, when all tests run: those of the farm come after the others, since its leases and its workers go by the
clock."""
"""Of pytest, when all tests run: files side by side, each process with one thread, since threads that wait for a busy
core are slower than none."""
GRAPHS = ("--graphs", "30", "--seconds", "150", "--bound", "60", "--shrink", "30")
"""Of the fuzzer, when all tests run."""


def main() -> int:
    parser = argparse.ArgumentParser(
        description=(__doc__ or "").splitlines()[0],
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="\n".join(f"{name:8} {text}" for name, text in COMMANDS.items()),
    )
    parser.add_argument("command", choices=COMMANDS)
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="see each command's own --help")
    options = parser.parse_args()
    return globals()[options.command](options.arguments)


def lint(arguments: list[str]) -> int:
    fix = "--fix" in arguments
    checks = (
        ["ruff", "check", *(["--fix"] if fix else []), "."],
        ["ruff", "format", *([] if fix else ["--diff"]), "."],
        ["pyright"],
    )
    python = str(environment.python())
    quiet = {**os.environ, "PYRIGHT_PYTHON_IGNORE_WARNINGS": "1"}  # else it asks the network for a newer one
    return max([subprocess.call([python, "-m", *check], cwd=ROOT, env=quiet) for check in checks])


def test(arguments: list[str]) -> int:
    fast, some = "--fast" in arguments, bool(arguments)
    python, missing = _prepare(), ""
    if fast:
        arguments = [*FAST, *(word for word in arguments if word != "--fast")]
    else:
        environment.fetch_front_end()
        environment.fetch_registry_tools()
        missing = browser.fetch(python)
    if fast or not some:
        os.environ.setdefault("OMP_NUM_THREADS", "1")
        arguments = [*PARALLEL, *(APART if not fast else ()), *arguments]
    code = lint([]) or subprocess.call([python, "-m", "pytest", *arguments], cwd=ROOT)
    if not some:
        code = code or subprocess.call([python, "-m", "pytest", "tests/farm"], cwd=ROOT) or fuzz(list(GRAPHS))
    if missing:
        print(f"The browser tests did not run: {missing}", file=sys.stderr)
        return code or (1 if os.environ.get("CI") else 0)
    return code


def demo(arguments: list[str]) -> int:
    return _run("tools.demo", arguments)


def fuzz(arguments: list[str]) -> int:
    return _run("tools.fuzz.main", arguments)


def bench(arguments: list[str]) -> int:
    names = sorted(path.stem for path in (ROOT / "benchmarks").glob("bench_*.py"))
    names = [name.removeprefix("bench_") for name in names]
    if not arguments or arguments[0] not in names:
        print(f"python dev.py bench {' | '.join(names)}", file=sys.stderr)
        return 2
    return _run(f"benchmarks.bench_{arguments[0]}", arguments[1:])


def examples(arguments: list[str]) -> int:
    return _run("tools.examples", arguments)


def pages(arguments: list[str]) -> int:
    return _run("tools.pages", arguments)


def pictures(arguments: list[str]) -> int:
    return _run("tools.pictures", arguments)


def train(arguments: list[str]) -> int:
    if not arguments or arguments[0] not in ("vae", "transformer"):
        print("python dev.py train vae | transformer", file=sys.stderr)
        return 2
    return _run(f"tiny.train_{arguments[0]}", arguments[1:])


def lock(arguments: list[str]) -> int:
    from tools import lock

    return lock.main(arguments)


def host(arguments: list[str]) -> int:
    return _run("tools.server", arguments)


def _prepare() -> str:
    """The project's Python; what it starts finds the host, and for Playwright a Node.js, since Playwright's own needs a
    libatomic that a bare Debian lacks."""
    os.environ["COMFYUI_PATH"] = str(environment.host())
    os.environ.setdefault("PLAYWRIGHT_NODEJS_PATH", str(environment.node()))
    return str(environment.python())


def _run(module: str, arguments: list[str]) -> int:
    """Run ``main`` of a module of the pack with the project's Python and the host beside it."""
    with subprocess.Popen([_prepare(), str(ROOT / "tools" / "run.py"), module, *arguments]) as process:
        while True:
            try:
                return process.wait()
            except KeyboardInterrupt:  # it was sent to the child too, which stops its host first
                continue


if __name__ == "__main__":
    sys.exit(main())
