"""Generated files are what the nodes say; see also tests/host/test_server.py, which has a host to ask."""

import copy
import json

import pytest
from wan_motion_chunks.tools.pages import LOCALES, define, page, stale, translate, translations

INFO = {
    "display_name": "A Node",
    "description": "Does it.",
    "input": {
        "required": {"name": [["a", "b"], {"tooltip": "Which | one."}], "model": ["MODEL", {"tooltip": "A model."}]},
        "optional": {"share": ["FLOAT", {"tooltip": "How much.", "min": 0.0, "max": 1.0, "default": 0.5}]},
    },
    "output": ["IMAGE"],
    "output_name": ["frames"],
    "output_tooltips": ["What it makes."],
}


def test_a_page_has_a_row_for_each_input_and_output():
    lines = page("WanMotionNone", INFO).splitlines()
    assert lines[0] == "# A Node"
    rows = {line.split("`")[1]: line for line in lines if line.startswith("| `")}
    assert list(rows) == ["name", "model", "share", "frames"]
    assert rows["name"] == "| `name` | Which \\| one. *a, b* |"
    assert rows["share"] == "| `share` | How much. *0.0 to 1.0, default 0.5* |"
    assert rows["frames"] == "| `frames` | What it makes. *IMAGE* |"


ENGLISH = {"WanMotionNone": define(INFO)}
WORDS = {
    "WanMotionNone": {
        "display_name": {"english": "A Node", "translation": "Ein Knoten"},
        "description": {"english": "Does it.", "translation": "Tut es."},
        "inputs": {
            "name": {"name": "Name", "tooltip": {"english": "Which | one.", "translation": "Welcher."}},
            "model": {"name": "Modell", "tooltip": {"english": "A model.", "translation": "Ein Modell."}},
            "share": {"name": "Anteil", "tooltip": {"english": "How much.", "translation": "Wie viel."}},
        },
        "outputs": {
            "frames": {"name": "Bilder", "tooltip": {"english": "What it makes.", "translation": "Was es macht."}}
        },
    }
}


def test_every_input_and_output_is_named_and_explained():
    assert ENGLISH["WanMotionNone"]["inputs"]["share"] == {"name": "share", "tooltip": "How much."}
    assert ENGLISH["WanMotionNone"]["outputs"] == {"0": {"name": "frames", "tooltip": "What it makes."}}


def test_words_of_a_language_are_found_by_node_input_and_output():
    found = translate(WORDS, ENGLISH)["WanMotionNone"]
    assert found["display_name"] == "Ein Knoten"
    assert found["description"] == "Tut es."
    assert found["inputs"]["share"] == {"name": "Anteil", "tooltip": "Wie viel."}
    assert found["outputs"] == {"0": {"name": "Bilder", "tooltip": "Was es macht."}}
    assert stale(WORDS, ENGLISH) == []


@pytest.mark.parametrize(
    ("place", "english"),
    [
        ("WanMotionNone.description", {"description": "Does more."}),
        ("WanMotionNone.inputs.share.tooltip", {"inputs": {"share": {"name": "share", "tooltip": "How much of it."}}}),
        ("WanMotionNone.outputs.frames.tooltip", {"outputs": {"0": {"name": "frames", "tooltip": "All."}}}),
    ],
)
def test_a_translation_of_what_the_node_no_longer_says_is_stale(place, english):
    changed = copy.deepcopy(ENGLISH)
    for key, value in english.items():
        entry = changed["WanMotionNone"]
        entry[key] = entry[key] | value if isinstance(value, dict) else value
    (problem,) = stale(WORDS, changed)
    assert problem.startswith(place + " is ")
    # Shown as it was until it is mended.
    assert translate(WORDS, changed) == translate(WORDS, ENGLISH)


def test_missing_and_left_over_words_are_named():
    words = copy.deepcopy(WORDS)
    inputs = words["WanMotionNone"]["inputs"]
    inputs["old"] = inputs.pop("share")
    assert [problem.split(" ")[0] for problem in stale(words, ENGLISH)] == [
        "WanMotionNone.inputs.share.name",
        "WanMotionNone.inputs.share.tooltip",
        "WanMotionNone.inputs.old.name",
        "WanMotionNone.inputs.old.tooltip",
    ]
    assert "share" not in translate(words, ENGLISH)["WanMotionNone"]["inputs"]


@pytest.mark.parametrize("path", translations(), ids=lambda path: path.parent.name)
def test_translations_are_of_what_the_nodes_say(path):
    # That this file is what the nodes say is tested in tests/host/test_server.py.
    english = json.loads((LOCALES / "en" / "nodeDefs.json").read_text(encoding="utf-8"))
    problems = stale(json.loads(path.read_text(encoding="utf-8")), english)
    assert not problems, "\n".join([f"Mend in {path}, then run python dev.py pages:", *problems])
