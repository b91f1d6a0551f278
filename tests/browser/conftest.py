"""A real browser on the real front end of the running host."""

import os
import shutil

import pytest
from wan_motion_chunks.tests.host.conftest import comfyui_path

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
)
"""Parts of what the front end itself logs as errors in a fresh host: settings that are not there yet, and the
registry and the model hub, which it may not reach."""


def chromium_path() -> str:
    found = shutil.which("chromium") or shutil.which("google-chrome")
    if found is None:
        if os.environ.get("CI"):
            pytest.fail("CI needs chromium: apt-get install chromium")
        pytest.skip("needs chromium: apt-get install chromium")
    return found


@pytest.fixture(scope="session")
def server():
    comfyui_path()
    chromium_path()
    from wan_motion_chunks.tools.server import Server

    with Server() as running:
        shutil.copy(running.comfyui / "input" / "example.png", running.base / "input" / "example.png")
        yield running


@pytest.fixture(scope="session")
def browser():
    from playwright.sync_api import sync_playwright

    path = chromium_path()
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture
def page(browser, server):
    """The front end, loaded; what it logs as errors is in ``page.errors``."""
    context = browser.new_context(viewport={"width": 1600, "height": 1000})
    opened = context.new_page()
    opened.errors = []

    def note(message):
        if message.type == "error" and not any(word in message.text + message.location["url"] for word in BENIGN):
            opened.errors.append(f"{message.text} {message.location['url']}")

    opened.on("console", note)
    opened.on("pageerror", lambda error: opened.errors.append(str(error)))
    opened.goto(server.url)
    opened.wait_for_function("() => window.app?.graph && window.app?.extensionManager?.workflow?.activeWorkflow")
    opened.wait_for_timeout(1000)
    opened.errors.clear()  # what the front end logs by itself while it starts
    yield opened
    context.close()
