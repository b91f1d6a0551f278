"""The browser of the tests: an installed one, else Playwright's own, else Debian's; standard library only."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

COMMANDS = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "microsoft-edge",
    "microsoft-edge-stable",
)
MAC = ("Google Chrome", "Microsoft Edge", "Chromium")
WINDOWS = ("Google/Chrome/Application/chrome.exe", "Microsoft/Edge/Application/msedge.exe")
PACKAGES = ("chromium", "fonts-dejavu-core")
"""Debian's; the browser does not ask for a font."""
LOADED = "() => window.app?.graph && window.app?.extensionManager?.workflow?.activeWorkflow"
"""JavaScript: whether ComfyUI's page is there, with a workflow."""
DOWNLOADS = "https://cdn.playwright.dev"
REACH_SECONDS, START_SECONDS, INSTALL_SECONDS = 10, 60, 900
PLAYWRIGHTS = """from playwright.sync_api import sync_playwright
with sync_playwright() as playwright:
    print(playwright.chromium.executable_path)"""


@functools.cache
def find(python: str = sys.executable) -> str | None:
    """The path of a browser that starts, installed or fetched by Playwright; None without one.

    Args:
        python: an interpreter that has Playwright.
    """
    for path in _installed():
        if _starts(path):
            return path
    asked = subprocess.run([python, "-c", PLAYWRIGHTS], capture_output=True, text=True)
    path = asked.stdout.strip()
    return path if path and _starts(path) else None


def fetch(python: str) -> str:
    """Make sure that :func:`find` finds a browser; returns why it does not, in one line, or nothing."""
    if find(python):
        return ""
    reasons = []
    for source, install in (("Playwright", lambda: _download(python)), ("Debian", _install_package)):
        print(f"Fetching a browser from {source}", flush=True)
        reason = install()
        find.cache_clear()
        if find(python):
            return ""
        reasons.append(f"{source}: {reason or 'what was installed does not start'}")
        print(f"  {reasons[-1]}", flush=True)
    return f"no browser is installed, and none could be fetched ({'; '.join(reasons)})"


def _installed() -> list[str]:
    """Where browsers are, on this system."""
    if os.name == "nt":
        folders = [os.environ.get(name) for name in ("PROGRAMFILES", "PROGRAMFILES(X86)", "LOCALAPPDATA")]
        paths = [Path(folder, name) for name in WINDOWS for folder in folders if folder]
    elif sys.platform == "darwin":
        paths = [Path("/Applications", f"{name}.app", "Contents", "MacOS", name) for name in MAC]
    else:
        paths = []
    return [
        *(found for name in COMMANDS if (found := shutil.which(name))),
        *(str(path) for path in paths if path.is_file()),
    ]


def _starts(path: str) -> bool:
    """Whether it runs: Ubuntu's chromium-browser may be a note about a snap, and a download may lack libraries."""
    if os.name == "nt":  # there it would open a window instead of telling its version
        return Path(path).is_file()
    try:
        return subprocess.run([path, "--version"], capture_output=True, timeout=START_SECONDS).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def _download(python: str) -> str:
    """Fetch Playwright's own browser; returns why it failed, or nothing."""
    if "PLAYWRIGHT_DOWNLOAD_HOST" not in os.environ and not _is_reachable(DOWNLOADS):
        return f"{DOWNLOADS} cannot be reached"  # asked first, since Playwright itself may try for minutes
    return _run(python, "-m", "playwright", "install", "--no-shell", "chromium")


def _is_reachable(url: str) -> bool:
    try:
        urllib.request.urlopen(url, timeout=REACH_SECONDS).close()
    except urllib.error.HTTPError as error:
        error.close()  # it answered
    except OSError:
        return False
    return True


def _install_package() -> str:
    """Install Debian's browser where that is allowed without a password; returns why it failed, or nothing."""
    if not shutil.which("apt-get"):
        return "this system has no apt-get"
    may = [] if os.geteuid() == 0 else ["sudo", "-n"]
    if may and (not shutil.which("sudo") or _run(*may, "true")):
        return f"apt-get needs root; as root: apt-get install {' '.join(PACKAGES)}"
    apt = [*may, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq"]
    return _run(*apt, "update") or _run(*apt, "install", "-y", "--no-install-recommends", *PACKAGES)


def _run(*command: str) -> str:
    """Run a command; returns its error in one line where it fails, or nothing."""
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", timeout=INSTALL_SECONDS
        )
    except subprocess.TimeoutExpired:
        return f"{command[0]} took more than {INSTALL_SECONDS} seconds"
    lines = [line.strip() for line in (done.stdout + done.stderr).splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith(("E: ", "Error"))] or lines or [f"exit code {done.returncode}"]
    return "" if done.returncode == 0 else errors[-1]
