"""Kept runs over the host's HTTP API, whose cache knows nothing of files."""

import json

import pytest
from wan_motion_chunks.tools.server import HostError

RUN = "asked-twice"


@pytest.fixture(scope="module")
def object_info(server):
    return server.get("/object_info")


def prompt(name, prefix="video", **keep):
    """A kept tiny video that is saved, in the host's API format."""
    widgets = {"run_name": name, "frames_in_memory": False, "stop_after": 0, "vary_from": 0, "variation": 1}
    widgets |= {"keep_later": False, "use_takes": "", "takes_to_keep": 0, "when_unsure": "regenerate"}
    video = {"model": ["1", 0], "clip": ["1", 1], "vae": ["1", 2], "start_image": ["2", 0], "prompt": ["2", 1]}
    video |= {"width": 64, "height": 64, "length": 25.0, "length_unit": "frames", "fps": 16.0, "chunk_frames": 17}
    video |= {"seed": 1, "steps": 2, "cfg": 1.0, "sampler_name": "euler", "scheduler": "simple"}
    video |= {"negative_prompt": "", "settings": ["5", 0], "run": ["3", 0]}
    return {
        "1": {"class_type": "WanMotionTinyModels", "inputs": {}},
        "2": {"class_type": "WanMotionTinyScene", "inputs": {"seed": 3, "sprites": 1}},
        "3": {"class_type": "WanMotionKeepRun", "inputs": widgets | keep},
        "4": {"class_type": "WanMotionLongVideo", "inputs": video},
        "5": {"class_type": "WanMotionSettings", "inputs": {"overlap_frames": 8}},
        "6": {
            "class_type": "SaveVideo",
            "inputs": {"video": ["4", 3], "filename_prefix": prefix, "format": "auto", "codec": "auto"},
        },
    }


@pytest.fixture
def queue(server, object_info):
    """Run a prompt with whatever else its nodes need at their defaults."""

    def run(graph):
        graph = json.loads(json.dumps(graph))
        for node in graph.values():
            for group in ("required", "optional"):
                for key, declared in object_info[node["class_type"]]["input"].get(group, {}).items():
                    kind, more = declared[0], (declared[1] if len(declared) > 1 else {})
                    options = kind if isinstance(kind, list) else more.get("options")
                    if "default" in more or options:
                        node["inputs"].setdefault(key, more.get("default", options and options[0]))
        return server.execute(graph)

    return run


@pytest.mark.parametrize("what", ["deleted", "damaged", "of another chunk"])
def test_queueing_again_helps_when_files_changed_behind_the_hosts_back(server, queue, what):
    folder, name = server.base / "output" / "wan_motion_runs", f"{RUN}-{what.replace(' ', '-')}"
    queue(prompt(name))
    path = next((folder / name).glob("chunk_0002_*.safetensors"))
    whole = path.read_bytes()
    if what == "deleted":
        path.unlink()
    elif what == "damaged":
        path.write_bytes(whole[:-64] + bytes(64))
    else:
        path.write_bytes(next((folder / name).glob("chunk_0001_*.safetensors")).read_bytes())
    queue(prompt(name, prefix="saved again"))  # Long Video itself is as it was
    assert path.read_bytes() == whole
    assert list((server.base / "output").glob("saved again*"))
    before = path.stat().st_mtime_ns
    queue(prompt(name, prefix="and again"))
    assert path.stat().st_mtime_ns == before


def test_load_run_looks_at_the_files(server, queue):
    folder = server.base / "output" / "wan_motion_runs" / "looked-at"
    queue(prompt("looked-at"))
    load = {
        "1": {
            "class_type": "WanMotionLoadRun",
            "inputs": {"run_name": "looked-at", "fps": 16.0, "frames_in_memory": True},
        },
        "2": {"class_type": "PreviewImage", "inputs": {"images": ["1", 0]}},
    }
    assert len(queue(load)["2"]["images"]) == 25
    next(folder.glob("chunk_0002_*.safetensors")).unlink()
    assert len(queue(load)["2"]["images"]) == 17
    queue(prompt("looked-at"))
    assert len(queue(load)["2"]["images"]) == 25


def test_a_run_that_stops_goes_on_when_it_is_queued_again(server, queue):
    folder = server.base / "output" / "wan_motion_runs" / "stops"
    for count in (1, 2):
        queue(prompt("stops", stop_after=1))
        assert len(list(folder.glob("chunk_*.safetensors"))) == count


def test_the_list_of_load_run_is_that_of_the_moment_and_a_newer_run_is_taken_too(server, queue):
    def names():
        return server.get("/object_info/WanMotionLoadRun")["WanMotionLoadRun"]["input"]["required"]["run_name"][1][
            "options"
        ]

    assert "just-made" not in names()
    queue(prompt("just-made"))
    assert names()[0] == "just-made"
    load = {
        "1": {"class_type": "WanMotionLoadRun", "inputs": {"run_name": "from-elsewhere", "fps": 16.0}},
        "2": {"class_type": "PreviewImage", "inputs": {"images": ["1", 0]}},
    }
    with pytest.raises(HostError, match=r"^WanMotionLoadRun: ValueError: run_name: .*from-elsewhere.*just-made"):
        queue(load)
