"""A pack that keeps settings and state in its modules and classes, and its identity in a process of its own."""

import importlib.util
import itertools
import sys
from pathlib import Path

from wan_motion_chunks.wan.identity import identify

HELPER = """
SCALE = 1.0
TABLE = {"a": [1]}

def double(x):
    return x * FACTOR

FACTOR = 2
"""
PACK = """
import contextlib, copy, functools, logging, math, threading
from argparse import Namespace
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

import torch

from . import helper
from .helper import double

CONFIG = {"scale": 1.0, "nested": {"a": [1, 2]}}
STEPS = [1, 2]
NAMES = {"a", "b"}
WEIGHT = torch.ones(3)
COUNT = {"calls": 0}
SEEN = []
UNREAD = {"a": 1}
LOCK = threading.Lock()
EVENT = threading.Event()
ARGUMENTS = Namespace(port=8188)
log = logging.getLogger(__name__)
here = threading.local()

@dataclass
class Settings:
    strength: float = 0.5
    parts: list = field(default_factory=list)

SETTINGS = Settings()

class Base:
    options = {"a": 1}
    _lock = threading.RLock()

    def scale(self, x):
        return x * 2

class Patch(Base):
    steps = [1]

    def __init__(self, strength):
        self.strength = strength

    @cached_property
    def double(self):
        return self.strength * 2

    @property
    def half(self):
        return self.strength / 2

    @staticmethod
    def add(x):
        return x + 1

    @classmethod
    def make(cls):
        return cls(1.0)

    def __call__(self, x):
        return super().scale(x) + helper.SCALE

def other(x):
    return even(1) * x * STEPS[0]

def even(x):
    return odd(x - 1) if x else True

def odd(x):
    return even(x - 1) if x else False

@torch.no_grad()
def decorated(x):
    return x * WEIGHT

@lru_cache
def cached(x):
    return x * SETTINGS.strength

DISPATCH = {"other": other}

def patch(strength):
    def function(x):
        with LOCK, contextlib.suppress(KeyError):
            EVENT.set()
            COUNT["calls"] += 1
            SEEN.append(x)
            log.info(ARGUMENTS.port, here, math.pi)
        x = decorated(double(x)) * CONFIG["scale"] + len(NAMES) + cached(1) + Patch.options["a"]
        return DISPATCH["other"](x) * helper.TABLE["a"][0] * strength

    return function
"""
numbers = itertools.count()


def load(folder, source=PACK, helper=HELPER):
    """A pack under a name that says where it lies, as the host names it."""
    folder = folder / str(next(numbers)) / "pack"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text(source, encoding="utf-8")
    (folder / "helper.py").write_text(helper, encoding="utf-8")
    name = str(folder).replace(".", "_x_")
    spec = importlib.util.spec_from_file_location(name, folder / "__init__.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def values(pack, strength=0.5):
    return {"patches": [pack.patch(strength)]}


def main(folders):
    """Print the digest of a patch of a pack in a folder, in a process of its own."""
    sys.stdout.write(identify(values(load(Path(folders[0])))).digest + "\n")
