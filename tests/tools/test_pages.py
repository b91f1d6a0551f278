"""Generated files are what the nodes say; see also tests/host/test_server.py, which has a host to ask."""

from wan_motion_chunks.tools.pages import define, page

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
    assert "| `name` | Which \\| one. | `COMBO` | Yes | a, b |" in lines
    assert "| `share` | How much. | `FLOAT` | No | 0.0 to 1.0, default 0.5 |" in lines
    assert "| `frames` | What it makes. | `IMAGE` |" in lines


def test_translations_name_and_explain_every_input_and_output():
    found = define(INFO, str.upper)
    assert {key: words["name"] for key, words in found["inputs"].items()} == {
        "name": "NAME",
        "model": "MODEL",
        "share": "SHARE",
    }
    assert found["inputs"]["share"]["tooltip"] == "HOW MUCH."
    assert found["outputs"] == {"0": {"name": "FRAMES", "tooltip": "WHAT IT MAKES."}}
