"""A real ComfyUI, twice: imported into this process, and running as a server."""

import asyncio
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from wan_motion_chunks.tests.comfyui import comfyui_path


@pytest.fixture(scope="session")
def comfy():
    """The host's modules, importable and on the CPU."""
    sys.path.insert(0, str(comfyui_path()))
    import comfy.cli_args

    comfy.cli_args.args.cpu = True
    import comfy.sd

    return comfy


@pytest.fixture(scope="session")
def tiny(comfy):
    """MODEL, CLIP and VAE of the tiny Wan2.1."""
    from wan_motion_chunks.tiny.models import load_tiny_models

    return load_tiny_models()


@pytest.fixture(scope="module")
def list_folder(comfy):
    """Lists a folder among the host's of a kind of model file, until the module's tests are over.

    A module's broken or made-up files must not be what another module's tests find among the host's.
    """
    import folder_paths

    before = {}

    def run(kind, folder):
        paths = folder_paths.folder_names_and_paths[kind][0]
        before.setdefault(kind, list(paths))
        folder_paths.add_model_folder_path(kind, str(folder))
        folder_paths.filename_list_cache.pop(kind, None)

    yield run
    for kind, paths in before.items():
        folder_paths.folder_names_and_paths[kind][0][:] = paths
        folder_paths.filename_list_cache.pop(kind, None)


@pytest.fixture(scope="session")
def classes(comfy):
    """Node classes of the pack by id without its prefix."""
    from wan_motion_chunks.nodes import MotionChunksExtension

    with ThreadPoolExecutor(1) as thread:  # the browser tests' event loop still runs in this one
        found = thread.submit(asyncio.run, MotionChunksExtension().get_node_list()).result()
    return {each.define_schema().node_id.removeprefix("WanMotion"): each for each in found}


@pytest.fixture
def arguments(tiny, monkeypatch):
    """What each node is called with, by id; nodes that sample give out the state that they would begin with."""
    from wan_motion_chunks.nodes import bridge, custom_video, long_video
    from wan_motion_chunks.nodes._compat import io
    from wan_motion_chunks.tests.host.schemas import call_all

    for module in (bridge, long_video, custom_video):
        monkeypatch.setattr(module, "make_video", lambda job: io.NodeOutput(job.state))
        monkeypatch.setattr(module, "check_start", lambda *values: None)  # pictures for whatever family takes them
    return call_all(tiny)


@pytest.fixture
def output(comfy, tmp_path, monkeypatch):
    """The folder of kept runs, in a folder of this test's own."""
    import folder_paths

    monkeypatch.setattr(folder_paths, "output_directory", str(tmp_path))
    return tmp_path / "wan_motion_runs"


@pytest.fixture
def finished(comfy, monkeypatch):
    """What each video that a node makes ends with, in their order: its state, and the store that kept it."""
    from wan_motion_chunks.nodes import making

    found, generate = [], making.generate

    def watch(state, tools, store, **more):
        found.append((generate(state, tools, store, **more), store))
        return found[-1][0]

    monkeypatch.setattr(making, "generate", watch)
    return found


@pytest.fixture
def made(finished):
    """How many chunks of the last video were made, and how many taken from the disk."""

    def count():
        state, store = finished[-1]
        return state.made - store.reused, store.reused

    return count


@pytest.fixture(scope="session")
def conditioning(tiny):
    """A positive and a negative prompt, encoded."""
    clip = tiny[1]
    return [clip.encode_from_tokens_scheduled(clip.tokenize(text)) for text in ("a red ball moves left", "")]


@pytest.fixture(scope="session")
def server():
    comfyui_path()
    from wan_motion_chunks.tools.server import Server

    with Server() as running:
        yield running


@pytest.fixture(scope="session")
def reference_host(server):
    """Skips on any ComfyUI but the one that pages and workflows are written from: others' own choices differ."""
    from wan_motion_chunks.tools.environment import HOST_VERSION

    version = server.get("/system_stats")["system"]["comfyui_version"]
    if version != HOST_VERSION:
        pytest.skip(f"compares with what was written from ComfyUI {HOST_VERSION}; this is {version}")


@pytest.fixture(autouse=True)
def _as_the_host_runs_nodes(tmp_path_factory, monkeypatch):
    """Without gradients: the models' weights ask for them; and with temporary files of this test's own, where no other
    test has left chunks to take up."""
    import torch

    if "comfy.sd" in sys.modules:
        import folder_paths

        monkeypatch.setattr(folder_paths, "temp_directory", str(tmp_path_factory.mktemp("temp")))
    with torch.inference_mode():
        yield
