"""The pack as the registry gets it, by the registry's own tools and the field's linters."""

import os
import re
import shutil
import subprocess
import zipfile

import pytest
import yaml
from wan_motion_chunks.tests.comfyui import comfyui_path
from wan_motion_chunks.tools.environment import DEVELOPMENT, ROOT, registry_tools

FOLDER = "wan-motion-chunks"
PUBLISH = ROOT / ".github" / "workflows" / "publish.yml"
TESTS = PUBLISH.with_name("test.yml")
LARGEST = 25 * 2**20
"""Bytes of a published archive."""


def call(*command, cwd):
    environment = os.environ | {"DO_NOT_TRACK": "1", "NO_COLOR": "1", "PYTHONUTF8": "1"}
    done = subprocess.run(
        [*map(str, command)], cwd=cwd, env=environment, capture_output=True, text=True, encoding="utf-8"
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout + done.stderr


def git(*arguments, cwd):
    return call("git", "-c", "user.name=test", "-c", "user.email=test@localhost", *arguments, cwd=cwd)


def commit_all(folder):
    """Make of a folder a repository with one commit."""
    git("init", "--quiet", "--initial-branch=master", ".", cwd=folder)
    git("add", "--all", "--force", cwd=folder)
    git("commit", "--quiet", "--message=all", cwd=folder)


@pytest.fixture(scope="module")
def tools():
    folder = registry_tools()
    if not folder.is_dir() or not (ROOT / ".git").exists():
        if os.environ.get("CI"):
            pytest.fail(f"CI needs a git checkout, and {folder}, which python dev.py test makes.")
        pytest.skip(f"needs a git checkout, and {folder}: run python dev.py test")
    return folder


@pytest.fixture(scope="module")
def checkout(tools, tmp_path_factory):
    """What git tracks, as it is now."""
    folder = tmp_path_factory.mktemp("checkout") / FOLDER
    for name in git("ls-files", "-z", cwd=ROOT).split("\0"):
        if name and (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    commit_all(folder)
    return folder


@pytest.fixture(scope="module")
def archive(tools, checkout):
    call(tools / "comfy", "--skip-prompt", "node", "pack", cwd=checkout)
    return checkout / "node.zip"


@pytest.fixture(scope="module")
def installed(archive, tmp_path_factory):
    """The archive unpacked where a user has it."""
    folder = tmp_path_factory.mktemp("install") / "custom_nodes" / FOLDER
    with zipfile.ZipFile(archive) as packed:
        packed.extractall(folder)
    return folder


def test_the_registry_takes_the_pack(tools, checkout):
    told = call(tools / "comfy", "--skip-prompt", "node", "validate", cwd=checkout)
    assert "validation checks passed" in told
    assert "warning" not in told.lower()


def test_the_archive_is_small_and_has_what_runs_only(archive):
    assert archive.stat().st_size < LARGEST
    with zipfile.ZipFile(archive) as packed:
        names = packed.namelist()
    tops = {name.split("/")[0] for name in names}
    assert not tops & {"tests", "benchmarks", "farm", "tools", "docs", "demo", "dev.py", ".ci", ".github"}
    assert tops >= {
        "__init__.py",
        "pyproject.toml",
        "LICENSE",
        "README.md",
        "nodes",
        "wan",
        "motion",
        "blending",
        "tiny",
    }
    assert tops >= {"js", "locales", "example_workflows", "subgraphs"}
    assert sum(name.startswith("tiny/") and name.endswith(".safetensors") for name in names) == 2


def test_the_fields_linters_find_nothing(tools, installed):
    told = call(tools / "comfy-test", "lint", "--strict", ".", cwd=installed)
    assert "[SYNTAX] PASSED" in told
    assert "[JAVASCRIPT] PASSED" in told


def test_nothing_of_the_host_is_used_that_it_does_not_have(tools, installed, tmp_path):
    # It looks names up in a repository of ComfyUI, so the host becomes one.
    host = tmp_path / "ComfyUI"
    for source in comfyui_path().rglob("*.py"):
        within = source.relative_to(comfyui_path())
        if within.parts[0].startswith(("app", "api_server", "comfy")) or len(within.parts) == 1:
            (host / within).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, host / within)
    commit_all(host)
    git("update-ref", "refs/remotes/origin/master", "HEAD", cwd=host)
    guard = (tools / "comfy-import-guard", "--offline", "--cache-dir", tmp_path)
    told = call(*guard, "check", "--comfy-dir", installed.parents[1], "--no-update", "--strict", cwd=tmp_path)
    assert f"[ok] {FOLDER}  SAFE" in told
    assert " 0 comfy.* reference(s)" not in told


def test_workflows_are_valid_and_safe(tools):
    files = sorted(PUBLISH.parent.iterdir())
    call(tools / "check-jsonschema", "--builtin-schema", "vendor.github-workflows", *files, cwd=ROOT)
    call(tools / "actionlint", "-shellcheck=", "-pyflakes=", *files, cwd=ROOT)  # not by what a machine happens to have
    told = call(tools / "zizmor", "--offline", "--no-progress", "--persona", "auditor", *files, cwd=ROOT)
    assert "No findings" in told


def test_publishing_happens_by_tag_after_tests_with_a_secret_that_no_branch_can_read():
    for path in PUBLISH.parent.iterdir():
        text = path.read_text(encoding="utf-8")
        uses = re.findall(r"uses: *(\S+)", text)
        assert uses
        assert all(re.fullmatch(r"[\w./-]+@[0-9a-f]{40}|\$/\.github/workflows/test\.yml", name) for name in uses)
        found = yaml.load(text, yaml.BaseLoader)  # in which "on" is a word, and not true
        assert found["permissions"] == {}
        for job in found["jobs"].values():
            assert job["permissions"] == {"contents": "read"}
            secret = "secrets." in yaml.dump(job)
            assert ("environment" in job) == secret
            assert not secret or job["needs"] == ["test", "tag"]
    publish = yaml.load(PUBLISH.read_text(encoding="utf-8"), yaml.BaseLoader)
    assert publish["on"] == {"push": {"tags": ["v[0-9]+.[0-9]+.[0-9]+"]}}
    assert publish["jobs"]["test"]["uses"] == "$/.github/workflows/test.yml"
    words = [step.get("run", "") for step in publish["jobs"]["tag"]["steps"]]
    assert any("tools/release.py" in word for word in words)
    assert [step for step in publish["jobs"]["publish"]["steps"] if "secrets." in yaml.dump(step)] == [
        publish["jobs"]["publish"]["steps"][-1]
    ]


def test_all_tests_run_on_linux_and_the_quick_ones_on_every_system():
    jobs = yaml.safe_load(TESTS.read_text(encoding="utf-8"))["jobs"]
    assert jobs["all"]["steps"][-1]["run"] == "python dev.py test"
    assert jobs["fast"]["steps"][-1]["run"] == "python dev.py test --fast"
    systems = jobs["fast"]["strategy"]["matrix"]["system"]
    assert [name.split("-")[0] for name in systems] == ["ubuntu", "macos", "windows"]


def test_hooks_before_a_commit_are_the_pinned_ruff_and_our_own():
    repos = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"]
    (pin,) = (name.removeprefix("ruff==") for name in DEVELOPMENT if name.startswith("ruff=="))
    assert [(each["repo"], each.get("rev")) for each in repos] == [
        ("https://github.com/astral-sh/ruff-pre-commit", f"v{pin}"),
        ("local", None),
    ]
