"""What a host's nodes take and give, read from its ``/object_info``; and which of them the fuzzer leaves out."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from ..graph import OURS
from ..workflow import WIDGETS, type_of

LEFT_OUT = {
    "TorchCompileModel": "compiles for minutes on a CPU",
    "TrainLoraNode": "trains for minutes on a CPU",
    "LoadTrainingDataset": "needs a data set",
    "MakeTrainingDataset": "gives lists of latents for training only",
    "LoadImageDataSetFromFolder": "needs a data set",
    "LoadImageTextDataSetFromFolder": "needs a data set",
    "ModelSave": "writes a model where its user says",
    "LoraModelLoader": "takes what only training gives",
    "FreeU": "reads model_channels, which Wan has not",
    "FreeU_V2": "reads model_channels, which Wan has not",
    "StableCascade_StageC_VAEEncode": "needs the VAE of Stable Cascade",
    "SamplerDPMAdaptative": "chooses its number of steps itself, without a bound",
    "WanMotionLoadOpticalFlow": "needs RAFT's weights, which are a download",
    "PreviewAny": "shows, and makes nothing",
}
"""Kinds of nodes and why; besides these, all whose files, such as ControlNets, are not there: their choice is empty."""
CARRIED = {"APG": "its momentum of a first step that is interrupted goes on in the next run, of whatever sampler"}
"""Kinds of the host's nodes after which an interrupted run and a fresh one differ, and why."""
RUN_NAME = "run_name"
"""The input that names a run; what there is to choose from is made by the graphs themselves."""
UNBOUNDED = ("dpm_adaptive",)
"""Choices that may take any time, of whatever node."""


@dataclass(frozen=True)
class Input:
    """One input of a kind of node."""

    name: str
    types: tuple[str, ...]
    options: dict
    required: bool
    choices: tuple | None = None
    """Of a COMBO."""

    @property
    def widget(self) -> bool:
        return self.types[0] in WIDGETS and not self.options.get("forceInput")


@dataclass(frozen=True)
class Kind:
    """One kind of node."""

    name: str
    inputs: tuple[Input, ...]
    outputs: tuple[str, ...]
    ours: bool
    names: tuple[str, ...]
    """Of the outputs."""
    by_name: dict[str, Input] = field(default_factory=dict)

    def sockets(self) -> Iterator[Input]:
        return (each for each in self.inputs if not each.widget)

    def widgets(self) -> Iterator[Input]:
        return (each for each in self.inputs if each.widget)


class Catalog:
    """The kinds of nodes that can run here, and which of them give what.

    Args:
        object_info: the host's, whose lists of files are those of the fuzzer's own models.
    """

    def __init__(self, object_info: dict):
        self.known = {name: _read(name, info) for name, info in sorted(object_info.items())}
        able = {name: kind for name, kind in self.known.items() if name not in LEFT_OUT and _has_files(kind)}
        self.depths = _depths(able)
        """How many nodes deep a kind's shallowest graph is."""
        self.kinds = {name: able[name] for name in self.depths}
        self.makers: dict[str, tuple[Kind, ...]] = {}
        """Kinds by the type that they give."""
        for kind in self.kinds.values():
            for given in dict.fromkeys(kind.outputs):
                self.makers[given] = (*self.makers.get(given, ()), kind)

    def makers_of(self, types: tuple[str, ...], may: Callable[[Kind], bool] = bool) -> list[Kind]:
        """Kinds that give one of the types, by name."""
        found = {kind.name: kind for each in types for kind in self.makers.get(each, ()) if may(kind)}
        return [found[name] for name in sorted(found)]

    def slots(self, kind: Kind, types: tuple[str, ...]) -> list[int]:
        return [slot for slot, given in enumerate(kind.outputs) if given in types]


def _read(name: str, info: dict) -> Kind:
    inputs = []
    for group in ("required", "optional"):
        for key, declared in info["input"].get(group, {}).items():
            options = declared[1] if len(declared) > 1 else {}
            kind = type_of(declared[0])
            choices = declared[0] if isinstance(declared[0], list) else options.get("options")
            if kind == "COMBO":
                choices = tuple(each for each in choices or () if each not in UNBOUNDED)
            types = (kind,) if kind in WIDGETS else tuple(kind.split(","))
            inputs.append(Input(key, types, options, group == "required", choices if kind == "COMBO" else None))
    outputs = tuple(type_of(given) for given in info["output"])
    by_name = {each.name: each for each in inputs}
    names = tuple(info.get("output_name") or outputs)
    return Kind(name, tuple(inputs), outputs, name.startswith(OURS), names, by_name)


def _has_files(kind: Kind) -> bool:
    return not any(each.required and each.choices == () and each.name != RUN_NAME for each in kind.inputs)


def _depths(kinds: dict[str, Kind]) -> dict[str, int]:
    """By name, of the kinds that can be built at all: a fixed point over what required sockets take."""
    depths: dict[str, int] = {}
    least: dict[str, float] = {}
    for round_ in range(1, len(kinds) + 1):
        fresh = [
            kind
            for kind in kinds.values()
            if kind.name not in depths
            and all(
                not each.required or min((least.get(kind, math.inf) for kind in each.types), default=math.inf) < round_
                for each in kind.sockets()
            )
        ]
        if not fresh:
            break
        for kind in fresh:
            depths[kind.name] = round_
            for given in kind.outputs:
                least.setdefault(given, round_)
    return depths


def value_of(declared: Input) -> Any:
    """A widget's value as the front end first shows it."""
    if "default" in declared.options:
        return declared.options["default"]
    if declared.choices:
        return declared.choices[0]
    return {"INT": 0, "FLOAT": 0.0, "FLOAT,INT": 0.0, "BOOLEAN": False}.get(declared.types[0], "")
