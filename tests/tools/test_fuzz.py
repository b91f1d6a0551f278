"""The fuzzer: the same seed is the same graphs, the host takes them, and each check can fail."""

import copy
from dataclasses import replace
from random import Random
from types import SimpleNamespace

import numpy as np
import pytest
from wan_motion_chunks.tests.comfyui import comfyui_path
from wan_motion_chunks.tools.fuzz import outcome
from wan_motion_chunks.tools.fuzz.catalog import LEFT_OUT, Catalog
from wan_motion_chunks.tools.fuzz.change import change
from wan_motion_chunks.tools.fuzz.files import Watch
from wan_motion_chunks.tools.fuzz.generator import generate
from wan_motion_chunks.tools.fuzz.outcome import Outcome, difference, read_error
from wan_motion_chunks.tools.fuzz.scenario import Scenario, draw, is_comparable, read_scenario
from wan_motion_chunks.tools.fuzz.shrink import shrink
from wan_motion_chunks.tools.fuzz.trial import Trial

PICTURE = np.full((4, 4, 3), 7, np.int16)


def info(required, outputs, optional=None):
    return {
        "input": {"required": required, "optional": optional or {}},
        "output": outputs,
        "output_node": not outputs,
    }


KEEP_RUN = {"run_name": ["STRING", {"default": "my-video"}], "stop_after": ["INT", {"default": 0, "min": 0, "max": 9}]}
HOST = {
    "WanMotionTinyModels": info({}, ["MODEL", "CLIP", "VAE"]),
    "WanMotionKeepRun": info(KEEP_RUN, ["WAN_MOTION_RUN"]),
    "WanMotionLongVideo": info(
        {"model": ["MODEL", {}], "start_image": ["IMAGE", {}], "steps": ["INT", {"default": 2, "min": 1, "max": 9}]},
        ["IMAGE", "LATENT"],
        {"run": ["WAN_MOTION_RUN", {}], "prompt": ["STRING", {"default": ""}]},
    ),
    "LoadImage": info({"image": [["a.png", "b.png"], {}]}, ["IMAGE"]),
    "Patch": info({"model": ["MODEL", {}], "strength": ["FLOAT", {"default": 1.0, "min": 0, "max": 2}]}, ["MODEL"]),
    "NeedsFile": info({"name": [[], {}]}, ["MODEL"]),
    "NeedsThat": info({"model": ["MODEL", {}], "net": ["NET", {}]}, ["MODEL"]),
    "SaveImage": info({"images": ["IMAGE", {}], "filename_prefix": ["STRING", {}]}, []),
    "SaveLatent": info({"samples": ["LATENT", {}], "filename_prefix": ["STRING", {}]}, []),
}


@pytest.fixture
def catalog():
    return Catalog(HOST)


@pytest.fixture
def scenario(catalog):
    prompt = generate(catalog, Random(1), "fuzz", spoiled=0)
    return Scenario(prompt, copy.deepcopy(prompt), run_name="fuzz")


def test_what_cannot_be_built_is_not_drawn(catalog):
    assert catalog.kinds.keys() == HOST.keys() - {"NeedsFile", "NeedsThat"}


def test_a_seed_gives_the_same_scenarios_and_another_gives_others(catalog):
    texts = [[draw(catalog, seed, index).text() for index in range(20)] for seed in (3, 3, 4)]
    assert texts[0] == texts[1]
    assert not set(texts[0]) & set(texts[2])


def test_a_scenario_is_read_as_it_was_written(catalog):
    for index in range(20):
        drawn = draw(catalog, 5, index)
        assert read_scenario(drawn.text()) == drawn


def test_a_change_is_of_one_node_that_was_there(catalog):
    for index in range(50):
        dice = Random(index)
        before = generate(catalog, dice, "fuzz")
        kept = copy.deepcopy(before)
        after, said = change(catalog, dice, before, "fuzz")
        assert before == kept
        other = [number for number in before if after.get(number) != before[number]]
        assert len(other) == (said != "nothing")
        assert runs(after)


def runs(prompt):
    """Whether each node can come after those that it is linked to."""
    done = set()
    for _ in prompt:
        sources = {n: {v[0] for v in node["inputs"].values() if isinstance(v, list)} for n, node in prompt.items()}
        done |= {number for number, found in sources.items() if found <= done}
    return done == prompt.keys()


ERROR = {"node_type": "WanMotionLongVideo", "exception_type": "ValueError", "exception_message": "steps: got 0."}


@pytest.mark.parametrize(
    ("changed", "kind"),
    [
        ({}, outcome.REFUSED),
        ({"exception_type": "wan_motion_chunks.wan.runs.names.RunError"}, outcome.REFUSED),
        ({"exception_type": "KeyError"}, outcome.RAW),
        ({"exception_type": "RuntimeError"}, outcome.RAW),
        ({"exception_message": "not enough values to unpack"}, outcome.RAW),
        ({"exception_message": "missteps"}, outcome.RAW),
        ({"node_type": "Patch", "exception_type": "KeyError"}, outcome.HOST),
    ],
)
def test_an_error_of_ours_must_name_an_input(catalog, scenario, changed, kind):
    assert read_error(catalog, scenario.before, ERROR | changed).kind == kind


@pytest.mark.parametrize(
    ("path", "deep"),
    [
        ("/base/custom_nodes/wan-motion-chunks/wan/loop.py", False),
        ("/cache/wan-motion-chunks/ComfyUI/comfy/samplers.py", True),
        (r"C:\base\custom_nodes\wan-motion-chunks\wan\loop.py", False),
    ],
)
def test_an_error_from_below_a_node_of_ours_is_told_from_one_of_ours(catalog, scenario, path, deep):
    raw = {"exception_type": "KeyError", "traceback": [f'  File "{path}", line 3, in run\n    x\n']}
    found = read_error(catalog, scenario.before, ERROR | raw)
    assert (found.kind, found.deep) == (outcome.RAW, deep)


@pytest.mark.parametrize(
    ("other", "differs"),
    [
        ([PICTURE, PICTURE], False),
        ([PICTURE, PICTURE + (np.arange(48).reshape(4, 4, 3) == 47)], True),
        ([PICTURE], True),
        ([PICTURE, PICTURE[:2]], True),
        ([PICTURE, np.where(PICTURE > 0, np.nan, 0)], True),
    ],
)
def test_pictures_that_differ_in_one_value_differ(other, differs):
    first = Outcome(outcome.MADE, made={"9": [PICTURE, PICTURE]})
    assert bool(difference(Outcome(outcome.MADE, made={"9": other}), first)) == differs


def test_another_kind_of_outcome_differs():
    assert difference(Outcome(outcome.REFUSED), Outcome(outcome.MADE))
    assert difference(Outcome(outcome.MADE), Outcome(outcome.MADE, made={"9": [PICTURE]}))


class FakeHost:
    """Answers with one outcome after another."""

    def __init__(self, catalog, base, *outcomes, well=True):
        self.catalog, self.base, self.outcomes, self.well = catalog, base, list(outcomes), well
        self.names = []

    def run(self, prompt, **event):
        self.names.append(next((n["inputs"]["run_name"] for n in prompt.values() if "run_name" in n["inputs"]), ""))
        return self.outcomes.pop(0)

    def forget(self):
        pass

    def restart(self):
        pass

    def answers(self):
        return self.well


def made(level=0):
    return Outcome(outcome.MADE, made={"9": [PICTURE + level]})


@pytest.mark.parametrize(
    ("outcomes", "well", "kind", "step"),
    [
        ([made(), made(1), made(1)], True, "fine", ""),
        ([made(), made(0), made(1), made(1)], True, "fault", "second"),
        ([made(), made(0), made(1), made(2)], True, "unsteady", ""),
        ([made(), Outcome(outcome.REFUSED), made(1), made(1)], True, "fault", "second"),
        ([Outcome(outcome.RAW)], True, "fault", "first"),
        ([made(), Outcome(outcome.HANGS)], True, "fault", "second"),
        ([made(), Outcome(outcome.DIED)], True, "fault", "second"),
        ([made(), made(1), made(1)], False, "fault", "end"),
        ([Outcome(outcome.HOST)], True, "fine", ""),
    ],
)
def test_a_verdict_says_at_which_step_what_must_hold_did_not(catalog, scenario, tmp_path, outcomes, well, kind, step):
    host = FakeHost(catalog, tmp_path, *outcomes, well=well)
    verdict = Trial(host, SimpleNamespace(strange=lambda names: []), scenario).verdict()
    assert (verdict.kind, verdict.step) == (kind, step), verdict.words


def test_a_fresh_run_is_kept_under_another_name(catalog, scenario, tmp_path):
    host = FakeHost(catalog, tmp_path, made(), made(), made())
    Trial(host, SimpleNamespace(strange=lambda names: []), scenario).verdict()
    assert host.names == ["fuzz", "fuzz", "fresh-1"]


def test_what_asks_for_kept_chunks_is_not_compared_with_a_fresh_run(catalog, scenario):
    keeper = next(number for number, node in scenario.before.items() if node["class_type"] == "WanMotionKeepRun")
    for value, comparable in ((0, True), (2, False)):
        scenario.before[keeper]["inputs"]["stop_after"] = value
        assert is_comparable(catalog, scenario.before) == comparable


def test_a_file_outside_is_found_and_a_strange_run(tmp_path):
    for folder in ("output/wan_motion_runs/fuzz", "models", "temp", "comfyui/temp"):
        (tmp_path / folder).mkdir(parents=True)
    watch = Watch(SimpleNamespace(base=tmp_path, server=SimpleNamespace(comfyui=tmp_path / "comfyui")))
    (tmp_path / "temp" / "a").touch()
    assert watch.strange({"fuzz"}) == []
    for folder in ("models", "comfyui", "output/wan_motion_runs", "output"):
        (tmp_path / folder / "b").touch()
        assert str(tmp_path / folder / "b") in watch.strange({"fuzz"})


def test_a_failing_graph_is_made_small(catalog):
    dice = Random(2)
    prompt = generate(catalog, dice, "fuzz")
    while sum(node["class_type"] == "Patch" for node in prompt.values()) < 2:
        prompt = generate(catalog, dice, "fuzz")
    whole = Scenario(prompt, copy.deepcopy(prompt), event="kill", back=True)

    def fails(candidate):
        return any(node["class_type"] == "Patch" for node in candidate.after.values())

    small = shrink(catalog, whole, fails, 60)
    kinds = sorted(node["class_type"] for node in small.after.values())
    assert (small.event, small.back) == ("nothing", False)
    assert kinds.count("Patch") == 1
    assert "WanMotionKeepRun" not in kinds
    assert sum(kind.startswith("Save") for kind in kinds) == 1
    assert shrink(catalog, whole, lambda candidate: False, 60) == whole


@pytest.fixture(scope="module")
def host(tmp_path_factory):
    comfyui_path()
    from wan_motion_chunks.tools.fuzz.host import Host

    with Host(tmp_path_factory.mktemp("fuzz"), 60) as running:
        yield running


@pytest.mark.host
def test_all_nodes_of_ours_are_drawn(host):
    ours = {name for name, kind in host.catalog.known.items() if kind.ours}
    assert ours - LEFT_OUT.keys() <= host.catalog.kinds.keys()
    drawn = [draw(host.catalog, 0, index).before for index in range(400)]
    assert ours - LEFT_OUT.keys() == {
        node["class_type"] for prompt in drawn for node in prompt.values() if node["class_type"] in ours
    }


@pytest.mark.host
def test_the_host_takes_what_is_drawn(host):
    """Queued behind each other and thrown away: the answer to each says whether it is valid."""
    for index in range(60):
        prompt = generate(host.catalog, Random(index), "fuzz", spoiled=0)
        answer = host.server.post("/prompt", {"prompt": prompt})
        host.server.post("/queue", {"clear": True})
        host.server.post("/interrupt")
        assert not answer["node_errors"], index


@pytest.mark.host
def test_a_graph_in_the_host_and_its_frames(host):
    watch = Watch(host)
    drawn = (draw(host.catalog, 0, index) for index in range(400))
    scenario = next(each for each in drawn if {n["class_type"] for n in each.before.values()} >= {"WanMotionJoinClips"})
    verdict = Trial(host, watch, replace(scenario, event="nothing")).verdict()
    assert verdict.kind == "fine", verdict.words
