"""What a pack's functions read of its modules and classes, loaded as ComfyUI loads packs."""

import os
import subprocess
import sys
import threading
import types

import pytest
from wan_motion_chunks.tests.wan.stateful_pack import PACK, load, values
from wan_motion_chunks.tools.environment import ROOT
from wan_motion_chunks.wan.identity import identify, live, walk


@pytest.fixture(autouse=True)
def _no_job_before():
    before = set(sys.modules)
    live.leave()
    yield
    live.leave()
    for name in set(sys.modules) - before:
        if "/pack" in name.replace("\\", "/"):
            del sys.modules[name]


def test_our_own_code_goes_by_name_where_the_pack_is_linked_into_the_hosts_folder(tmp_path):
    """As many install it; else every identity takes in all of our code, and all that it refers to."""
    (tmp_path / "custom_nodes").mkdir()
    linked = tmp_path / "custom_nodes" / "pack"
    linked.symlink_to(ROOT, target_is_directory=True)
    source = f"""
import importlib.util, sys
where = {str(linked)!r}
spec = importlib.util.spec_from_file_location("pack", where + "/__init__.py", submodule_search_locations=[where])
sys.modules["pack"] = importlib.util.module_from_spec(spec)
from pack.wan.identity import origin
from pack.wan.runs import fingerprint
assert fingerprint.__file__.startswith(where)
sys.exit(not origin.is_library_class(fingerprint.Reads))
"""
    assert subprocess.run([sys.executable, "-c", source], cwd=tmp_path).returncode == 0


CHANGES = {
    "a dict": lambda pack: pack.CONFIG.update(scale=2.0),
    "a dict in a dict": lambda pack: pack.CONFIG["nested"].update(a=[1, 3]),
    "a list that a function in a dict reads": lambda pack: pack.STEPS.append(3),
    "a set": lambda pack: pack.NAMES.add("c"),
    "a tensor that a decorated function reads": lambda pack: pack.WEIGHT.add_(1),
    "a name": lambda pack: setattr(pack, "CONFIG", {}),
    "an attribute of an instance": lambda pack: setattr(pack.SETTINGS, "strength", 0.6),
    "an attribute of another module": lambda pack: pack.helper.TABLE["a"].append(2),
    "what an imported function reads": lambda pack: setattr(pack.helper, "FACTOR", 3),
    "a dict of a class": lambda pack: pack.Base.options.update(a=2),
    "a list of a class": lambda pack: pack.Patch.steps.append(2),
    "another module's number that a method reads": lambda pack: setattr(pack.helper, "SCALE", 2.0),
    "another function in a dict": lambda pack: pack.DISPATCH.update(other=pack.even),
}
SOURCES = {
    "a method": ("helper.SCALE\n", "helper.SCALE * 2\n"),
    "a base's method": ("return x * 2", "return x * 3"),
    "a cached property": ("self.strength * 2", "self.strength * 3"),
    "a property": ("self.strength / 2", "self.strength / 3"),
    "a static method": ("return x + 1", "return x + 2"),
    "a class method": ("cls(1.0)", "cls(2.0)"),
    "a function in a circle": ("True", "None"),
    "a decorated function": ("x * WEIGHT", "x / WEIGHT"),
    "a cached function": ("x * SETTINGS", "x / SETTINGS"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_a_pack_holds_in_its_modules_and_classes_is_seen(name, tmp_path):
    packs = [load(tmp_path), load(tmp_path)]
    seen = [identify(values(pack)) for pack in packs]
    assert seen[0] == seen[1]
    assert not seen[0].unknown
    CHANGES[name](packs[1])
    changed = identify(values(packs[1]))
    assert changed.digest != seen[0].digest
    live.leave()
    assert identify(values(packs[1])) == changed
    assert identify(values(packs[0])) == seen[0]


@pytest.mark.parametrize("name", SOURCES)
def test_the_code_of_methods_and_of_functions_that_are_called_is_seen(name, tmp_path):
    before, after = SOURCES[name]
    assert PACK.count(before) == 1
    seen = [identify(values(load(tmp_path, source))) for source in (PACK, PACK, PACK.replace(before, after))]
    assert seen[0] == seen[1]
    assert seen[0].digest != seen[2].digest


def test_what_no_function_reads_and_means_of_running_are_no_part_of_it(tmp_path):
    pack = load(tmp_path)
    before = identify(values(pack))
    pack.UNREAD["a"] = 2
    pack.ARGUMENTS.port = 8189
    pack.LOCK, pack.here.value = threading.Lock(), 3
    pack.EVENT.set()
    assert identify(values(pack)) == before


def test_what_running_changed_in_a_module_is_not_seen_by_new_functions_either(tmp_path):
    pack = load(tmp_path)
    held = values(pack)
    first = identify(held)
    for _ in range(2):
        held["patches"][0](0.0)
        live.leave()
        assert pack.COUNT["calls"]
        assert identify(held) == first
        held = values(pack)  # as the host makes them when an input of their node changed and was changed back
        assert identify(held) == first
    assert identify(values(load(tmp_path))) == first  # as in a fresh process
    pack.COUNT["calls"] = 100
    assert identify(held).digest != first.digest


def test_other_processes_agree(tmp_path):
    script = [sys.executable, str(ROOT / "tools" / "run.py"), "tests.wan.stateful_pack"]
    found = {identify(values(load(tmp_path))).digest}
    for seed in ("1", "2"):
        folder = tmp_path / seed
        environment = os.environ | {"PYTHONHASHSEED": seed, "COMFYUI_PATH": str(folder)}
        made = subprocess.run([*script, str(folder)], env=environment, check=True, capture_output=True, text=True)
        found.add(made.stdout.splitlines()[-1])
    assert len(found) == 1


def test_functions_that_call_each_other_are_the_same_in_whatever_order_they_are_met(tmp_path):
    pack = load(tmp_path)
    found = {"even": pack.even, "odd": pack.odd}
    assert identify(found) == identify(dict(reversed(found.items())))


def test_copying_an_object_leaves_its_class_as_it_was(tmp_path):
    pack = load(tmp_path)
    patch = pack.Patch(0.5)
    before = identify(patch)
    pack.copy.deepcopy(patch)
    assert identify(patch) == before


def test_what_is_imported_from_a_library_goes_by_name(tmp_path):
    library = types.ModuleType("comfy.made_up")
    library.STATE, library.call = {"a": 1}, types.FunctionType((lambda x: x).__code__, {"__name__": "comfy.made_up"})
    sys.modules["comfy.made_up"] = library
    try:
        pack = load(tmp_path, "from comfy.made_up import STATE, call\n\ndef patch(x):\n    return call(STATE)\n")
        before = identify(pack.patch)
        library.STATE["a"] = 2
        assert identify(pack.patch) == before
        pack.STATE = {"a": 2}
        assert identify(pack.patch).digest != before.digest
    finally:
        del sys.modules["comfy.made_up"]


@pytest.mark.parametrize("how", ["compiler.disable", "compile", "jit.script"])
def test_what_pytorch_compiles_is_known_by_the_function(how, tmp_path):
    source = f"import torch\n\ndef patch(x):\n    return helper(x)\n\n@torch.{how}\ndef helper(x):\n    return x * 2\n"
    seen = [identify(load(tmp_path, each).patch) for each in (source, source, source.replace("* 2", "* 3"))]
    assert seen[0] == seen[1]
    assert not seen[0].unknown
    assert seen[0].digest != seen[2].digest


def test_a_generator_of_a_module_cannot_be_read(tmp_path):
    pack = load(tmp_path, "import torch\n\nDRAW = torch.Generator()\n\ndef patch():\n    return DRAW\n")
    assert identify(pack.patch).unknown


def test_functions_without_a_module_are_read_with_what_they_read():
    made = []
    for scale in (1, 1, 2):
        names = {"__name__": "none", "SCALE": [scale]}
        exec("def patch(x):\n    return x * SCALE[0]", names)  # noqa: S102  as tools that make functions do
        made.append(names["patch"])
    seen = [identify(each) for each in made]
    assert seen[0] == seen[1] != seen[2]


def test_a_table_that_is_too_large_is_unknown(tmp_path, monkeypatch):
    monkeypatch.setattr(walk, "MOST", 5000)
    pack = load(tmp_path)
    assert not identify(values(pack)).unknown
    pack.CONFIG["nested"] = list(range(6000))
    seen = identify(values(pack))
    assert seen.unknown
    assert seen.token
