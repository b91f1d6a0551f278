"""Ids, inputs and outputs stay where saved workflows and scripts look for them; what is new comes at the end."""

import copy

import pytest
from wan_motion_chunks.tools.interface import breaks, describe, extend, read

OF_NEWER_HOSTS = {"WanMotionLoadOpticalFlow"}


@pytest.fixture(scope="module")
def now(server):
    return describe(server.get("/object_info"))


def test_nothing_of_it_is_gone_moved_or_of_another_kind(now):
    known = read()
    assert breaks(known, now) == []
    assert known.keys() - now.keys() <= OF_NEWER_HOSTS


def test_all_of_it_is_written_down(now):
    known = read()
    new = {name: node for name, node in now.items() if node != known.get(name)}
    assert not new, "run python dev.py pages, which adds it to tests/host/interface.json"


@pytest.mark.parametrize(
    ("change", "broken"),
    [
        (lambda node: node["optional"].append(["more", "INT"]), 0),
        (lambda node: node["outputs"].append(["more", "INT"]), 0),
        (lambda node: node["required"].append(["more", "INT"]), 1),
        (lambda node: node["required"].reverse(), 1),
        (lambda node: node["optional"].insert(0, ["more", "INT"]), 1),
        (lambda node: node["optional"].pop(), 1),
        (lambda node: node["outputs"].pop(0), 1),
        (lambda node: node["required"][0].__setitem__(1, "CLIP"), 1),
    ],
)
def test_it_may_grow_at_its_end_and_in_no_other_way(tmp_path, change, broken):
    known, path = read(), tmp_path / "interface.json"
    assert extend(known, path) == []
    written = path.read_text(encoding="utf-8")
    other = copy.deepcopy(known)
    change(other["WanMotionLongVideo"])
    assert len(extend(other, path)) == broken
    assert read(path) == (known if broken else other)
    assert (path.read_text(encoding="utf-8") == written) == bool(broken)


def test_a_node_that_this_host_does_not_have_stays_written(tmp_path):
    known, path = read(), tmp_path / "interface.json"
    extend(known, path)
    assert extend({name: node for name, node in known.items() if name != "WanMotionSlowRope"}, path) == []
    assert read(path) == known
