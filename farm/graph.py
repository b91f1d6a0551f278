"""Prompts in ComfyUI's API format: their nodes by title or id, and what a job sets in them."""

from __future__ import annotations

import copy
import hashlib
import json
from typing import Any

from .names import KEEP, OURS, REUSE, RUN_NAME, RUN_TYPE, WHEN_UNSURE, check_run

Prompt = dict[str, dict[str, Any]]
MODEL_FILES = (".safetensors", ".sft", ".gguf", ".ckpt", ".pt", ".pth", ".bin")


class GraphError(ValueError):
    """What a job asks of a workflow that it cannot do."""


def read_prompt(workflow: object, object_info: dict, convert) -> Prompt:
    """A workflow as the API takes it: one saved for the API as it is, another converted.

    Args:
        convert: takes a saved workflow and what ComfyUI says of its nodes, and returns the prompt.

    Raises:
        GraphError: if it is neither.
    """
    if not isinstance(workflow, dict):
        raise GraphError(f"workflow: expected a JSON object, got {type(workflow).__name__}.")
    if "nodes" not in workflow:
        if not workflow or not all(isinstance(node, dict) and "class_type" in node for node in workflow.values()):
            raise GraphError("workflow: it is neither a saved workflow nor one exported with Export (API).")
        check_prompt(workflow)
        return copy.deepcopy(workflow)
    definitions = workflow.get("definitions")
    if isinstance(definitions, dict) and definitions.get("subgraphs"):
        raise GraphError("workflow: it has subgraphs. Export it with Export (API), which takes them apart.")
    try:
        prompt = convert(workflow, object_info)
    except (ValueError, KeyError, TypeError) as error:
        raise GraphError(f"workflow: {error}") from None
    check_prompt(prompt)
    titles = {str(node["id"]): node.get("title") for node in workflow["nodes"]}
    for number, node in prompt.items():
        node["_meta"] = {"title": titles.get(number) or object_info[node["class_type"]]["display_name"]}
    return prompt


def check_prompt(prompt: Prompt) -> None:
    """Raise GraphError unless each node has a class and inputs, and each link leads to a node."""
    for number, node in prompt.items():
        for name, kind in (("class_type", str), ("inputs", dict)):
            if not isinstance(node.get(name), kind):
                raise GraphError(f"workflow: node {number} has no {name}. Export it anew with Export (API).")
        if not isinstance(node.get("_meta", {}), dict):
            raise GraphError(f"workflow: _meta of node {number} is no JSON object.")
        for name, value in node["inputs"].items():
            source = link_of(value)
            if source is not None and source not in prompt:
                raise GraphError(f"workflow: {name} of node {number} is linked to node {source}, which is not there.")


def link_of(value: object) -> str | None:
    """The id of the node that an input is linked to; None of a value."""
    if isinstance(value, list) and len(value) == 2 and isinstance(value[0], str):
        return value[0] if isinstance(value[1], (int, float)) else None
    return None


def upstream(prompt: Prompt, inputs: dict, found: Prompt) -> Prompt:
    """Add to ``found`` the nodes that inputs come from, near and far."""
    for source in filter(None, map(link_of, inputs.values())):
        if source in prompt and source not in found:
            found[source] = prompt[source]
            upstream(prompt, prompt[source]["inputs"], found)
    return found


def needed(prompt: Prompt, object_info: dict) -> Prompt:
    """The nodes that ComfyUI runs: those that show or save something, and what these need.

    Raises:
        GraphError: if none shows or saves anything.
    """
    found: Prompt = {}
    for number, node in prompt.items():
        if object_info[node["class_type"]].get("output_node"):
            found[number] = node
            upstream(prompt, node["inputs"], found)
    if not found:
        raise GraphError("workflow: no node shows or saves anything, such as Save Video.")
    return {number: node for number, node in prompt.items() if number in found}


def find_node(prompt: Prompt, name: str) -> str:
    """The id of the node that has an id, a title, or else a class of this name.

    Raises:
        GraphError: if there is none or more than one; lists what there is.
    """
    if name in prompt:
        return name
    for told in (lambda node: node.get("_meta", {}).get("title"), lambda node: node["class_type"]):
        found = [number for number, node in prompt.items() if told(node) == name]
        if len(found) == 1:
            return found[0]
        if found:
            raise GraphError(f"{name!r} is the name of nodes {', '.join(found)}. Use one of these ids.")
    there = ", ".join(f"{number} ({title_of(node)})" for number, node in prompt.items())
    raise GraphError(f"there is no node {name!r}. The workflow has {there}.")


def title_of(node: dict) -> str:
    return node.get("_meta", {}).get("title") or node["class_type"]


def makers(prompt: Prompt, object_info: dict) -> list[str]:
    """Ids of the nodes that make a video which can be kept.

    Raises:
        GraphError: if there is none, or a class that this ComfyUI does not know.
    """
    for number, node in prompt.items():
        if node["class_type"] not in object_info:
            raise GraphError(f"workflow: node {number} is a {node['class_type']}, which ComfyUI does not know here.")
    found = [number for number, node in prompt.items() if run_input(object_info[node["class_type"]])]
    if not found and not any(node["class_type"].startswith(OURS) for node in prompt.values()):
        raise GraphError("workflow: it has no node of Wan Motion Chunks, such as Long Video.")
    return found


def run_input(info: dict) -> str | None:
    """The input that takes a run, of a class; None where it has none."""
    return next((name for name, declared in inputs_of(info).items() if declared[0] == RUN_TYPE), None)


def inputs_of(info: dict) -> dict[str, list]:
    """All inputs of a class by name."""
    return {**info["input"].get("required", {}), **info["input"].get("optional", {})}


def set_input(prompt: Prompt, number: str, name: str, value: object, object_info: dict) -> tuple[str, str]:
    """Set an input of a node, or where a file is meant that of the node which loads it for that input.

    Returns:
        Node and input that were set.

    Raises:
        GraphError: if the node has no such input, or it is linked to what has no file.
    """
    node = prompt[number]
    known = inputs_of(object_info[node["class_type"]])
    if name not in known and name not in node["inputs"]:
        there = ", ".join(sorted({*known, *node["inputs"]}))
        raise GraphError(f"{title_of(node)} (node {number}) has no input {name!r}. It has {there}.")
    source = link_of(node["inputs"].get(name))
    if source is not None and link_of(value) is None:
        files = file_inputs(object_info[prompt[source]["class_type"]])
        if files and isinstance(value, str):
            return set_input(prompt, source, files[0], value, object_info)
        told = title_of(prompt[source])
        if files:
            raise GraphError(f"{name} comes from {told} (node {source}): expected the path of a file, got {value!r}.")
        if name not in known or not _is_widget(known[name]):
            raise GraphError(f"{name} comes from {told} (node {source}). Set an input of that one.")
    node["inputs"][name] = value
    return number, name


def file_inputs(info: dict) -> list[str]:
    """Inputs of a class that name a file in ComfyUI's input folder."""
    return [
        name
        for name, declared in inputs_of(info).items()
        if len(declared) > 1 and any(key.endswith("_upload") and on for key, on in declared[1].items())
    ]


def keep_run(prompt: Prompt, run: str, object_info: dict) -> None:
    """Have each video of a prompt kept under a name; a second one gets a number behind it.

    Each gets a Keep Run of its own, with the inputs of the one that it had.
    """
    for count, number in enumerate(makers(prompt, object_info), 1):
        node, own = prompt[number], f"farm-keep-{count}"
        name = run_input(object_info[node["class_type"]])
        before = prompt.get(link_of(node["inputs"].get(name)) or "")
        # One that was not there asks for no caution: a worker's ComfyUI may be another at each attempt.
        inputs = dict(before["inputs"]) if before and before["class_type"] == KEEP else {WHEN_UNSURE: REUSE}
        add_node(prompt, own, KEEP, inputs | {RUN_NAME: run if count == 1 else f"{run}-{count}"}, object_info)
        node["inputs"][name] = [own, 0]


def add_node(prompt: Prompt, number: str, kind: str, inputs: dict, object_info: dict) -> dict:
    """Add a node; what its inputs are not told is as by default.

    Raises:
        GraphError: if this ComfyUI does not have its class.
    """
    if kind not in object_info:
        raise GraphError(f"workflow: it needs the node {kind}, which ComfyUI does not know here.")
    filled = {
        name: declared[1]["default"]
        for name, declared in inputs_of(object_info[kind]).items()
        if len(declared) > 1 and "default" in declared[1]
    }
    for name, declared in object_info[kind]["input"].get("required", {}).items():
        options = declared[0] if isinstance(declared[0], list) else (declared[1:] or [{}])[0].get("options")
        if name not in filled and options:
            filled[name] = options[0]
    prompt[number] = {"class_type": kind, "inputs": filled | inputs, "_meta": {"title": number}}
    return prompt[number]


def runs_of(prompt: Prompt) -> list[str]:
    """The names of all runs that a prompt keeps.

    Raises:
        ValueError: if one is no name of a folder.
    """
    return [check_run(node["inputs"].get(RUN_NAME)) for node in prompt.values() if node["class_type"] == KEEP]


def model_key(prompt: Prompt) -> str:
    """The same for jobs that load the same model files."""
    files = sorted(
        {
            value
            for node in prompt.values()
            for value in node["inputs"].values()
            if isinstance(value, str) and value.endswith(MODEL_FILES)
        }
    )
    return hashlib.sha256(json.dumps(files).encode()).hexdigest()[:12]


def _is_widget(declared: list) -> bool:
    return isinstance(declared[0], list) or declared[0] in ("BOOLEAN", "COMBO", "FLOAT", "FLOAT,INT", "INT", "STRING")
