"""Nothing is removed but what lies below a folder of the farm's own; all here stays below the test's."""

import pytest
from wan_motion_chunks.farm.names import check_run
from wan_motion_chunks.farm.scratch import remove
from wan_motion_chunks.tools.environment import ROOT
from wan_motion_chunks.wan.runs.names import RunError, check_name

NAMES = ["shot", "Shot 1 (b)", "a.b", "e\u0301", "\u6c34", "x" * 120, "a-_", "-", "con1", "com10"]
REFUSED = [
    "",
    " ",
    " a",
    "a ",
    ".",
    "..",
    ".a",
    "a.",
    "x" * 121,
    "a/b",
    "a\\b",
    "/",
    "../../../kept",
    "a\0",
    "a\n",
    "a:b",
    "a*",
]
REFUSED += ["con", "NUL.txt", "com\xb9", "lpt3 .x", "\u0301a", "a\ufe0f", "\u3164", "a\u200b", "\u6c34" * 41]
REFUSED += [3, None, ["3", 0]]


@pytest.fixture
def tree(tmp_path):
    """A worker's folder with a run, and beside it what must stay."""
    own, beside = tmp_path / "scratch" / "own", tmp_path / "scratch" / "beside"
    for folder in (own / "runs" / "run", beside):
        folder.mkdir(parents=True)
        (folder / "chunk").write_bytes(b"chunk")
    return own, beside


def test_files_and_folders_below_the_own_one_are_removed(tree):
    own, beside = tree
    remove(own / "runs" / "run" / "chunk", own)
    remove(own / "runs" / "run" / "chunk", own)
    assert (own / "runs" / "run").is_dir()
    remove(own / "runs", own, tree=True)
    remove(own, own.parent, tree=True)
    assert not own.exists()
    assert beside.exists()


WAYS = [".", "..", "../beside", "runs/../..", "../own", "runs/../../beside/chunk", "link", "link/chunk"]


@pytest.mark.parametrize("way", WAYS)
def test_what_does_not_lie_below_it_stays(tree, way):
    own, beside = tree
    (own / "link").symlink_to(beside, target_is_directory=True)
    before = sorted(own.parent.parent.rglob("*"))
    assert (own / way).resolve().is_relative_to(own.parent)
    with pytest.raises(ValueError, match="below"):
        remove(own / way, own, tree=True)
    assert sorted(own.parent.parent.rglob("*")) == before


def test_a_folder_is_not_taken_for_a_file(tree):
    own, _ = tree
    with pytest.raises((IsADirectoryError, PermissionError)):
        remove(own / "runs", own)
    assert (own / "runs" / "run" / "chunk").exists()


def test_nothing_else_of_the_farm_removes_anything():
    words = ("rmtree", "unlink", "rmdir", "removedirs", "os.remove", ".rm(", "rm_file")
    found = {path.name: {word for word in words if word in path.read_text()} for path in (ROOT / "farm").glob("*.py")}
    # A file of the storage, which may lie on another machine, is checked by the same function.
    assert {name: said for name, said in found.items() if said} == {
        "scratch.py": {"rmtree", "unlink"},
        "storage.py": {"rm_file"},
    }


@pytest.mark.parametrize("name", [*NAMES, *REFUSED])
def test_the_farm_takes_the_names_that_the_pack_takes(name):
    try:
        wanted = check_name(name)
    except RunError:
        wanted = None
    if wanted is None:
        with pytest.raises(ValueError, match="run_name"):
            check_run(name)
    else:
        assert check_run(name) == wanted
    assert (wanted is None) == (name in REFUSED)
