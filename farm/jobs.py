"""Jobs as people write them, one JSON object a line, and as the farm keeps them."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from .graph import (
    GraphError,
    Prompt,
    check_prompt,
    file_inputs,
    find_node,
    keep_run,
    makers,
    model_key,
    needed,
    read_prompt,
    runs_of,
    set_input,
)
from .names import KEEP, RUN_NAME, check_run

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._()-]{0,98}[A-Za-z0-9)_-]|[A-Za-z0-9]")
OWN = ("name", "workflow", "set", "scenes", "redo", "of")
"""Keys of a line that say something to the farm; any other is an input of the node that makes the video."""


class JobsError(ValueError):
    """A file of jobs that cannot be read at all."""


@dataclass(frozen=True)
class Line:
    """One line of the file, as far as it can be read without a ComfyUI."""

    number: int
    name: str
    workflow: Path
    values: dict[str, Any]
    """Inputs of the node that makes the video."""
    set: dict[str, dict[str, Any]]
    """Inputs of others, by title or id."""
    scenes: bool = False
    redo: tuple[int, ...] = ()
    """Chunks to make again, counted from 1."""
    of: str = ""
    """The finished run that these are of."""


@dataclass(frozen=True)
class Refusal:
    """A line that makes no job, and why."""

    number: int
    reason: str


@dataclass(frozen=True)
class Job:
    """What a worker needs to know."""

    name: str
    prompt: Prompt
    files: dict[str, str] = field(default_factory=dict)
    """For ComfyUI's input folder: name to path, on this machine or on the storage."""
    models: str = ""
    """Equal for jobs that load the same models."""
    after: tuple[str, ...] = ()
    """Jobs whose results it needs."""
    pulls: dict[str, str] = field(default_factory=dict)
    """Runs whose chunks it reads besides its own, each with the run that they are to be in."""

    @property
    def runs(self) -> list[str]:
        """Raises ValueError if one is no name of a folder."""
        return runs_of(self.prompt)

    @property
    def digest(self) -> str:
        """Equal for jobs that ask for the same: files count by content, wherever they lie."""
        told = asdict(self) | {"files": sorted(self.files)}
        return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()

    def to_json(self) -> dict:
        return asdict(self) | {"digest": self.digest}


def from_json(found: dict) -> Job:
    """A job as it was kept."""
    same = {name: found[name] for name in ("name", "prompt", "files", "models", "pulls")}
    return Job(**same, after=tuple(found["after"]))


def read_lines(path: Path, workflow: Path | None) -> Iterator[Line | Refusal]:
    """The lines of a file; one that is broken does not keep others from being read.

    Args:
        workflow: of lines that name none.

    Raises:
        JobsError: if the file is not there, or is no UTF-8.
    """
    try:
        texts = path.read_text(encoding="utf-8-sig").split("\n")
    except OSError as error:
        raise JobsError(f"jobs: {path} cannot be read ({error.strerror}).") from None
    except UnicodeDecodeError as error:
        raise JobsError(f"jobs: {path} is not in UTF-8 ({error.reason} at byte {error.start}).") from None
    seen: dict[str, int] = {}
    for number, text in enumerate(texts, 1):
        if not text.strip():
            continue
        try:
            line = _read_line(number, text, path.parent, workflow)
            first = seen.setdefault(line.name.lower(), number)
            if first != number:
                raise ValueError(f"name: {line.name!r} is the name of line {first} too. Each job has a run of its own.")
            yield line
        except ValueError as error:
            yield Refusal(number, str(error))


def prepare(line: Line, object_info: dict, convert: Callable, folders: Sequence[Path] = ()) -> Job:
    """The job of a line.

    Args:
        convert: see :func:`~farm.graph.read_prompt`.
        folders: where pictures are that the workflow names, such as ComfyUI's input folder.

    Raises:
        ValueError: if the workflow cannot do what the line asks for, or a file is missing; names the input.
    """
    try:
        workflow = json.loads(line.workflow.read_text(encoding="utf-8"))
    except OSError as error:
        raise ValueError(f"workflow: {line.workflow} cannot be read ({error.strerror}).") from None
    except ValueError as error:
        raise ValueError(f"workflow: {line.workflow} is no JSON ({error}).") from None
    prompt = read_prompt(workflow, object_info, convert)
    found = makers(prompt, object_info)
    if line.values and len(found) != 1:
        keys = ", ".join(line.values)
        raise ValueError(f"{keys}: the workflow has {len(found)} nodes that make a video. Name one, in set.")
    for name, value in line.values.items():
        set_input(prompt, found[0], name, value, object_info)
    for title, values in line.set.items():
        try:
            number = find_node(prompt, title)
        except GraphError as error:
            raise ValueError(f"set: {error}") from None
        for name, value in values.items():
            set_input(prompt, number, name, value, object_info)
    check_prompt(prompt)  # a line may set links
    keep_run(prompt, line.name, object_info)
    prompt = needed(prompt, object_info)
    for node in prompt.values():
        if node["class_type"] == KEEP:
            node["inputs"][RUN_NAME] = check_run(node["inputs"].get(RUN_NAME))
    files = _collect_files(prompt, object_info, (line.workflow.parent, *folders))
    return Job(line.name, prompt, files, model_key(prompt))


def _read_line(number: int, text: str, folder: Path, workflow: Path | None) -> Line:
    try:
        found = json.loads(text, parse_constant=_no_number)
    except ValueError as error:
        raise ValueError(f"it is no JSON: {error}") from None
    if not isinstance(found, dict):
        raise ValueError(f"expected a JSON object, got {type(found).__name__}.")
    name = found.get("name")
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise ValueError(f"name: expected letters, digits, spaces and ._-() in at most 100 characters, got {name!r}.")
    own = found.get("workflow")
    if own is not None and not isinstance(own, str):
        raise ValueError(f"workflow: expected a path, got {own!r}.")
    path = workflow if own is None else folder / own
    if path is None:
        raise ValueError("workflow: there is none. Give one in the line, or with --workflow.")
    chosen = found.get("set", {})
    if not isinstance(chosen, dict) or not all(isinstance(values, dict) for values in chosen.values()):
        raise ValueError('set: expected nodes with their inputs, such as {"Load Image": {"image": "a.png"}}.')
    scenes, redo = found.get("scenes", False), found.get("redo", [])
    if not isinstance(scenes, bool):
        raise ValueError(f"scenes: expected true or false, got {scenes!r}.")
    if not isinstance(redo, list) or not all(type(chunk) is int and chunk > 0 for chunk in redo):
        raise ValueError(f"redo: expected numbers of chunks, counted from 1, got {redo!r}.")
    if scenes and redo:
        raise ValueError("redo: a video that is made in scenes is made again as a whole. Leave one of the two out.")
    of = found.get("of", "")
    if not isinstance(of, str) or bool(redo) != bool(of) or of == name:
        raise ValueError(f"of: with redo, the name of the finished run whose chunks are made again; got {of!r}.")
    if of:
        check_run(of)
    values = {key: value for key, value in found.items() if key not in OWN}
    values = {key: _beside(folder, value) for key, value in values.items()}
    chosen = {title: {key: _beside(folder, value) for key, value in each.items()} for title, each in chosen.items()}
    return Line(number, name, path, values, chosen, scenes, tuple(sorted(set(redo))), of)


def _beside(folder: Path, value: object) -> object:
    """A path from the file's folder where there is such a file; any other value as it is."""
    # Most texts are prompts, which may be no path at all: os.path.isfile says so where Path.is_file raises.
    if isinstance(value, str) and value and os.path.isfile(folder / value):
        return str((folder / value).resolve())
    return value


def _collect_files(prompt: Prompt, object_info: dict, folders: Sequence[Path]) -> dict[str, str]:
    """The files that a prompt names, which it then names by their content."""
    found = {}
    for number, node in prompt.items():
        for name in file_inputs(object_info[node["class_type"]]):
            value = node["inputs"].get(name)
            if not isinstance(value, str):
                continue
            places = [Path(value)] if Path(value).is_absolute() else [folder / value for folder in folders]
            path = next((place for place in places if os.path.isfile(place)), None)
            if path is None:
                where = " or ".join(str(place) for place in places)
                raise ValueError(f"{name} of node {number}: there is no file {where}.")
            try:
                digest = hashlib.sha256(path.read_bytes()).hexdigest()[:32]
            except OSError as error:
                raise ValueError(f"{name} of node {number}: {path} cannot be read ({error.strerror}).") from None
            node["inputs"][name] = f"{digest}{path.suffix.lower()}"
            found[node["inputs"][name]] = str(path)
    return found


def _no_number(text: str) -> None:
    raise ValueError(f"{text} is no number")
