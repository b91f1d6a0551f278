"""Which nodes the front end's search and menu show."""

import sys
from types import SimpleNamespace

import pytest

FOLDERS = {"make", "prompts", "keep", "measure", "flow", "join", "tiny"}
WANTED = {
    "loop": {"LongVideo", "LongVideoCustom", "GuideNextChunk", "FinishChunk"},
    "join videos": {"JoinClips", "BridgeClips"},
    "resume": {"KeepRun", "LoadRun"},
    "extend": {"LongVideo", "LongVideoCustom", "KeepRun"},
    "wan i2v": {"LongVideo"},
    "seam": {"MeasureSeams"},
    "optical flow": {"EstimateFlow", "FlowToImage", "LoadOpticalFlow", "Options"},
}


@pytest.fixture
def words(classes, monkeypatch):
    """What each node can be found by: its title and its aliases, which hosts before 0.11 do not pass on."""
    found = {}
    for name, each in classes.items():
        monkeypatch.setattr(sys.modules[each.__module__], "schema", lambda **fields: SimpleNamespace(**fields))
        declared = each.define_schema()
        found[name] = [declared.display_name, *declared.search_aliases]
    return {name: [text.lower() for text in texts] for name, texts in found.items()}


@pytest.mark.parametrize("asked", WANTED)
def test_people_find_the_nodes_by_their_own_words(words, classes, asked):
    found = {name for name, texts in words.items() if any(asked in text for text in texts)}
    assert found >= WANTED[asked] & classes.keys()
    assert len(found) <= 6


def test_the_host_passes_the_aliases_on_where_it_knows_them(server, words):
    object_info = server.get("/object_info")
    if "search_aliases" not in object_info["KSampler"]:
        pytest.skip("this host is older than search_aliases")
    for name, texts in words.items():
        assert [text.lower() for text in object_info[f"WanMotion{name}"]["search_aliases"]] == texts[1:]


def test_every_node_is_in_a_folder_of_ours(server):
    ours = {name: info for name, info in server.get("/object_info").items() if name.startswith("WanMotion")}
    folders = {name: info["category"].split("/") for name, info in ours.items()}
    assert {top for top, _ in folders.values()} == {"Wan Motion"}
    assert {folder for _, folder in folders.values()} == FOLDERS
