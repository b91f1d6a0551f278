"""What dev.py fetches is what was tested, or nothing of it is used; and what may be published."""

import hashlib
import re
import subprocess
import sys
import zipfile

import pytest
import tomllib
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from wan_motion_chunks.tools import environment
from wan_motion_chunks.tools.release import check_tag


@pytest.fixture
def index(tmp_path, monkeypatch):
    """A pip that downloads what lies in a folder."""
    (tmp_path / "index").mkdir()
    with zipfile.ZipFile(tmp_path / "index" / "thing-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("thing/inner/a.txt", "a")
        wheel.writestr("thing/other.txt", "b")
        wheel.writestr("thing/inner/../../../../../escaped.txt", "c")

    def pip(command):
        assert command[command.index("--dest") + 2] == "thing==1.0"
        target = environment.Path(command[command.index("--dest") + 1])
        target.mkdir(parents=True)
        for wheel in (tmp_path / "index").iterdir():
            (target / wheel.name).write_bytes(wheel.read_bytes())

    monkeypatch.setattr(environment, "_call", pip)
    monkeypatch.setattr(environment, "_interpreter", lambda: "python")
    return tmp_path / "index" / "thing-1.0-py3-none-any.whl"


def test_a_wheel_of_the_right_hash_is_unpacked(tmp_path, index):
    expected = hashlib.sha256(index.read_bytes()).hexdigest()
    environment._unpack("thing==1.0", expected, "thing/inner/", tmp_path / "cache" / "thing")
    assert (tmp_path / "cache" / "thing" / "a.txt").read_text(encoding="utf-8") == "a"
    assert not list(tmp_path.rglob("other.txt"))
    assert [path.name for path in (tmp_path / "cache").iterdir()] == ["thing"]


def test_nothing_of_a_wheel_of_another_hash_is_used(tmp_path, index):
    expected = hashlib.sha256(index.read_bytes()).hexdigest()
    data = bytearray(index.read_bytes())
    data[-1] ^= 1
    index.write_bytes(data)
    with pytest.raises(SystemExit, match=rf"thing-1\.0-py3-none-any\.whl (.|\n)*{expected}"):
        environment._unpack("thing==1.0", expected, "thing/inner/", tmp_path / "cache" / "thing")
    assert not (tmp_path / "cache").exists() or not list((tmp_path / "cache").iterdir())


def read_lock(name):
    """Requirements of a lock and the hashes of each."""
    text = (environment.LOCKED / name).read_text(encoding="utf-8").replace("\\\n", " ")
    for line in text.splitlines():
        if line and not line.startswith("#"):
            requirement, *hashes = re.split(r" +--hash=sha256:", line)
            yield Requirement(requirement), [found.strip() for found in hashes]


@pytest.mark.parametrize("name", ["tests.txt", "alone.txt", "registry.txt"])
def test_locks_name_what_is_asked_for_and_its_hashes(name, monkeypatch):
    if not environment._reference_host().is_dir():
        pytest.skip("needs the tested ComfyUI in the cache: run python dev.py test")
    monkeypatch.delenv("COMFYUI_PATH", raising=False)
    locked = list(read_lock(name))
    for requirement, hashes in locked:
        assert re.fullmatch(r"==[\w.]+", str(requirement.specifier))
        assert hashes
        assert all(re.fullmatch("[0-9a-f]{64}", found) for found in hashes)
    versions = {canonicalize_name(requirement.name): str(requirement.specifier)[2:] for requirement, _ in locked}
    wanted, _ = environment.lock_inputs()[name]
    for asked in map(Requirement, wanted):
        assert asked.specifier.contains(versions[canonicalize_name(asked.name)]), asked


def test_the_versions_of_the_dev_extra_are_those_that_are_locked():
    project = tomllib.loads((environment.ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    locked = [requirement for name in ("tests.txt", "alone.txt") for requirement, _ in read_lock(name)]
    versions = {canonicalize_name(requirement.name): str(requirement.specifier) for requirement in locked}
    asked = [Requirement(line) for line in project["optional-dependencies"]["dev"]]
    assert {each.name: str(each.specifier) for each in asked} == {each.name: versions[each.name] for each in asked}


def test_node_is_where_its_package_puts_it(monkeypatch):
    monkeypatch.setattr(environment, "VENV", environment.Path(sys.prefix))
    done = subprocess.run([str(environment.node()), "--version"], capture_output=True, text=True, check=True)
    assert re.match(r"v\d+\.", done.stdout)


def test_pip_is_told_to_take_nothing_else():
    told = environment._from(environment.LOCKED / "tests.txt")
    assert {"--require-hashes", "--no-deps", "--only-binary"} <= set(told)


@pytest.mark.parametrize("tag", ["v0.1.1", "0.1.0", "v0.1", "v0.1.0 ", "V0.1.0", "main", "", "v0.1.0\nx"])
def test_a_tag_of_another_version_is_not_published(tmp_path, tag):
    project = tmp_path / "pyproject.toml"
    project.write_text('[project]\nversion = "0.1.0"\n', encoding="utf-8")
    check_tag("v0.1.0", project)
    with pytest.raises(SystemExit, match=r"expected v0\.1\.0"):
        check_tag(tag, project)
