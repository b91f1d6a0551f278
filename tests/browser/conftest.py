"""A real browser on the real front end of the running host."""

import contextlib
import functools
import json
import os
import re
import shutil
from pathlib import Path

import av
import matplotlib
import pytest
from wan_motion_chunks.tests.browser.editor import Editor
from wan_motion_chunks.tests.browser.scripts import SHOW
from wan_motion_chunks.tests.comfyui import comfyui_path
from wan_motion_chunks.tools.browser import LOADED, find
from wan_motion_chunks.tools.workflow import EXAMPLES

BENIGN = (
    "favicon",
    "user.css",
    "/api/userdata",
    "comfy.templates.json",
    "release",
    "api.comfy.org",
    "huggingface.co",
    "fetching file size",
    "/templates/",
    "core workflow templates",
    "/api/jobs",
    "JobsApiError",
)
"""Parts of what the front end itself logs as errors in a fresh host: settings that are not there yet, the
registry and the model hub, which it may not reach, and, from a newer front end, what an older host cannot answer."""

FONTS = ("DejaVuSans.ttf", "DejaVuSans-Bold.ttf")
FONTCONFIG = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir>{folder}</dir>
  <cachedir>{folder}/cache</cachedir>
  <match target="pattern">
    <edit name="hintstyle" mode="append"><const>hintslight</const></edit>
  </match>
</fontconfig>
"""


def browser_path() -> str:
    path = find()
    if path is None:
        if os.environ.get("CI"):
            pytest.fail("CI needs a browser; python dev.py test fetches one.")
        pytest.skip("needs Chrome, Edge or Chromium: run python dev.py test")
    return path


@pytest.fixture(scope="session", params=["own", "newest"])
def server(request):
    """The host with its own front end, and with the newest."""
    comfyui_path()
    browser_path()
    from wan_motion_chunks.tools.environment import newest_front_end
    from wan_motion_chunks.tools.server import Server

    arguments = ("--cpu",)
    if request.param == "newest":
        folder = newest_front_end()
        if not folder.is_dir():
            if os.environ.get("CI"):
                pytest.fail(f"CI needs the newest front end in {folder}; python dev.py test fetches it.")
            pytest.skip(f"needs the newest front end in {folder}: run python dev.py test")
        arguments += ("--front-end-root", str(folder))
    with Server(arguments=arguments) as running:
        _lay_out_files(running)
        # Else templates open over the graph and hold the focus.
        running.post("/settings", {"Comfy.TutorialCompleted": True})
        yield running


def _lay_out_files(server) -> None:
    """A file of the right name for whatever the example workflows load; a picture and a video are more than names."""
    for path in EXAMPLES.glob("*.json"):
        for node in json.loads(path.read_text(encoding="utf-8"))["nodes"]:
            for model in node["properties"].get("models", ()):
                file = server.base / "models" / model["directory"] / model["name"]
                file.parent.mkdir(parents=True, exist_ok=True)
                file.touch()
    with av.open(str(server.base / "input" / "video.mp4"), "w") as container:
        stream = container.add_stream("h264", rate=16)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        for _ in range(2):
            container.mux(stream.encode(av.VideoFrame(64, 64, "yuv420p")))
        container.mux(stream.encode(None))
    shutil.copy(server.comfyui / "input" / "example.png", server.base / "input" / "example.png")


@pytest.fixture(scope="session")
def fonts(tmp_path_factory):
    """Fontconfig's file for one family and nothing of the system's: the least width of a node depends on its font, and
    on how that is hinted. Only Linux heeds it; elsewhere every system has the same Arial."""
    folder = tmp_path_factory.mktemp("fonts")
    for name in FONTS:
        shutil.copy(Path(matplotlib.get_data_path(), "fonts", "ttf", name), folder)
    path = folder / "fonts.conf"
    path.write_text(FONTCONFIG.format(folder=folder), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def browser(fonts):
    from playwright.sync_api import sync_playwright

    path = browser_path()
    with sync_playwright() as playwright:
        environ = os.environ | {"FONTCONFIG_FILE": str(fonts)}
        opened = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"], env=environ)
        yield opened
        opened.close()


@contextlib.contextmanager
def front_end(browser, server):
    """A page with the front end, loaded; what it logs as errors is in ``page.errors``."""
    context = browser.new_context(viewport={"width": 1600, "height": 1000})
    opened = context.new_page()
    opened.errors = []

    def note(message):
        if message.type == "error" and not any(word in message.text + message.location["url"] for word in BENIGN):
            opened.errors.append(f"{message.text} {message.location['url']}")

    opened.on("console", note)
    opened.on("pageerror", lambda error: opened.errors.append(str(error)))
    opened.goto(server.url)
    opened.wait_for_function(LOADED)
    opened.wait_for_timeout(1000)
    opened.errors.clear()  # what the front end logs by itself while it starts
    yield opened
    context.close()


@pytest.fixture(scope="session")
def open_page(browser, server):
    """Opens a page for a ``with``: see :func:`front_end`."""
    return functools.partial(front_end, browser, server)


@pytest.fixture
def fresh_page(open_page):
    """A page of the test's own; see :func:`front_end`."""
    with open_page() as opened:
        yield opened


@pytest.fixture(scope="module")
def shared_page(open_page):
    """One page for a file's tests: to load it takes longer than most of them do."""
    with open_page() as opened:
        yield opened


@pytest.fixture
def page(shared_page):
    """The page of all tests of a file, with an empty graph on the canvas."""
    shared_page.evaluate(SHOW, False)
    shared_page.evaluate("() => window.app.graph.clear()")
    shared_page.errors.clear()
    return shared_page


@pytest.fixture(params=[False, True], ids=["canvas", "nodes 2.0"])
def editor(fresh_page, server, request):
    """A long video that is kept under the test's own name."""
    fresh_page.evaluate(SHOW, request.param)
    name = re.sub(r"\W+", "-", request.node.name.removeprefix("test_"))[-60:].strip("-")
    yield Editor(fresh_page, server, name)
    assert fresh_page.errors == [], "\n".join(sorted(set(fresh_page.errors)))


@pytest.fixture
def other(editor, open_page, server):
    """The same video in another browser."""
    with open_page() as opened:
        yield Editor(opened, server, editor.name)
        assert opened.errors == [], "\n".join(sorted(set(opened.errors)))
