"""Which browser the tests take, on systems made of shell scripts."""

import os
import subprocess
import sys
import urllib.error

import pytest
from wan_motion_chunks.tools import browser
from wan_motion_chunks.tools.environment import ROOT

pytestmark = pytest.mark.skipif(os.name == "nt", reason="needs shell scripts")


@pytest.fixture
def system(tmp_path, monkeypatch):
    """An empty PATH, no Playwright, nothing that can be reached; ``system(name, script)`` adds a command."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("PLAYWRIGHT_DOWNLOAD_HOST", raising=False)
    monkeypatch.setattr(browser, "MAC", ())
    monkeypatch.setattr(browser, "_is_reachable", lambda url: False)
    browser.find.cache_clear()

    def add(name, script):
        path = tmp_path / name
        path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        path.chmod(0o755)
        return str(path)

    add("python", "exit 1")
    yield add
    browser.find.cache_clear()


@pytest.mark.parametrize("name", ["chromium", "google-chrome", "microsoft-edge"])
def test_an_installed_browser_is_taken_and_nothing_is_fetched(system, capsys, name):
    path = system(name, "exit 0")
    assert browser.fetch("python") == ""
    assert browser.find("python") == path
    assert capsys.readouterr().out == ""


def test_one_that_does_not_start_is_passed_over(system):
    system("chromium-browser", "echo 'requires the chromium snap'; exit 1")
    path = system("google-chrome", "exit 0")
    assert browser.find("python") == path


def test_playwrights_own_is_fetched_when_none_is_installed(system, monkeypatch, tmp_path):
    monkeypatch.setattr(browser, "_is_reachable", lambda url: True)
    own = tmp_path / "own"
    made = f"printf '#!/bin/sh\\nexit 0\\n' > {own}; /bin/chmod +x {own}"
    system("python", f'case "$*" in "-m playwright install"*) {made};; *) echo {own};; esac')
    assert browser.fetch("python") == ""
    assert browser.find("python") == str(own)


def test_debians_is_installed_where_playwrights_cannot_be_reached(system, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    made = f"printf '#!/bin/sh\\nexit 0\\n' > {tmp_path}/chromium; /bin/chmod +x {tmp_path}/chromium"
    system("env", f'echo "$*" >> {tmp_path}/called; case "$*" in *install*) {made};; esac')
    system("apt-get", "exit 0")
    assert browser.fetch("python") == ""
    assert browser.find("python") == str(tmp_path / "chromium")
    called = (tmp_path / "called").read_text(encoding="utf-8")
    assert "install -y --no-install-recommends chromium fonts-dejavu-core" in called
    assert "Playwright: https://cdn.playwright.dev " in capsys.readouterr().out


def test_without_root_sudo_is_tried_but_asks_for_no_password(system, monkeypatch, tmp_path):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    system("apt-get", "exit 0")
    assert "apt-get needs root" in browser.fetch("python")
    system("sudo", f'echo "$*" >> {tmp_path}/called; exit 1')
    assert "apt-get needs root" in browser.fetch("python")
    assert (tmp_path / "called").read_text(encoding="utf-8") == "-n true\n"


def test_why_there_is_none_is_one_line(system, monkeypatch):
    error = "E: Unable to locate package chromium"
    assert browser.fetch("python") == (
        "no browser is installed, and none could be fetched (Playwright: https://cdn.playwright.dev cannot be reached; "
        "Debian: this system has no apt-get)"
    )
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    system("apt-get", "exit 0")
    system("env", f"echo Reading; echo '{error}' >&2; echo more >&2; exit 100")
    assert f"Debian: {error})" in browser.fetch("python")
    system("env", "exit 0")
    assert browser.fetch("python").endswith("not start)")


@pytest.mark.parametrize(
    ("raised", "reachable"),
    [(None, True), (urllib.error.HTTPError("u", 404, "", {}, None), True), (urllib.error.URLError("no name"), False)],
)
def test_a_server_that_answers_at_all_is_reachable(monkeypatch, raised, reachable):
    class Answer:
        def close(self):
            pass

    def ask(url, timeout):
        if raised:
            raise raised
        return Answer()

    monkeypatch.setattr(browser.urllib.request, "urlopen", ask)
    assert browser._is_reachable("https://example.org") is reachable


RUN = """
import sys
sys.path.insert(0, {root!r})
import dev
from tools import browser, environment
for name in ("python", "host", "node", "fetch_front_end", "fetch_registry_tools"):
    setattr(environment, name, lambda: "x")
browser.fetch = lambda python: {missing!r}
dev.lint = dev.fuzz = lambda arguments: 0
dev.subprocess.call = lambda command, **more: print(*command[3:]) or {code}
sys.exit(dev.test({arguments!r}))
"""


def run_dev(missing, code=0, arguments=(), **environ):
    source = RUN.format(root=str(ROOT), missing=missing, code=code, arguments=list(arguments))
    kept = {name: value for name, value in os.environ.items() if name != "CI"}
    return subprocess.run([sys.executable, "-c", source], env=kept | environ, capture_output=True, text=True)


def test_what_could_not_be_had_is_the_last_line_and_a_failure_in_ci():
    for environ, code, expected in (({}, 0, 0), ({"CI": "1"}, 0, 1), ({"CI": "1"}, 3, 3), ({}, 3, 3)):
        done = run_dev("no network", code, **environ)
        assert done.returncode == expected
        assert done.stderr.splitlines()[-1] == "The browser tests did not run: no network"
    done = run_dev("", CI="1")
    assert (done.returncode, done.stderr) == (0, "")


def test_fast_leaves_out_all_but_quick_unit_tests_and_fetches_no_browser():
    done = run_dev("no network", arguments=["--fast", "-x"], CI="1")
    assert (done.returncode, done.stderr) == (0, "")
    for word in ("not host", "not browser", "not registry", "not slow", "--durations=10", "-x"):
        assert word in done.stdout
    assert "--fast" not in done.stdout
