"""A video with cuts made scene by scene at once: each scene a job, and behind them one that puts their frames together.

A cut is a prompt of the stack with a start picture of its own: no frame of a scene depends on those before it. Each
scene is planned as the whole video is, and its seeds are those that its chunks have there, so that it makes the same
frames.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from .graph import GraphError, Prompt, add_node, inputs_of, keep_run, link_of, makers, needed, upstream
from .jobs import Job
from .names import (
    END_IMAGE,
    FEATURES,
    FPS,
    FRAMES,
    GIVEN,
    LENGTH,
    LENGTH_UNIT,
    LOAD,
    NOISE,
    OPTIONS,
    PLAN,
    REPORT,
    RUN_NAME,
    SEED,
    SOURCE,
    STACK_TYPE,
    START,
    START_IMAGE,
    UNIT,
    VIDEO,
)

SHOW, JOIN, CREATE = "PreviewAny", "ImageBatch", "CreateVideo"
"""Nodes of ComfyUI's own."""
NOISES = ("per_chunk", "fixed")
"""Under which a chunk's noise is known without the chunks before it."""
Ask = Callable[[Prompt], dict]
"""Runs a prompt in a ComfyUI, and returns what its output nodes show."""


@dataclass(frozen=True)
class Scene:
    """Chunks and frames from one cut to the next."""

    chunk: int
    """The first, counted from 0."""
    frame: int
    frames: int
    stack: tuple[str, ...]
    """Ids of the prompts that hold in it."""


def split(job: Job, object_info: dict, ask: Ask) -> list[Job]:
    """The jobs of a job's scenes, and the one behind them that puts them together.

    Raises:
        GraphError: if it has no cut, or a scene's noise is not known without those before it.
    """
    found = makers(job.prompt, object_info)
    if len(found) != 1:
        raise GraphError(f"scenes: expected a workflow with one video, this one has {len(found)}.")
    maker = found[0]
    noise, features = (_option(job.prompt, maker, name) for name in (NOISE, FEATURES))
    if noise not in (None, *NOISES):
        raise GraphError(f"{NOISE}: scenes need one of {', '.join(NOISES)}, got {noise!r}.")
    if features:
        raise GraphError(f"{FEATURES} depends on the place in the whole video: scenes need 0, got {features!r}.")
    for name in (SEED, FPS):
        _number(job.prompt, maker, name)
    seams, total = read_plan(ask(plan_prompt(job.prompt, maker, object_info)))
    scenes = find_scenes(job.prompt, maker, seams, total, object_info)
    if len(scenes) < 2:
        raise GraphError("scenes: there is no cut: no prompt behind the first of the stack has a start_image.")
    parts = [_part(job, maker, scene, number, scenes, object_info) for number, scene in enumerate(scenes, 1)]
    return [*parts, _whole(job, maker, parts, object_info)]


def plan_prompt(prompt: Prompt, maker: str, object_info: dict) -> Prompt:
    """A prompt that plans the video which another makes, and shows the plan."""
    named = inputs_of(object_info[PLAN])
    inputs = {name: value for name, value in prompt[maker]["inputs"].items() if name in named}
    found: Prompt = {}
    add_node(found, "plan", PLAN, inputs, object_info)
    upstream(prompt, inputs, found)
    add_node(found, "show", SHOW, {"source": ["plan", _output(object_info, PLAN, REPORT)]}, object_info)
    return found


def read_plan(outputs: dict) -> tuple[list[int], int]:
    """The first frame that each chunk adds, and how many frames there are, from the rows of a shown plan."""
    text = "\n".join(text for shown in outputs.values() for text in shown.get("text", []))
    rows = re.findall(r"^\| *([0-9]+) *\| *([0-9]+) to ([0-9]+) *\|", text, re.MULTILINE)
    if not rows or [int(row[0]) for row in rows] != list(range(1, len(rows) + 1)):
        raise GraphError(f"scenes: the plan of {len(rows)} chunks cannot be read; it may have too many.")
    return [int(row[1]) for row in rows], int(rows[-1][2]) + 1


def find_scenes(prompt: Prompt, maker: str, seams: list[int], total: int, object_info: dict) -> list[Scene]:
    """The scenes of a video, in order."""
    fps, stack = float(prompt[maker]["inputs"][FPS]), _stack(prompt, maker, object_info)
    for number in stack:
        _number(prompt, number, START)
        if not isinstance(prompt[number]["inputs"].get(UNIT), str):
            raise GraphError(f"{UNIT} of node {number}: scenes need a value there, and no link.")

    def chunk_of(number: str) -> int:
        inputs = prompt[number]["inputs"]
        if inputs[UNIT] == "chunks":
            return int(inputs[START]) - 1
        return min(range(len(seams)), key=lambda index: abs(seams[index] - inputs[START] * fps))

    placed = sorted((chunk_of(number), at, number) for at, number in enumerate(stack))
    placed = [each for each in placed if each[0] < len(seams)]
    cuts = [chunk for chunk, _, number in placed if chunk > 0 and START_IMAGE in prompt[number]["inputs"]]
    begins = [0, *sorted(set(cuts))]
    scenes = []
    for first, after in zip(begins, [*begins[1:], len(seams)], strict=True):
        stop = total if after == len(seams) else seams[after]
        within = tuple(number for chunk, _, number in placed if first <= chunk < after)
        if first and START_IMAGE not in prompt[within[0]]["inputs"]:
            raise GraphError(f"scenes: nodes {', '.join(within)} begin together, and the first has no {START_IMAGE}.")
        scenes.append(Scene(first, seams[first], stop - seams[first], within))
    return scenes


def _part(job: Job, maker: str, scene: Scene, number: int, scenes: list[Scene], object_info: dict) -> Job:
    """The job of one scene; all that is not needed for its chunks is left out."""
    name, source = f"{job.name} (scene {number})", copy.deepcopy(job.prompt)
    node = source[maker]
    node["inputs"] |= {LENGTH: float(scene.frames), LENGTH_UNIT: "frames"}
    if _option(source, maker, NOISE) in (None, NOISES[0]):
        node["inputs"][SEED] = (node["inputs"][SEED] + scene.chunk) % 2**64
    if number > 1:
        node["inputs"].pop(SOURCE, None)
        node["inputs"][START_IMAGE] = source[scene.stack[0]]["inputs"].pop(START_IMAGE)
    if number < len(scenes):
        node["inputs"].pop(END_IMAGE, None)
    before = None
    for at, key in enumerate(scene.stack):
        inputs, chunks = source[key]["inputs"], source[key]["inputs"][UNIT] == "chunks"
        moved = inputs[START] - (scene.chunk if chunks else scene.frame / float(node["inputs"][FPS]))
        inputs[START] = (1.0 if chunks else 0.0) if at == 0 else moved
        inputs.pop(_stack_input(object_info[source[key]["class_type"]]), None)
        if before is not None:
            inputs[_stack_input(object_info[source[key]["class_type"]])] = [before, 0]
        before = key
    if before is not None:
        node["inputs"][_stack_input(object_info[node["class_type"]])] = [before, 0]
    prompt: Prompt = {maker: node}
    upstream(source, node["inputs"], prompt)
    report = [maker, _output(object_info, node["class_type"], REPORT)]
    add_node(prompt, "farm-show", SHOW, {"source": report}, object_info)
    keep_run(prompt, name, object_info)
    return replace(job, name=name, prompt=prompt)


def _whole(job: Job, maker: str, parts: list[Job], object_info: dict) -> Job:
    """The job that gives the frames of all scenes to whatever the video was given to."""
    kind, prompt = job.prompt[maker]["class_type"], copy.deepcopy(job.prompt)
    fps = prompt[maker]["inputs"][FPS]
    given = {_output(object_info, kind, name): name for name in (FRAMES, VIDEO)}
    _drop_downstream(prompt, maker, set(given))
    del prompt[maker]
    joined: list | None = None
    for number, part in enumerate(parts, 1):
        load, frames = f"farm-load-{number}", [f"farm-load-{number}", _output(object_info, LOAD, FRAMES)]
        add_node(prompt, load, LOAD, {RUN_NAME: part.name, FPS: fps, "frames_in_memory": True}, object_info)
        if joined is not None:
            add_node(prompt, f"farm-join-{number}", JOIN, {"image1": joined, "image2": frames}, object_info)
            frames = [f"farm-join-{number}", 0]
        joined = frames
    add_node(prompt, "farm-video", CREATE, {"images": joined, FPS: fps}, object_info)
    for node in prompt.values():
        for name, value in node["inputs"].items():
            if link_of(value) == maker:
                node["inputs"][name] = joined if given[value[1]] == FRAMES else ["farm-video", 0]
    names = [part.name for part in parts]
    return replace(job, prompt=needed(prompt, object_info), after=tuple(names), pulls={name: name for name in names})


def _option(prompt: Prompt, maker: str, name: str) -> Any:
    """What Options says for a video; None where none is connected."""
    source = link_of(prompt[maker]["inputs"].get(GIVEN))
    if source is None:
        return None
    node = prompt[source]
    if node["class_type"] != OPTIONS:
        raise GraphError(f"{GIVEN}: scenes need Options connected there, got {node['class_type']}.")
    return node["inputs"].get(name)


def _stack(prompt: Prompt, maker: str, object_info: dict) -> list[str]:
    """The chain of prompts that a video has, the first one first."""
    found, number = [], maker
    while True:
        name = _stack_input(object_info[prompt[number]["class_type"]])
        source = link_of(prompt[number]["inputs"].get(name))
        if source is None:
            return found[::-1]
        number = source
        if _stack_input(object_info[prompt[number]["class_type"]]) is None or number in found:
            raise GraphError(f"scenes: node {number} is no prompt of a stack, and its cuts are not known here.")
        found.append(number)


def _stack_input(info: dict) -> str | None:
    return next((name for name, declared in inputs_of(info).items() if declared[0] == STACK_TYPE), None)


def _output(object_info: dict, kind: str, name: str) -> int:
    names = object_info[kind]["output_name"]
    if name not in names:
        raise GraphError(f"scenes: {kind} gives no {name}; it gives {', '.join(names)}.")
    return names.index(name)


def _number(prompt: Prompt, number: str, name: str) -> None:
    """Raise GraphError unless an input is a number that is known here."""
    value = prompt[number]["inputs"].get(name)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise GraphError(f"{name} of node {number}: scenes need a number there, got {value!r}.")


def _drop_downstream(prompt: Prompt, maker: str, given: set[int]) -> None:
    """Delete what hangs on any other output of a node."""
    gone = [
        number
        for number, node in prompt.items()
        if any(link_of(each) == maker and each[1] not in given for each in node["inputs"].values())
    ]
    while gone:
        number = gone.pop()
        prompt.pop(number, None)
        gone += [
            other for other, node in prompt.items() if any(link_of(each) == number for each in node["inputs"].values())
        ]
